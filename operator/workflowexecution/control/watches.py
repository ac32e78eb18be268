"""kopf as the watch layer: it delivers events, in a thread of its own, and does nothing else.

kopf takes signals, cancels whatever it finds in its event loop when it ends, and may end by
itself; in its own thread none of that touches a reconcile under way.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import kopf
import structlog

from workflowexecution.api import identity
from workflowexecution.control.access import Access
from workflowexecution.control.stateless import NoDiffBase, NoProgress
from workflowexecution.core import names

Deliver = Callable[[str, str | None, dict[str, Any]], None]

EXECUTIONS: Final = "executions"
RUNS: Final = "runs"
_CONNECTIONS: Final = 16
_RELOGIN_PAUSE_S: Final = 5.0


class _EndlessBackoff:
    """Delays between kopf's repeats of a request: it must outlast any outage, not exit."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.2, 0.5, 1, 2, 5)
        while True:
            yield 10


class Watches:
    """Watches executions and runs until stopped.

    ``deliver(kind, event type or None for listed, object)`` is called in the caller's event loop.
    """

    def __init__(
        self,
        access: Access,
        deliver: Deliver,
        *,
        execution_namespace: str,
        watch_namespaces: tuple[str, ...],
    ) -> None:
        self._access = access
        self._deliver = deliver
        self._execution_namespace = execution_namespace
        self._watch_namespaces = watch_namespaces
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._logins = 0
        self._failure = ""
        self._log = structlog.get_logger("watches")

    def start(self) -> None:
        """Start watching, in a thread of its own."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Stop watching and wait until the thread has ended."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 15)

    def problem(self) -> str:
        """What keeps the watches from delivering; empty while they run."""
        if self._thread is None or not self._thread.is_alive():
            return f"the watches have ended: {self._failure or 'stopped'}"
        return ""

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception as error:
            self._failure = str(error) or type(error).__name__
            self._log.error("the watches have ended", error=self._failure, exc_info=error)

    async def _watch(self) -> None:
        namespaces = {*self._watch_namespaces, self._execution_namespace}
        await kopf.operator(
            registry=self._registry(),
            settings=_settings(),
            standalone=True,
            clusterwide=not self._watch_namespaces,
            namespaces=sorted(namespaces) if self._watch_namespaces else (),
            stop_flag=self._stop,
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        kopf.on.event(
            identity.GROUP, identity.VERSION, identity.PLURAL, registry=registry, id=EXECUTIONS
        )(self._on_execution)
        kopf.on.event("tekton.dev", "v1", "pipelineruns", registry=registry, id=RUNS)(self._on_run)
        return registry

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        """Open the session kopf works with; again whenever its credentials were refused."""
        if self._logins:
            await asyncio.sleep(_RELOGIN_PAUSE_S)
        self._logins += 1
        session = self._access.open_session(connections=_CONNECTIONS)
        return kopf.AiohttpSession(server=self._access.server, aiohttp_session=session)

    async def _on_execution(self, event: Any, **_: Any) -> None:
        namespace = event["object"]["metadata"].get("namespace")
        if not self._watch_namespaces or namespace in self._watch_namespaces:
            self._hand_over(EXECUTIONS, event)

    async def _on_run(self, event: Any, **_: Any) -> None:
        self._hand_over(RUNS, event)

    def _hand_over(self, kind: str, event: Any) -> None:
        self._loop.call_soon_threadsafe(self._deliver, kind, event["type"], dict(event["object"]))


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.queueing.idle_timeout = 0.5
    settings.networking.request_timeout = 15
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = _EndlessBackoff()
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 5
    settings.watching.reconnect_backoff = 1
    settings.watching.label_selectors["tekton.dev", "pipelineruns"] = names.KEY_EXECUTION
    return settings
