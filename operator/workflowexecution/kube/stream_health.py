"""Whether watch streams deliver, judged by what has come over each: events or bookmarks."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

# The API server sends a bookmark about every minute where nothing happens.
SILENCE_LIMIT_S: Final = 90.0
# kubelet restarts the operator some seconds later; a fresh process may fare better.
DEAD_AFTER_S: Final = 110.0


@dataclass(slots=True)
class _Stream:
    heard_at: float
    content: aiohttp.StreamReader | None = None
    bytes_heard: int = 0
    refused: str = ""


class StreamHealth:
    """State of the streams of one watch, one for each path; safe to use from several threads.

    ``monotonic`` gives seconds. A stream that is refused counts as silent since it last delivered.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._streams: dict[str, _Stream] = {}
        self._lock = threading.Lock()

    def opened(self, path: str, content: aiohttp.StreamReader) -> None:
        """Note that the API server has begun to answer."""
        now = self._monotonic()
        with self._lock:
            self._streams[path] = _Stream(now, content, content.total_bytes)

    def refused(self, path: str, why: str) -> None:
        """Note that a stream could not be begun."""
        now = self._monotonic()
        with self._lock:
            self._streams.setdefault(path, _Stream(now)).refused = why

    def listen(self) -> None:
        """Note which streams have delivered since the last call; to be called every second."""
        now = self._monotonic()
        with self._lock:
            for stream in self._streams.values():
                _listen(stream, now)

    def silence(self) -> float:
        """Seconds since the stream that is silent longest was heard."""
        now = self._monotonic()
        with self._lock:
            return max((now - one.heard_at for one in self._streams.values()), default=0.0)

    def refusal(self) -> str:
        """Why a stream is not open; empty while all are."""
        with self._lock:
            return next((one.refused for one in self._streams.values() if one.refused), "")


def _listen(stream: _Stream, now: float) -> None:
    content = stream.content
    if content is not None and content.total_bytes > stream.bytes_heard:
        stream.bytes_heard, stream.heard_at = content.total_bytes, now
