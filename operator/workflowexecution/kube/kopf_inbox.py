"""Changes that were decoded and wait for the handler that kopf calls.

kopf gets a note of a few bytes instead of objects: the number of a parcel of changes, and the
version after them. kopf decodes with Python's own decoder, which takes ten times as long as ours
and ends at about a thousand levels; and one call of a handler costs kopf as much as ten changes
cost us, so changes that come at once share a note.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

# kopf has a task of 12 to 25 kB for each UID. Handlers only take in and never wait: one task is
# enough for a whole watch, and keeps the order in which things happened.
_ONE_FOR_ALL: Final = "changes"


class Change(NamedTuple):
    """The type of an event (``ADDED``, ``MODIFIED``, ``DELETED``) and its object."""

    kind: str
    changed: dict[str, Any]


class Inbox:
    """Holds parcels of changes by number; each is taken out once."""

    def __init__(self) -> None:
        self._parcels: dict[int, Sequence[Change]] = {}
        self._number = 0

    def put(self, changes: Sequence[Change], version: str) -> bytes:
        """Keep changes; the note of them, as a line of a watch. Without changes, a bookmark."""
        meta: dict[str, Any] = {"uid": _ONE_FOR_ALL, "resourceVersion": version}
        note = {"metadata": meta}
        if not changes:
            return _line("BOOKMARK", note)
        self._number += 1
        self._parcels[self._number] = changes
        meta["generation"] = self._number
        return _line("MODIFIED", note)

    def take(self, note: Mapping[str, Any]) -> Sequence[Change]:
        """The changes that a note is of; none where kopf has begun again meanwhile."""
        return self._parcels.pop(note["metadata"]["generation"], ())

    def clear(self) -> None:
        """Forget what kopf has not delivered; a resync follows where kopf begins again."""
        self._parcels.clear()

    def __len__(self) -> int:
        """Number of changes that wait."""
        return sum(map(len, self._parcels.values()))


def _line(kind: str, note: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": note}) + b"\n"
