"""Changes as they were decoded, which wait for the handler that kopf calls for each.

kopf is given a note of a few bytes instead of an object: which change, and the version after it.
It decodes with Python's own decoder, which takes ten times as long as ours and ends at about a
thousand levels.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from workflowexecution.kube.watch_event import WatchEvent

# kopf has a task of 12 to 25 kB for each UID. Handlers only take in and never wait: one task does
# for a whole watch, and keeps the order in which things happened.
_ONE_FOR_ALL: Final = "changes"


class Change(NamedTuple):
    """What has happened (``ADDED``, ``MODIFIED``, ``DELETED``), and to what."""

    kind: str
    changed: dict[str, Any]


class Inbox:
    """Changes by number; each is taken out once."""

    def __init__(self) -> None:
        self._changes: dict[int, Change] = {}
        self._number = 0

    def put(self, event: WatchEvent) -> bytes:
        """Keep one change; the note of it, as a line of a watch."""
        meta: dict[str, Any] = {"uid": _ONE_FOR_ALL, "resourceVersion": event.version}
        told = {"metadata": meta}
        if event.kind != "BOOKMARK":
            self._number += 1
            self._changes[self._number] = Change(event.kind, event.changed)
            meta["generation"] = self._number
        return msgspec.json.encode({"type": event.kind, "object": told}) + b"\n"

    def take(self, told: Mapping[str, Any]) -> Change | None:
        """The change that a note is of; None where kopf has begun anew meanwhile."""
        return self._changes.pop(told["metadata"]["generation"], None)

    def clear(self) -> None:
        """Forget what kopf has not delivered; whoever has it begin anew asks for a resync."""
        self._changes.clear()

    def __len__(self) -> int:
        """Number of changes that wait."""
        return len(self._changes)
