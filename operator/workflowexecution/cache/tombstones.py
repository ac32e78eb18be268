"""Which of two versions of an object is older, also of one that was let go of a moment ago."""

from collections import OrderedDict
from typing import Final

# Far more than can be under way between a write and its echo on a watch; a bound, not a record.
_KEPT: Final = 4096


class Tombstones:
    """The last few thousand objects by UID, each with its last known resource version."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, str] = OrderedDict()

    def note(self, uid: str, version: str) -> None:
        """Remember an object; the oldest is forgotten where there are too many."""
        if not uid:
            return
        self._versions[uid] = version
        self._versions.move_to_end(uid)
        if len(self._versions) > _KEPT:
            self._versions.popitem(last=False)

    def knows(self, uid: str) -> bool:
        """Whether this object is remembered."""
        return uid in self._versions

    def has(self, uid: str, version: str) -> bool:
        """Whether this is the version of an object that is remembered."""
        return self._versions.get(uid) == version

    def is_older(self, uid: str, version: str) -> bool:
        """Whether this version of an object is older than the one remembered."""
        return is_older(version, self._versions.get(uid, ""))


def is_older(seen: str, known: str) -> bool:
    """Compare resource versions, which the API server promises to be growing integers."""
    return seen.isdigit() and known.isdigit() and int(seen) < int(known)
