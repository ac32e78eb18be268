"""The answers of the API server: how they are decoded, and whether a watch goes on delivering.

An answer is decoded whole, or only the fields that are read. A watch is one answer that does not
end, with an event in each line.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import msgspec

from workflowexecution.api import reading
from workflowexecution.kube import errors

# From JSON to what it holds. Raises: ValueError where the text is no JSON.
Decode = Callable[[bytes], Any]

# The API server takes objects that are nested 10,000 deep; Python's own limit is a tenth of it.
_DEEPEST: Final = 12_000
_STACK_BYTES: Final = 64 * 2**20

_WHOLE: Final = msgspec.json.Decoder()

# The server ends a stream after this time, so that each is opened again from time to time.
LASTS_S: Final = 300
# Bookmarks come about once a minute: a connection that is silent for longer may be dead.
SILENCE_S: Final = 75.0
# Between two streams: one that ends as soon as it has begun is not opened again at once.
PAUSE_S: Final = 1.0
# The API server sends a bookmark about every minute where nothing happens.
SILENCE_LIMIT_S: Final = 90.0
# kubelet restarts the operator some seconds later; a fresh process may fare better.
DEAD_AFTER_S: Final = 110.0
# A stream that is lost after less silence than this may just have been closed.
_CLOSED_WITHIN_S: Final = 65.0


def decode_whole(text: bytes) -> Any:
    """Decode everything. Raises: ValueError where the text is no JSON."""
    return _decode(_WHOLE, text)


def decode_only(shape: Any) -> Decode:
    """Decode no more than what a ``TypedDict`` names; what has another shape is decoded whole."""
    decoder = msgspec.json.Decoder(shape)

    def decode(text: bytes) -> Any:
        try:
            return _decode(decoder, text)
        except msgspec.ValidationError:
            # One odd object must not cost the sight of all others: its reader copes with it.
            return decode_whole(text)

    return decode


def _decode(decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except RecursionError:
        return _decode_deep(decoder, text)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def _decode_deep(decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:
    """Decode what is nested deeper than Python allows; ValueError where it is too deep for us.

    In a thread, because the stack of the main one may be too small. Not to decode it would cost
    the sight of everything that comes after it in the same stream, or beside it in a list.
    """
    with _deep_recursion(), ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(decoder.decode, text).result()
        except RecursionError as error:
            raise ValueError(str(error)) from error


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Threads begun within the block have room for the deepest recursion, which is allowed."""
    limit, stack = sys.getrecursionlimit(), threading.stack_size(_STACK_BYTES)
    sys.setrecursionlimit(_DEEPEST)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)


class WatchEvent(NamedTuple):
    """The type (``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK``), the object, its version."""

    kind: str
    changed: dict[str, Any]
    version: str


def watch_query(version: str) -> dict[str, str]:
    """The query for all changes since a resource version."""
    return {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(LASTS_S),
    }


def read_event(line: bytes, path: str, decode: Decode = decode_whole) -> WatchEvent:
    """Read one line of a watch of a path.

    Raises: UnavailableError where it is no event; ApiError where it reports an error.
    """
    try:
        event = decode(line)
        kind, changed = event["type"], event["object"]
        version = "" if kind == "ERROR" else changed["metadata"]["resourceVersion"]
    except (ValueError, LookupError, TypeError) as error:
        # It is not quoted: it may be half of somebody's object.
        told = f"{path}: {len(line)} bytes that are no event"
        raise errors.UnavailableError(told) from error
    if kind == "ERROR":
        # The object of an error is a Status.
        status = reading.mapping(decode_whole(line), "object")
        code, reason = status.get("code", 0), reading.text(status, "reason")
        raise errors.error_for(code, reason, f"{path}: {status.get('message')}")
    return WatchEvent(kind, changed, version)


class StreamHealth:
    """State of one watch, which is one stream after the other.

    ``name`` says what is watched, ``monotonic`` gives seconds. A watch whose streams are refused,
    or opened again and again without delivering, counts as silent since it last delivered.
    """

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._heard_at: float | None = None
        self._was_given_time = False
        self._refused = ""
        self._needs_a_person = False

    def opened(self) -> None:
        """Note that the API server has begun to answer.

        Silence counts from now on after a refusal; where a stream was just closed, it does so once
        until something is heard.
        """
        was_closed = not self._was_given_time and self.silence() < _CLOSED_WITHIN_S
        if self._refused or was_closed:
            self._heard_at, self._was_given_time = self._monotonic(), True
        self._refused = ""

    def refused(self, why: str, *, needs_a_person: bool = False) -> None:
        """Note that a stream could not be begun, and whether somebody has to change that."""
        if self._heard_at is None:
            self._heard_at = self._monotonic()
        self._refused, self._needs_a_person = why, needs_a_person

    def heard(self) -> None:
        """Note that an event or a bookmark has come."""
        self._heard_at, self._was_given_time = self._monotonic(), False

    def silence(self) -> float:
        """Seconds since something was heard."""
        return 0.0 if self._heard_at is None else self._monotonic() - self._heard_at

    def not_ready(self) -> str:
        """The reason why known facts may be out of date; empty while it delivers."""
        if self._refused:
            return f"the watch of {self._name} is refused: {self._refused}"
        return self._silent_for(SILENCE_LIMIT_S)

    def stale_reason(self) -> str:
        """Return why events may be missing; empty also while a refusal may soon pass.

        Always the same words for the same reason.
        """
        if self._refused and self._needs_a_person:
            return f"the watch of {self._name} is refused: {self._refused}"
        return f"the watch of {self._name} is silent" if self._silent_for(SILENCE_LIMIT_S) else ""

    def not_alive(self) -> str:
        """The reason why a new process may do better than this one; empty while there is none."""
        return self._silent_for(DEAD_AFTER_S)

    def _silent_for(self, limit: float) -> str:
        silence = self.silence()
        if silence < limit:
            return ""
        return f"the watch of {self._name} has delivered nothing for {silence:.0f} s"
