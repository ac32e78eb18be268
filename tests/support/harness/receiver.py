"""A server on loopback that takes what is posted to it, and answers as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

BOUND_S = 10.0


class Receiver:
    """``taken`` holds headers and body of each request; ``took``, of those answered with success.

    answers: statuses, which are used up first; ``refuses`` gives those after them, by the headers.
    loses: number of requests that are answered with success, and the answer is lost.
    is_open: while it is not set, requests hang.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.took: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.refuses: Callable[[Mapping[str, str]], int] = lambda _: 200
        self.loses = 0
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.url = ""
        self._changed = asyncio.Condition()
        self._loop = asyncio.get_running_loop()

    def release(self) -> None:
        """Answer what hangs, and all that comes; from any thread."""
        self._loop.call_soon_threadsafe(self.is_open.set)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._changed:
            self.taken.append((dict(request.headers), body))
            self._changed.notify_all()
        await self.is_open.wait()
        status = self.answers.pop(0) if self.answers else self.refuses(request.headers)
        if status < 300:
            self.took.append((dict(request.headers), body))
        if self.loses and status < 300:
            self.loses -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=status)

    async def until(self, number: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(BOUND_S), self._changed:
            await self._changed.wait_for(lambda: len(self.taken) >= number)


@asynccontextmanager
async def open_receiver(path: str) -> AsyncIterator[Receiver]:
    """Receive at a path of a free port."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post(path, receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    try:
        yield receiver
    finally:
        receiver.is_open.set()
        await runner.cleanup()
