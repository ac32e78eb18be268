"""The process above all programs of one cluster: starts them in order and keeps them running.

It lives as long as its standard input stays open: the keeper holds the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from localcluster import objects, ports, request, tekton
from localcluster.cluster import Cluster
from localcluster.controlplane import ControlPlane, Endpoint
from localcluster.errors import ClusterError
from localcluster.programs import Tier
from localcluster.report import Reporter
from localcluster.request import Request
from localcluster.services import Services, die_with_parent

REAP_SECONDS = 1.0


class Supervisor:
    """Builds one cluster up, step by step."""

    def __init__(self, order: Request, news: Reporter) -> None:
        self._order = order
        self._news = news
        (order.state / "logs").mkdir()
        self._services = Services(order.state / "logs")

    async def run(self) -> None:
        """Start everything, then stay until told to stop. Raises ClusterError if a start fails."""
        stop = _stop_event()
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                self._news.ready()
            while not stop.is_set():
                self._services.reap_orphans()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), REAP_SECONDS)
        finally:
            starting.cancel()
            await self._services.stop()

    async def _start(self) -> None:
        port, registry = ports.free(2)
        endpoint = Endpoint("127.0.0.1", port, f"https://127.0.0.1:{port}")
        with_registry = self._order.tier.serves(Tier.TEKTON)
        cluster = Cluster(
            tier=self._order.tier,
            state=self._order.state,
            server=endpoint.inner,
            token=secrets.token_hex(16),
            registry=f"127.0.0.1:{registry}" if with_registry else None,
            programs=self._order.programs,
        )
        await self._start_control_plane(cluster, ControlPlane(cluster, endpoint))
        replace(cluster, server=endpoint.public).save()

    async def _start_control_plane(self, cluster: Cluster, plane: ControlPlane) -> None:
        self._news.step("starting etcd and the API server")
        await _together(*(self._services.start(one) for one in plane.storage_and_server()))
        self._news.step("starting the controllers, applying custom resource definitions")
        await _together(
            self._services.start(plane.controller_manager()),
            self._apply_crds(cluster),
        )

    async def _apply_crds(self, cluster: Cluster) -> None:
        crds = tekton.crds(self._order.tekton_config, converting=False)
        crds += objects.read_folder(self._order.crds)
        await objects.apply_all(cluster, crds)
        for crd in crds:
            await objects.until_established(cluster, crd)


async def _together(*steps: Coroutine[Any, Any, None]) -> None:
    """Run steps at the same time; the first error cancels the others and is raised."""
    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(step)


def _stop_event() -> asyncio.Event:
    """An event set by SIGTERM, SIGINT, or the end of standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def on_input() -> None:
        loop.remove_reader(sys.stdin)
        stop.set()

    loop.add_reader(sys.stdin, on_input)
    return stop


def _first_error(error: BaseException) -> ClusterError:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, ClusterError) else ClusterError(repr(error))


def main() -> None:
    """Run as `python -m localcluster.supervisor STATE REPORT_DESCRIPTOR`."""
    die_with_parent()
    news = Reporter(int(sys.argv[2]))
    order = request.load(Path(sys.argv[1]))
    try:
        asyncio.run(Supervisor(order, news).run())
    except (ClusterError, ExceptionGroup, OSError) as error:
        with contextlib.suppress(BrokenPipeError):
            news.fail(_first_error(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
