"""A server on loopback that takes what is posted to it, and answers as the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

BOUND_S = 10.0


class Receiver:
    """``taken`` holds headers and body of each request; ``answers`` are used up first, then 200."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.url = ""
        self._changed = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._changed:
            self.taken.append((dict(request.headers), body))
            self._changed.notify_all()
        await self.is_open.wait()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

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
