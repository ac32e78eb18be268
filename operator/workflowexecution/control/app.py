"""The operator put together: started in order, kept going, stopped without losing work."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
import tenacity

from workflowexecution.control.cluster import (
    KubeCluster,
    execution_paths,
    holds_path,
    runs_path,
)
from workflowexecution.control.parts import Parts
from workflowexecution.control.policy import Policy
from workflowexecution.control.window import Onlooker, Standing, Window
from workflowexecution.core import names, requirements
from workflowexecution.core.facts.run_shape import EventOfRun
from workflowexecution.core.shard import Shard
from workflowexecution.kube import errors
from workflowexecution.kube.access import Access
from workflowexecution.kube.change_stream import ChangeStream
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.kube.decoding import decode_only
from workflowexecution.kube.leader_election import Leadership
from workflowexecution.kube.lease import LeaseStore
from workflowexecution.observe.followers import Follower
from workflowexecution.observe.metrics import Metrics
from workflowexecution.observe.probes import Health

# A few requests are under way even in a rush; each connection takes a quarter of a megabyte.
_CONNECTIONS: Final = 20
_GRACE_S: Final = 20.0
# What was listed and not placed holds its target until then.
_RESYNC_RETRY_S: Final = 15.0
_START_BACKOFF: Final = tenacity.wait_random_exponential(multiplier=0.5, max=10)


class TooOldError(Exception):
    """Kubernetes or Tekton has to be upgraded first; the message says which, and to what."""


class App:
    """One operator process.

    With a ``lease_namespace`` it works only while it leads; without, from the start.
    ``onlooker`` is told what the watches tell; ``window`` is what may be looked at.
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
        followers: Sequence[Follower] = (),
        onlooker: Onlooker | None = None,
    ) -> None:
        clock = clock or ServerClock()
        executions = execution_paths(policy.watch_namespaces)
        # Each watch keeps a connection to itself: requests must not have to wait for one.
        self._session = access.open_session(connections=_CONNECTIONS + len(executions) + 2)
        client = ApiClient(self._session, access.server, clock, metrics.requests)
        self._leadership = (
            Leadership(_lease(client, lease_namespace, policy.shard), _identity(), clock)
            if lease_namespace
            else None
        )
        self._cluster = KubeCluster(
            client,
            execution_namespace=policy.template.namespace,
            watch_namespaces=policy.watch_namespaces,
        )
        self._parts = Parts(
            self._cluster, policy, metrics, clock, concurrency=concurrency, followers=followers
        )
        ears = (self._parts.intake, *([onlooker] if onlooker else ()))
        on_execution, on_run, missed = (
            _each([ear.on_execution for ear in ears]),
            _each([ear.on_run for ear in ears]),
            _each([ear.missed for ear in ears]),
        )
        holds = self._parts.holds
        hold_watch = ChangeStream(
            client, holds_path(policy.template.namespace), holds.on_event, missed
        )
        holds.doubt = hold_watch.doubt
        self._watches = (
            *(ChangeStream(client, at, on_execution, missed) for at in executions),
            ChangeStream(
                client,
                runs_path(policy.template.namespace),
                on_run,
                missed,
                decode_only(EventOfRun),
            ),
            hold_watch,
        )
        self.window = Window(
            ledger=self._parts.ledger,
            policy=policy,
            clock=clock,
            holds=holds.current,
            standing=self._standing,
            doubt=lambda: health.not_ready or self._not_alive() or self._not_current(),
        )
        self._health = health
        self._resync_interval = resync_interval
        self._log = structlog.get_logger("app")
        self._metrics = metrics
        metrics.clock_offset.set_function(lambda: clock.offset)
        for name in {watch.name for watch in self._watches}:
            metrics.watch_silence.labels(watch=name).set_function(partial(self._silence, name))
        loop = asyncio.get_running_loop()
        metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop.

        Raises: RuntimeError where the watches end by themselves; the process is then restarted.
        """
        leading: asyncio.Task[None] | None = None
        try:
            async with _until(stop):
                await self._patiently(self._check_versions)
                await self._patiently(self._cluster.check_kinds)
                for watch in self._watches:
                    watch.start()
                self._health.not_alive = self._not_alive
                self._health.not_current = self._not_current
                # Listed after the watches have begun: what goes away from now on is told by them.
                await asyncio.gather(*(watch.has_begun() for watch in self._watches))
                await self._patiently(self._parts.resync)
                # Who stands by is ready, too: a rolling update would otherwise wait for its leader.
                self._health.not_ready = ""
                self._log.info("ready")
                if self._leadership is None:
                    self._open()
                else:
                    leading = asyncio.create_task(self._lead(self._leadership))
                await self._keep_in_step()
        finally:
            self._health.not_ready = "stopping"
            self._log.info("stopping", under_way=self._parts.depth())
            await self._parts.close(grace=_GRACE_S)
            await self._stop_leading(leading)
            await asyncio.gather(*(watch.stop() for watch in self._watches))
            await self._session.close()

    async def _check_versions(self) -> None:
        kubernetes, tekton = await self._cluster.versions()
        if problem := requirements.problem_of(kubernetes, tekton):
            raise TooOldError(problem)
        self._log.info("versions", kubernetes=kubernetes, tekton=tekton or "unknown")

    def _open(self) -> None:
        self._metrics.leader.set(1)
        self._parts.open()

    async def _lead(self, leadership: Leadership) -> None:
        """Work while leading; the process ends with leadership, in the midst of what it does."""
        try:
            await leadership.acquire()
            self._open()
            why = await leadership.keep(self._not_alive)
            self._log.error("leadership lost; ending at once", problem=why)
        except Exception as error:
            self._log.error("leadership failed; ending at once", exc_info=error)
        os._exit(1)

    async def _stop_leading(self, leading: asyncio.Task[None] | None) -> None:
        """Release the Lease, once nothing is written any more."""
        if leading is not None:
            leading.cancel()
            await asyncio.gather(leading, return_exceptions=True)
        if self._leadership is not None:
            await self._leadership.release()

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step of the start until the API server has what it needs."""
        async for attempt in tenacity.AsyncRetrying(
            wait=_START_BACKOFF,
            retry=tenacity.retry_if_exception_type((errors.ApiError, TooOldError)),
            before_sleep=self._report,
        ):
            with attempt:
                await step()

    def _report(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._health.not_ready = _explain(error)
        self._log.warning("not ready", problem=self._health.not_ready, attempt=state.attempt_number)

    async def _keep_in_step(self) -> None:
        """List everything anew now and then: what a watch has lost is found here."""
        loop = asyncio.get_running_loop()
        due_at = loop.time() + self._resync_interval.total_seconds()
        while not self._problem():
            slept_from = loop.time()
            await asyncio.sleep(1)
            self._metrics.loop_lag.set(max(loop.time() - slept_from - 1, 0))
            if loop.time() < due_at and not self._parts.intake.needs_resync:
                continue
            due_at = loop.time() + self._resync_interval.total_seconds()
            try:
                await self._parts.resync()
                self._metrics.resyncs.labels(result="done").inc()
            except errors.ApiError as error:
                self._metrics.resyncs.labels(result="failed").inc()
                due_at = min(due_at, loop.time() + _RESYNC_RETRY_S)
                self._log.warning("resync failed; it will be repeated", error=str(error))
        raise RuntimeError(self._problem())

    def _problem(self) -> str:
        """What has ended the watches; empty while both run."""
        return _first(watch.problem() for watch in self._watches)

    def _not_alive(self) -> str:
        silent = (watch.health.not_alive() for watch in self._watches)
        return self._problem() or _first(silent) or self._parts.not_alive()

    def _standing(self) -> Standing:
        if self._leadership is None:
            return Standing()
        return Standing(identity=self._leadership.identity, leader=self._leadership.leader)

    def _silence(self, name: str) -> float:
        return max(watch.health.silence() for watch in self._watches if watch.name == name)

    def _not_current(self) -> str:
        return _first(watch.health.not_ready() for watch in self._watches)


def _each(calls: Sequence[Callable[..., None]]) -> Callable[..., None]:
    """One that calls each; the only one there is, where there is but one."""
    if len(calls) == 1:
        return calls[0]

    def call_each(*given: Any) -> None:
        for call in calls:
            call(*given)

    return call_each


def _first(problems: Iterable[str]) -> str:
    """The first problem that there is; empty where there is none."""
    return next(filter(None, problems), "")


def _lease(client: ApiClient, namespace: str, shard: Shard) -> LeaseStore:
    return LeaseStore(client, namespace, names.lease_name(shard))


def _identity() -> str:
    """A name for this process that no other has, not even the next one in the same pod."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


def _explain(error: Any) -> str:
    """Say what keeps the operator from starting, and what to do about it."""
    if isinstance(error, TooOldError):
        return str(error)
    if isinstance(error, errors.NotFoundError):
        missing = "Tekton Pipelines" if "tekton.dev" in str(error) else _kind_in(str(error))
        return f"the CRDs of {missing} are not installed; install them, this is tried again"
    if isinstance(error, errors.ForbiddenError):
        return f"the operator's ServiceAccount lacks a right; apply manifests/rbac: {error}"
    return f"the API server does not answer as needed: {error}"


def _kind_in(text: str) -> str:
    return "WorkflowHold" if "workflowholds" in text else "WorkflowExecution"


@contextlib.asynccontextmanager
async def _until(stop: asyncio.Event) -> Any:
    """Leave the block, wherever it is, when told to stop."""
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
