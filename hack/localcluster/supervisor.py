"""The process above all programs of one cluster: starts them in order and keeps them running.

It lives as long as its standard input stays open: the keeper holds the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import traceback
from pathlib import Path

from localcluster import request
from localcluster.errors import ClusterError
from localcluster.report import Reporter
from localcluster.request import Request
from localcluster.services import Services, die_with_parent
from localcluster.startup import Startup

REAP_SECONDS = 1.0


async def supervise(order: Request, news: Reporter) -> None:
    """Start everything, then stay until told to stop. Raises ClusterError if a start fails."""
    services = Services(order.logs)
    stop = _stop_event()
    starting = asyncio.create_task(Startup(order, services, news).run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            news.ready()
        while not stop.is_set():
            services.reap_orphans()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), REAP_SECONDS)
    finally:
        starting.cancel()
        await services.stop()


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
    if isinstance(error, ClusterError):
        return error
    return ClusterError(repr(error), detail="".join(traceback.format_exception(error)))


def main() -> None:
    """Run as `python -m localcluster.supervisor STATE REPORT_DESCRIPTOR`."""
    die_with_parent()
    news = Reporter(int(sys.argv[2]))
    order = request.load(Path(sys.argv[1]))
    try:
        asyncio.run(supervise(order, news))
    except Exception as error:
        with contextlib.suppress(BrokenPipeError, ValueError):
            news.fail(_first_error(error))
        raise


if __name__ == "__main__":
    main()
