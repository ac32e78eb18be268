"""Probes and metrics over HTTP, as kubelet and Prometheus ask."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from workflowexecution.observe.metrics import Metrics
from workflowexecution.observe.web_server import Health, HttpServer

Ports = tuple[int, int]


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest_asyncio.fixture
async def ports(health: Health, metrics: Metrics) -> AsyncIterator[Ports]:
    server = HttpServer(health, metrics)
    yield await server.start("127.0.0.1", probes_port=0, metrics_port=0)
    await server.close()


async def get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_what_is_out_of_date_is_not_ready_but_alive(ports: Ports, health: Health) -> None:
    health.not_ready = ""
    health.not_current = lambda: "the watch of pods is refused"
    assert await get(ports[0], "/readyz") == (503, "the watch of pods is refused")
    assert await get(ports[0], "/healthz") == (200, "ok")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_an_empty_address_is_every_one_of_both_families(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server = HttpServer(Health(), Metrics())
    await server.start("", probes_port=port, metrics_port=0)
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{host}:{port}/healthz") as answer,
        ):
            assert answer.status == 200
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("not_ready", "not_alive", "readyz", "healthz"),
    [
        pytest.param("starting", "", (503, "starting"), (200, "ok"), id="not-yet-ready"),
        pytest.param("", "", (200, "ok"), (200, "ok"), id="ready"),
        pytest.param("", "it ended", (503, "it ended"), (503, "it ended"), id="watch-ended"),
        pytest.param("stopping", "it ended", (503, "stopping"), (503, "it ended"), id="stopping"),
    ],
)
async def test_probes_say_what_is_wrong(
    health: Health,
    ports: Ports,
    not_ready: str,
    not_alive: str,
    readyz: tuple[int, str],
    healthz: tuple[int, str],
) -> None:
    health.not_ready, health.not_alive = not_ready, lambda: not_alive
    assert await get(ports[0], "/readyz") == readyz
    assert await get(ports[0], "/healthz") == healthz


async def test_an_operator_that_starts_is_alive_but_not_ready(ports: Ports) -> None:
    assert await get(ports[0], "/readyz") == (503, "starting")
    assert await get(ports[0], "/healthz") == (200, "ok")


async def test_each_port_serves_its_own(ports: Ports) -> None:
    assert (await get(ports[0], "/metrics"))[0] == 404
    assert (await get(ports[1], "/healthz"))[0] == 404


async def test_every_series_is_there_from_the_start(metrics: Metrics, ports: Ports) -> None:
    metrics.runs_created.inc()
    status, text = await get(ports[1], "/metrics")
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert status == 200
    assert told['workflowexecution_total{outcome="Completed"}'] == "0.0"
    assert told['workflowexecution_total{outcome="Failed"}'] == "0.0"
    assert told['workflowexecution_total{outcome="Skipped"}'] == "0.0"
    assert told['workflowexecution_skip_total{reason="ResourceBusy"}'] == "0.0"
    assert told['workflowexecution_skip_total{reason="RecentlyRemediated"}'] == "0.0"
    assert told["workflowexecution_pipelinerun_creation_total"] == "1.0"
    assert told["workflowexecution_lock_violations_total"] == "0.0"
    assert not [name for name in told if "_created" in name]


async def test_a_port_that_is_taken_is_told(ports: Ports, metrics: Metrics) -> None:
    second = HttpServer(Health(), metrics)
    with pytest.raises(OSError, match="address already in use"):
        await second.start("127.0.0.1", probes_port=ports[0], metrics_port=0)
    await second.close()
