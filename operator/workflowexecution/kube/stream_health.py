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
# A stream that is lost after less silence than this may just have been closed.
_CLOSED_WITHIN_S: Final = 65.0


@dataclass(slots=True)
class _Stream:
    heard_at: float
    content: aiohttp.StreamReader | None = None
    bytes_heard: int = 0
    was_given_time: bool = False
    refused: str = ""

    def note_heard(self, now: float) -> None:
        self.heard_at, self.was_given_time = now, False

    def give_time(self, now: float) -> None:
        """Count from now on after a refusal; where it was just closed, once until it is heard."""
        was_closed = not self.was_given_time and now - self.heard_at < _CLOSED_WITHIN_S
        if self.refused or was_closed:
            self.heard_at, self.was_given_time = now, True


class StreamHealth:
    """State of the streams of one watch, one for each path; safe to use from several threads.

    ``name`` says what is watched, ``monotonic`` gives seconds. A stream that is refused, or opened
    again and again without delivering, counts as silent since it last delivered.
    """

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._streams: dict[str, _Stream] = {}
        self._lock = threading.Lock()

    def opened(self, path: str, content: aiohttp.StreamReader | None = None) -> None:
        """Note that the API server has begun to answer.

        With ``content``, what comes is noticed by ``listen``; without, ``heard`` tells of it.
        """
        now = self._monotonic()
        with self._lock:
            stream = self._streams.setdefault(path, _Stream(now))
            stream.give_time(now)
            stream.content, stream.refused = content, ""
            stream.bytes_heard = content.total_bytes if content else 0

    def refused(self, path: str, why: str) -> None:
        """Note that a stream could not be begun."""
        now = self._monotonic()
        with self._lock:
            self._streams.setdefault(path, _Stream(now)).refused = why

    def heard(self, path: str) -> None:
        """Note that an event or a bookmark has come."""
        with self._lock:
            self._streams[path].note_heard(self._monotonic())

    def listen(self) -> None:
        """Note which streams have delivered since the last call; to be called every second."""
        now = self._monotonic()
        with self._lock:
            for stream in self._streams.values():
                content = stream.content
                if content is not None and content.total_bytes > stream.bytes_heard:
                    stream.bytes_heard = content.total_bytes
                    stream.note_heard(now)

    def silence(self) -> float:
        """Seconds since the stream that is silent longest was heard."""
        now = self._monotonic()
        with self._lock:
            return max((now - one.heard_at for one in self._streams.values()), default=0.0)

    def not_ready(self) -> str:
        """Why what is known may be out of date; empty while every stream delivers."""
        with self._lock:
            refusals = [one.refused for one in self._streams.values() if one.refused]
        if refusals:
            return f"the watch of {self._name} is refused: {refusals[0]}"
        return self._silent_for(SILENCE_LIMIT_S)

    def not_alive(self) -> str:
        """Why a new process may do better than this one; empty while there is no reason."""
        return self._silent_for(DEAD_AFTER_S)

    def _silent_for(self, limit: float) -> str:
        silence = self.silence()
        if silence < limit:
            return ""
        return f"the watch of {self._name} has delivered nothing for {silence:.0f} s"
