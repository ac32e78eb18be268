"""The status page as a whole: the operator starts it, notifies it of changes, and stops it."""

import asyncio
from typing import Any, Final

import aiohttp
import structlog

from workflowexecution.kube.access import Access
from workflowexecution.kube.client import ApiClient
from workflowexecution.manager.view import OperatorView
from workflowexecution.observe.web_server import WebServer
from workflowexecution.page.gate import ClusterGate, Gate, LoopbackGate
from workflowexecution.page.limits import Streams
from workflowexecution.page.recent import IDLE_S, Keeper
from workflowexecution.page.server import Server
from workflowexecution.page.sources import Sources

# A separate pool: visitors must not take connections from the operator.
_CONNECTIONS: Final = 4
_SHUTDOWN_S: Final = 2.0
_LOOPBACK: Final = "127.0.0.1"


class StatusPage:
    """Serves the page; it is an EventListener, so that it follows the operator's watches.

    While no visitor looks, it sends no requests and keeps no objects.
    """

    def __init__(self, access: Access, *, is_for_loopback: bool, audience: str = "") -> None:
        self._access = access
        self._audience = audience
        self._is_for_loopback = is_for_loopback
        self._streams = Streams()
        self._keeper: Keeper | None = None
        self._session: aiohttp.ClientSession | None = None
        self._web: WebServer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, view: OperatorView, address: str, port: int) -> None:
        """Start to serve the data of an operator; a page for loopback ignores `address`.

        Raises: OSError where the port is taken.
        """
        self._session = self._access.open_session(connections=_CONNECTIONS)
        client = ApiClient(self._session, self._access.server)
        gate: Gate = (
            LoopbackGate() if self._is_for_loopback else ClusterGate(client, self._audience)
        )
        sources = Sources(client, view)
        self._keeper = Keeper(sources.fill, self._streams.changed)
        server = Server(view, sources, gate, self._streams, self._keeper.look)
        self._web = WebServer(
            server.application(),
            shutdown_timeout=_SHUTDOWN_S,
            # Otherwise a closed stream counts for its visitor until the next write to it.
            handler_cancellation=True,
        )
        where = _LOOPBACK if self._is_for_loopback else address
        bound = await self._web.start(where, port)
        self._tasks = [
            asyncio.create_task(self._streams.notify(), name="page streams"),
            asyncio.create_task(self._forget(self._keeper), name="page memory"),
        ]
        log = structlog.get_logger("page")
        log.info("status page", page_port=bound, is_for_loopback=self._is_for_loopback)

    async def close(self) -> None:
        """Stop serving."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._keeper is not None:
            await self._keeper.close()
        if self._web is not None:
            await self._web.close()
        if self._session is not None:
            await self._session.close()

    def on_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        """See EventListener."""
        if self._keeper is not None:
            self._keeper.heard_of_execution(event_type, raw)

    def on_run(self, event_type: str, raw: dict[str, Any]) -> None:
        """See EventListener."""
        if self._keeper is not None:
            self._keeper.heard_of_run()

    def missed(self) -> None:
        """See EventListener."""
        if self._keeper is not None:
            self._keeper.missed()

    async def _forget(self, keeper: Keeper) -> None:
        while True:
            await asyncio.sleep(IDLE_S / 10)
            keeper.forget_if_idle()
