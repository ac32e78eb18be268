"""Which slot numbers are taken on each target, of a hundred thousand targets as of ten."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from workflowexecution.core import names


class RunNumberTable:
    """The highest number by slot key, in twelve bytes each; a dict takes ten times as many."""

    def __init__(self) -> None:
        # Side by side, sorted by hash.
        self._hashes = array("Q")
        self._numbers = array("I")

    def __len__(self) -> int:
        return len(self._hashes)

    def top(self, slot_key: str) -> int:
        """The highest number that was noted; 0 where none was."""
        digest = names.hash_of_slot_key(slot_key)
        at = bisect_left(self._hashes, digest)
        return self._numbers[at] if self._is_at(at, digest) else 0

    def note(self, slot_key: str, number: int) -> None:
        """Note that a number, below SLOT_LIMIT, is taken."""
        digest = names.hash_of_slot_key(slot_key)
        at = bisect_left(self._hashes, digest)
        if not self._is_at(at, digest):
            self._hashes.insert(at, digest)
            self._numbers.insert(at, number)
        elif self._numbers[at] < number:
            self._numbers[at] = number

    def _is_at(self, at: int, digest: int) -> bool:
        return at < len(self._hashes) and self._hashes[at] == digest


class RunNumbers:
    """The numbers that names of runs have taken, as far as the cluster still tells of them."""

    def __init__(self) -> None:
        self._taken = RunNumberTable()
        # What has been told of since the last full resync began.
        self._told = RunNumberTable()

    def __len__(self) -> int:
        """Number of targets that have one."""
        return len(self._taken)

    def top(self, slot_key: str) -> int:
        """The highest number on a target; 0 where there is none."""
        return self._taken.top(slot_key)

    def note(self, run_name: str) -> None:
        """Count a name as taken on the target it belongs to by its form, whatever its run is on."""
        slot = names.parse_slot(run_name)
        if slot and 0 < slot[1] < names.SLOT_LIMIT:
            self._taken.note(*slot)
            self._told.note(*slot)

    def begin_listing(self) -> None:
        """Note that everything is about to be listed."""
        self._told = RunNumberTable()

    def end_listing(self, in_use: Iterable[str]) -> None:
        """Drop what has not been told of since ``begin_listing``, but for slot keys in use."""
        for slot_key in in_use:
            if number := self._taken.top(slot_key):
                self._told.note(slot_key, number)
        self._taken, self._told = self._told, RunNumberTable()
