"""The manager: starts all components in order, keeps them running, and stops them cleanly."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.controller.controller import Controller
from workflowexecution.controller.recorder import EventSink
from workflowexecution.core import names
from workflowexecution.core.names import Shard
from workflowexecution.core.policy import Policy
from workflowexecution.kube import errors
from workflowexecution.kube.access import Access
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.kube.leader_election import Leadership, LeaseStore
from workflowexecution.manager.view import EventListener, LeaderStatus, OperatorView, Publisher
from workflowexecution.manager.watches import Preflight, Watches
from workflowexecution.observe.metrics import Metrics
from workflowexecution.observe.web_server import Health

# Even in a burst few requests run at once; each connection takes a quarter of a megabyte.
_CONNECTIONS: Final = 20
_GRACE_S: Final = 20.0
# Runs that a failed relist has not settled hold their targets until the next relist.
_RESYNC_RETRY_S: Final = 15.0


class Manager:
    """One operator process.

    With a ``lease_namespace`` it works only while it leads; without, from the start.
    ``listener`` gets each event of the watches; ``view`` is the read-only view.
    ``keep_signals`` sets the handlers of SIGTERM and SIGINT again after kopf has replaced them.
    """

    def __init__(
        self,
        access: Access,
        policy: Policy,
        metrics: Metrics,
        health: Health,
        *,
        concurrency: int,
        resync_interval: timedelta,
        lease_namespace: str | None = None,
        clock: ServerClock | None = None,
        event_sinks: Sequence[EventSink] = (),
        listener: EventListener | None = None,
        keep_signals: Callable[[], None] = lambda: None,
    ) -> None:
        clock = clock or ServerClock()
        # Watches have their own sessions.
        self._session = access.open_session(connections=_CONNECTIONS)
        client = ApiClient(self._session, access.server, clock, metrics.requests)
        identity = _identity()
        self._leadership = (
            Leadership(_lease(client, lease_namespace, policy.shard), identity, clock)
            if lease_namespace
            else None
        )
        cluster = KubeCluster(
            client,
            execution_namespace=policy.template.namespace,
            watch_namespaces=policy.watch_namespaces,
        )
        self._controller = Controller(
            cluster,
            policy,
            metrics,
            clock,
            concurrency=concurrency,
            event_sinks=event_sinks,
            why_holds_are_stale=lambda: self._watches.why_holds_are_stale(),
        )
        self._preflight = Preflight(cluster, health)
        self._watches = Watches(
            access,
            policy,
            self._controller.events,
            listener,
            self._controller.holds,
            self._controller.claims,
            metrics.requests,
            check=self._preflight.check_cluster,
            keep_signals=keep_signals,
        )
        self.view = OperatorView(
            store=self._controller.store,
            policy=policy,
            clock=clock,
            holds=self._controller.holds.current,
            standing=self._standing,
            stale_reason=lambda: health.not_ready or self._not_alive() or self._not_current(),
        )
        self._publisher = Publisher(
            cluster.publish,
            policy,
            clock,
            resync_interval=resync_interval,
            written_by=identity,
            problem=self._why_stale,
        )
        self._health = health
        self._resync_interval = resync_interval
        self._log = structlog.get_logger("app")
        self._metrics = metrics
        metrics.clock_offset.set_function(lambda: clock.offset)
        for name in self._watches.names():
            metrics.watch_silence.labels(watch=name).set_function(
                partial(self._watches.silence, name)
            )
        loop = asyncio.get_running_loop()
        metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set.

        Raises: RuntimeError where the watches end by themselves; the process is then restarted.
        """
        leading: asyncio.Task[None] | None = None
        try:
            async with _until(stop):
                self._health.not_alive = self._not_alive
                self._health.not_current = self._not_current
                # They check the cluster and then begin. The relist comes after that, so that no
                # change between the two is missed.
                await self._watches.begin()
                await self._preflight.patiently(self._controller.relist)
                # A standby is ready, too: otherwise a rolling update would wait for it to lead.
                self._health.not_ready = ""
                self._log.info("ready")
                if self._leadership is None:
                    self._open()
                else:
                    leading = asyncio.create_task(self._lead(self._leadership))
                await self._keep_in_step()
        finally:
            self._health.not_ready = "stopping"
            self._log.info("stopping", under_way=self._controller.depth())
            await self._publisher.close()
            await self._controller.close(grace=_GRACE_S)
            await self._stop_leading(leading)
            await self._watches.stop()
            await self._session.close()

    def _open(self) -> None:
        self._metrics.leader.set(1)
        self._controller.open()
        self._publisher.open()

    async def _lead(self, leadership: Leadership) -> None:
        """Work while leading; when leadership is lost, the process ends, even during a pass."""
        try:
            await leadership.acquire()
            self._open()
            why = await leadership.keep(self._not_alive)
            self._log.error("leadership lost; ending at once", problem=why)
        except Exception as error:
            self._log.error("leadership failed; ending at once", exc_info=error)
        os._exit(1)

    async def _stop_leading(self, leading: asyncio.Task[None] | None) -> None:
        """Release the Lease after the last write."""
        if leading is not None:
            leading.cancel()
            await asyncio.gather(leading, return_exceptions=True)
        if self._leadership is not None:
            await self._leadership.release()

    async def _keep_in_step(self) -> None:
        """List everything again at intervals, to find changes that a watch has missed."""
        loop = asyncio.get_running_loop()
        due_at = loop.time() + self._resync_interval.total_seconds()
        while not self._watches.problem():
            slept_from = loop.time()
            await asyncio.sleep(1)
            self._metrics.loop_lag.set(max(loop.time() - slept_from - 1, 0))
            self._publisher.tick()
            if loop.time() < due_at and not self._controller.gaps.need_relist:
                continue
            due_at = loop.time() + self._resync_interval.total_seconds()
            try:
                await self._controller.relist()
                self._metrics.resyncs.labels(result="done").inc()
                self._publisher.write_again()
            except errors.ApiError as error:
                self._metrics.resyncs.labels(result="failed").inc()
                due_at = min(due_at, loop.time() + _RESYNC_RETRY_S)
                self._log.warning("resync failed; it will be repeated", error=str(error))
        raise RuntimeError(self._watches.problem())

    def _not_alive(self) -> str:
        return self._watches.not_alive() or self._controller.not_alive()

    def _not_current(self) -> str:
        return self._watches.not_current() or self._controller.claims.problem()

    def _why_stale(self) -> str:
        """The operator's own view, without numbers that grow."""
        problem = self._health.not_ready or self._watches.why_stale()
        hangs = "its passes hang" if self._controller.not_alive() else ""
        return problem or hangs or self._controller.claims.problem()

    def _standing(self) -> LeaderStatus:
        if self._leadership is None:
            return LeaderStatus()
        return LeaderStatus(identity=self._leadership.identity, leader=self._leadership.leader)


def _lease(client: ApiClient, namespace: str, shard: Shard) -> LeaseStore:
    return LeaseStore(client, namespace, names.lease_name(shard))


def _identity() -> str:
    """A unique name for this process; even the next process in the same pod has another."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


@contextlib.asynccontextmanager
async def _until(stop: asyncio.Event) -> Any:
    """Cancel the block when the operator is asked to stop."""
    body = asyncio.current_task()
    assert body is not None

    async def interrupt() -> None:
        await stop.wait()
        body.cancel()

    watcher = asyncio.create_task(interrupt())
    try:
        yield
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        body.uncancel()
    finally:
        watcher.cancel()
