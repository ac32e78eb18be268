"""One watch as the API server is asked for it, and one event of it as it is read."""

from typing import Any, Final, NamedTuple

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.kube.decoding import Decode, decode_whole

# The server ends a stream after this time, so that each is opened anew now and then.
LASTS_S: Final = 300
# Bookmarks come about once a minute: a connection that is silent for longer may be dead.
SILENCE_S: Final = 75.0
# Between two streams: one that ends as soon as it has begun is not opened again at once.
PAUSE_S: Final = 1.0


class WatchEvent(NamedTuple):
    """What has happened (``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK``), to what, by when."""

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

    Raises: UnavailableError where it is no event; ApiError where it tells of an error.
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
        # It is a Status, whatever is watched.
        status = reading.mapping(decode_whole(line), "object")
        code, reason = status.get("code", 0), reading.text(status, "reason")
        raise errors.error_for(code, reason, f"{path}: {status.get('message')}")
    return WatchEvent(kind, changed, version)
