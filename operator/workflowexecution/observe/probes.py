"""HTTP for kubelet and Prometheus: /healthz, /readyz and /metrics."""

from collections.abc import Callable
from dataclasses import dataclass

import prometheus_client
from aiohttp import web

from workflowexecution.observe.metrics import Metrics
from workflowexecution.observe.web_server import WebServer


@dataclass(slots=True)
class Health:
    """State the probes tell; each text says what is wrong, empty when nothing is.

    ``not_current`` is about what is known of the cluster, and who serves it: while it says
    something, one is not ready.
    """

    not_ready: str = "starting"
    not_alive: Callable[[], str] = lambda: ""
    not_current: Callable[[], str] = lambda: ""


class HttpServer:
    """Serves probes and metrics on two ports of one address."""

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics
        self._servers: list[WebServer] = []

    async def start(self, address: str, *, probes_port: int, metrics_port: int) -> tuple[int, int]:
        """Start serving.

        Returns: the ports really bound, probes then metrics.
        Raises: OSError where a port is taken.
        """
        probes = await self._serve(
            address, probes_port, {"/healthz": self._healthz, "/readyz": self._readyz}
        )
        return probes, await self._serve(address, metrics_port, {"/metrics": self._serve_metrics})

    async def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            await server.close()

    async def _serve(
        self,
        address: str,
        port: int,
        routes: dict[str, Callable[[web.Request], object]],
    ) -> int:
        app = web.Application()
        app.add_routes([web.get(path, handler) for path, handler in routes.items()])  # type: ignore[arg-type]
        server = WebServer(app)
        self._servers.append(server)
        return await server.start(address, port)

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self._health.not_alive())

    async def _readyz(self, _: web.Request) -> web.Response:
        health = self._health
        return _answer(health.not_ready or health.not_alive() or health.not_current())

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        body = prometheus_client.generate_latest(self._metrics.registry)
        return web.Response(
            body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST}
        )


def _answer(problem: str) -> web.Response:
    return web.Response(text=problem or "ok", status=503 if problem else 200)
