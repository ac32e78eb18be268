"""Our own watch of one kind of object, in the event loop that everything else runs in.

It begins where the API server is now and lists nothing. Whoever starts it lists after that, so
that nothing falls between the two; where changes may have been missed, it says so.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

from workflowexecution.api import reading
from workflowexecution.kube import errors, retry
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.decoding import Decode, decode_whole
from workflowexecution.kube.stream_health import StreamHealth
from workflowexecution.kube.watch_event import PAUSE_S, SILENCE_S, read_event, watch_query

Deliver = Callable[[str, dict[str, Any]], None]


class ChangeStream:
    """Delivers every change of the objects at a path, ``(event type, object)``, until stopped.

    ``decode`` reads a line, as far as is needed. ``deliver`` never raises. ``on_gap`` is called
    when changes may have been missed and a new beginning has been found: a list that is asked for
    from then on holds all that was missed.
    """

    def __init__(
        self,
        client: ApiClient,
        path: str,
        deliver: Deliver,
        on_gap: Callable[[], None],
        decode: Decode = decode_whole,
    ) -> None:
        self.name = path.rpartition("/")[2]
        self.health = StreamHealth(self.name, time.monotonic)
        self._client = client
        self._path = path
        self._deliver = deliver
        self._on_gap = on_gap
        self._decode = decode
        self._version = ""
        self._has_gap = False
        self._has_begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("watches").bind(watch=self.name)

    def start(self) -> None:
        """Start watching."""
        self._task = asyncio.create_task(self._watch(), name=f"watch {self.name}")

    async def has_begun(self) -> None:
        """Wait until it is known from where on changes are delivered."""
        await self._has_begun.wait()

    async def stop(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def problem(self) -> str:
        """Why it does not watch any more; empty while it does."""
        if self._task is None or not self._task.done():
            return ""
        error = None if self._task.cancelled() else self._task.exception()
        return f"the watch of {self.name} ended: {error or 'stopped'}"

    def doubt(self) -> str:
        """Why there may be much that was not delivered; empty while there is no reason."""
        return self.problem() or self.health.doubt()

    async def _watch(self) -> None:
        """Follow one stream after the other; no answer of the API server ends this."""
        while True:
            await retry.until_it_succeeds(self._follow, on=errors.ApiError, report=self._report)
            await asyncio.sleep(PAUSE_S)

    def _report(self, error: BaseException, attempt: int) -> None:
        is_for_a_person = isinstance(error, errors.ForbiddenError | errors.NotFoundError)
        self.health.refused(str(error), needs_a_person=is_for_a_person)
        self._log.warning("the watch is refused", error=str(error), attempt=attempt)

    async def _follow(self) -> None:
        """Follow one stream to its end.

        Raises: ApiError where it could not be opened.
        """
        is_open = False
        try:
            if not self._version:
                await self._begin()
            query = watch_query(self._version)
            async with self._client.stream(self._path, query, silence=SILENCE_S) as lines:
                is_open = True
                self._opened()
                async for line in lines:
                    self._take_in(line)
        except errors.GoneError:
            self._version = ""
        except errors.ApiError as error:
            if not is_open:
                raise
            self._log.debug("the stream was lost", error=str(error))

    async def _begin(self) -> None:
        """Find out where the API server is now."""
        page = await self._client.request("GET", self._path, params={"limit": "1"})
        self._version = reading.text(reading.mapping(page, "metadata"), "resourceVersion")
        self._has_gap = self._has_begun.is_set()
        self._has_begun.set()

    def _opened(self) -> None:
        self.health.opened()
        if self._has_gap:
            self._has_gap = False
            self._on_gap()

    def _take_in(self, line: bytes) -> None:
        """Take in one line of a stream; raises ApiError where it tells of an error."""
        event = read_event(line, self._path, self._decode)
        self.health.heard()
        if event.kind != "BOOKMARK":
            self._deliver(event.kind, event.changed)
        self._version = event.version
