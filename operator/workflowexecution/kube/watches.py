"""kopf as the watch layer: it delivers events, in a thread of its own, and does nothing else.

kopf takes signals, cancels whatever it finds in its event loop when it ends, and may end by
itself; in its own thread none of that touches a reconcile under way.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import structlog

from workflowexecution.kube.access import Access
from workflowexecution.kube.client import PAGE
from workflowexecution.kube.kopf_storage import NoDiffBase, NoProgress
from workflowexecution.kube.slim_kopf import kopf
from workflowexecution.kube.stream_health import StreamHealth

Deliver = Callable[[str | None, dict[str, Any]], None]

_CONNECTIONS: Final = 8
_RELOGIN_PAUSE_S: Final = 5.0
_REWATCH_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What one watch is about.

    namespaces: empty means all.
    fields: a field selector. An object that no longer matches it is told of as DELETED.
    """

    group: str
    version: str
    plural: str
    namespaces: tuple[str, ...] = ()
    fields: str = ""


class _EndlessBackoff:
    """Delays between kopf's repeats of a request: it must outlast any outage, not exit."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.2, 0.5, 1, 2, 5)
        while True:
            yield 10


class Watch:
    """Watches one kind of object until stopped.

    One thread for each kind, so that each is watched in its own namespaces and with no more
    rights than that takes. ``deliver(event type or None for listed, object)`` is called in the
    event loop that made the watch.
    """

    def __init__(self, access: Access, subject: Subject, deliver: Deliver) -> None:
        self.name = subject.plural
        self.health = StreamHealth(subject.plural, time.monotonic)
        self._access = access
        self._subject = subject
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._has_begun = asyncio.Event()
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._logins = 0
        self._begun_at: dict[str, float] = {}
        self._failure = ""
        self._has_ended = False
        self._log = structlog.get_logger("watches").bind(watch=subject.plural)

    def start(self) -> None:
        """Start watching."""
        self._thread = threading.Thread(
            target=self._run, name=f"watch {self._subject.plural}", daemon=True
        )
        self._thread.start()

    async def has_begun(self) -> None:
        """Wait until the first list is complete and changes since then are being watched.

        Raises: RuntimeError where the watch ended before.
        """
        await self._has_begun.wait()
        if problem := self.problem():
            raise RuntimeError(problem)

    async def stop(self) -> None:
        """Stop watching and wait until the thread has ended."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 15)

    def problem(self) -> str:
        """What keeps the watch from delivering for good; empty while it runs."""
        if self._has_ended or self._thread is None:
            return f"the watch of {self._subject.plural} ended: {self._failure or 'stopped'}"
        return ""

    def task_count(self) -> int:
        """Number of tasks in the loop of its thread; callable from any thread."""
        return len(asyncio.all_tasks(self._own_loop)) if self._own_loop else 0

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception as error:
            self._failure = str(error) or type(error).__name__
            self._log.error("the watch ended", error=self._failure, exc_info=error)
        finally:
            self._has_ended = True
            # Nobody may wait for a list that does not come any more.
            self._loop.call_soon_threadsafe(self._has_begun.set)

    async def _watch(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        self._own_loop.set_exception_handler(self._on_loop_error)
        registry, subject = kopf.OperatorRegistry(), self._subject
        kopf.on.login(registry=registry)(self._login)
        kopf.on.event(subject.group, subject.version, subject.plural, registry=registry)(
            self._on_event
        )
        try:
            await kopf.operator(
                registry=registry,
                settings=_settings(subject),
                standalone=True,
                clusterwide=not subject.namespaces,
                namespaces=subject.namespaces,
                stop_flag=self._stop,
            )
        finally:
            # kopf waits for the flag in a thread of the loop: unset, it would keep the loop, and
            # a watch that has failed would look alive for ever.
            self._stop.set()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Leave in peace what kopf could not close in time: its loop ends, nothing is lost."""
        if self._stop.is_set():
            self._log.debug("kopf left something open", problem=context["message"])
        else:
            loop.default_exception_handler(context)

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        """Open the session kopf works with; again whenever its credentials were refused."""
        if self._logins:
            await asyncio.sleep(_RELOGIN_PAUSE_S)
        self._logins += 1
        session = self._access.open_session(
            connections=_CONNECTIONS, middlewares=(self._attend_to_streams,)
        )
        return kopf.AiohttpSession(server=self._access.server, aiohttp_session=session)

    async def _attend_to_streams(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Notice when watching begins, and what becomes of it: kopf tells nobody."""
        if request.url.query.get("watch") != "true":
            return await handler(request)
        # It lists first and then watches.
        self._loop.call_soon_threadsafe(self._has_begun.set)
        path = request.url.path
        await self._pause_before(path)
        try:
            response = await handler(request)
        except (aiohttp.ClientError, OSError) as error:
            self.health.refused(path, str(error) or type(error).__name__)
            raise
        if response.status == HTTPStatus.OK:
            self.health.opened(path, response.content)
        else:
            self.health.refused(path, f"{response.status} {response.reason}")
        return response

    async def _pause_before(self, path: str) -> None:
        """Hold back a stream that was ended as soon as it had begun: kopf makes no pause."""
        now = time.monotonic()
        due_at = self._begun_at.get(path, float("-inf")) + _REWATCH_PAUSE_S
        self._begun_at[path] = max(now, due_at)
        await asyncio.sleep(max(due_at - now, 0))

    async def _on_event(self, event: Any, **_: Any) -> None:
        self._loop.call_soon_threadsafe(self._deliver, event["type"], dict(event["object"]))


def _settings(subject: Subject) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    if subject.fields:
        settings.watching.field_selectors[subject.group, subject.plural] = subject.fields
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.queueing.idle_timeout = 0.5
    settings.queueing.exit_timeout = 0.2
    settings.networking.request_timeout = 15
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = _EndlessBackoff()
    settings.watching.chunk_size = PAGE
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 5
    settings.watching.reconnect_backoff = 1
    return settings
