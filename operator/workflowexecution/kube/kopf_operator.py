"""One kopf operator in the event loop of everything else: begun, begun again, and stopped."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog

from workflowexecution.kube import retry
from workflowexecution.kube.kopf_session import (
    WatchSessions,
    forgetful_memories,
    kopf,
    new_settings,
)
from workflowexecution.kube.watch_tap import WatchTap

# kopf watches only what is served when it begins; a run that does not ask for it begins again.
_ASKS_WITHIN_S: Final = 30.0
_STOPS_WITHIN_S: Final = 5.0


class _Everything(Collection[Any]):
    """All tasks there are: kopf would cancel each that was begun after it, whosever it is."""

    def __contains__(self, _: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


class KopfOperator:
    """Runs kopf's operator of one registry, and starts it again when it ends.

    Args:
        registry: of the handlers.
        memo: what handlers are given.
        sessions: through which it watches.
        taps: of all that it watches.
        namespaces: in which it watches; all, where none is named.
        keep_signals: is called after kopf has taken SIGTERM and SIGINT for itself.
    """

    def __init__(
        self,
        registry: kopf.OperatorRegistry,
        memo: object,
        sessions: WatchSessions,
        taps: Sequence[WatchTap],
        namespaces: Sequence[str],
        keep_signals: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._memo = memo
        self._sessions = sessions
        self.taps = taps
        self._namespaces = namespaces
        self._keep_signals = keep_signals
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._name = " and ".join(dict.fromkeys(tap.name for tap in taps))
        self._log = structlog.get_logger("watches").bind(watch=self._name)

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._keep_on(), name=f"kopf of {self._name}")

    async def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_STOPS_WITHIN_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def problem(self) -> str:
        """The reason why it does not watch any more; empty while it does."""
        if self._task is None or not self._task.done():
            return ""
        error = None if self._task.cancelled() else self._task.exception()
        return f"the watch of {self._name} ended: {error or 'stopped'}"

    async def _keep_on(self) -> None:
        """Run kopf again and again, until ``stop`` is called."""
        while not self._stop.is_set():
            why = "it returned"
            try:
                await self._run()
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            if not self._stop.is_set():
                self._log.error("kopf has ended; it begins again", error=why)
                await self._rest(why)

    async def _rest(self, why: str) -> None:
        """Wait a little, each time and each replica differently; nothing is heard meanwhile."""
        for tap in self.taps:
            tap.health.refused(f"kopf has ended: {why}")
        with suppress(TimeoutError):
            async with asyncio.timeout(retry.before_a_restart()):
                await self._stop.wait()

    async def _run(self) -> None:
        """Run kopf once, until it ends or ``stop`` is called."""
        for tap in self.taps:
            tap.was_asked.clear()
        flag, ready = asyncio.Event(), asyncio.Event()
        watchers = [
            asyncio.create_task(self._stop_on_demand(flag)),
            asyncio.create_task(self._stop_in_vain(flag, ready)),
        ]
        try:
            tasks = await kopf.spawn_tasks(
                registry=self._registry,
                settings=new_settings(),
                memories=forgetful_memories(),
                memo=self._memo,
                standalone=True,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=flag,
                ready_flag=ready,
            )
            self._keep_signals()
            await kopf.run_tasks(tasks, ignored=_Everything())
        finally:
            # A task of kopf's waits for the flag, also after its end.
            flag.set()
            for watcher in watchers:
                watcher.cancel()
            await self._sessions.close()

    async def _stop_on_demand(self, flag: asyncio.Event) -> None:
        await self._stop.wait()
        flag.set()

    async def _stop_in_vain(self, flag: asyncio.Event, ready: asyncio.Event) -> None:
        """Stop a run of kopf that has begun, and does not even ask for what it is to watch."""
        await ready.wait()
        try:
            async with asyncio.timeout(_ASKS_WITHIN_S):
                for tap in self.taps:
                    await tap.was_asked.wait()
        except TimeoutError:
            missing = [tap.name for tap in self.taps if not tap.was_asked.is_set()]
            self._log.warning("kopf does not ask for what it is to watch", missing=missing)
            flag.set()
