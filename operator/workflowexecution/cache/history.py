"""What is remembered of objects that are over or gone: versions, run numbers, failures.

Fed like the rest of the cache. What nothing in the cluster tells of any more is dropped by the
next relist.
"""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from workflowexecution.core import guards, names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Ending

# Far more than can be under way between a write and its echo on a watch; a bound, not a record.
_KEPT: Final = 4096
# Target key and workflow.
Key = tuple[str, str]


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
        digest = _hash_in(slot_key)
        at = bisect_left(self._hashes, digest)
        return self._numbers[at] if self._is_at(at, digest) else 0

    def note(self, slot_key: str, number: int) -> None:
        """Note that a number, below SLOT_LIMIT, is taken."""
        digest = _hash_in(slot_key)
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


class FailureHistory:
    """The newest ending of each workflow on each target, by executions and by runs apart."""

    def __init__(self, *, are_kept: bool) -> None:
        self._are_kept = are_kept
        self._by_execution: dict[Key, Ending] = {}
        self._by_run: dict[Key, Ending] = {}
        # What has been told of since the last full resync began.
        self._told: set[tuple[bool, Key]] = set()

    def __len__(self) -> int:
        """Number of pairs of target and workflow of which anything is known."""
        return len(self._by_execution.keys() | self._by_run.keys())

    def note_execution(self, execution: Execution, now: datetime) -> None:
        """Take in an execution that has ended."""
        ending = guards.ending_of_execution(execution, now) if self._are_kept else None
        if ending is not None:
            key = (execution.target_key, execution.workflow_id)
            self._note(self._by_execution, key, ending)

    def note_run(self, run: Run, now: datetime) -> None:
        """Take in a run that has finished."""
        ending = guards.ending_of_run(run, now) if self._are_kept else None
        if ending is None:
            return
        key = (run.target_key, ending.evidence.workflow_id)
        known = self._by_run.get(key)
        if known is not None and guards.is_same(known, ending) and ending.had_begun is None:
            # What reading its leftovers has shown, the run itself does not tell.
            ending = replace(ending, had_begun=known.had_begun)
        self._note(self._by_run, key, ending)

    def newest(self, target: str, workflow_id: str) -> Ending | None:
        """How a workflow ended last on a target; None where nothing is known."""
        if not self._are_kept:
            return None
        key = (names.slot_key(target), workflow_id)
        found = guards.newest_of(self._by_execution.get(key), self._by_run.get(key))
        if found is None or found.evidence.target not in (target, ""):
            return None
        return replace(found, evidence=replace(found.evidence, target=target))

    def before(self, execution: Execution) -> Ending | None:
        """How the workflow of an execution that is about to end had ended on its target before."""
        key = (execution.target_key, execution.workflow_id)
        return self._by_execution.get(key)

    def rest_on_run(self, run: Run) -> bool:
        """Whether what a guard knows, it knows by this run."""
        ending = self._by_run.get((run.target_key, run.workflow_id or ""))
        is_it = ending is not None and ending.evidence.run_name == run.name
        return is_it and self._blocks(run.target_key, run.workflow_id or "")

    def rest_on_execution(self, execution: Execution) -> bool:
        """Whether what a guard knows, it knows by this execution."""
        key = (execution.target_key, execution.workflow_id)
        ending = self._by_execution.get(key)
        this = (execution.namespace, execution.name)
        is_it = ending is not None and (ending.evidence.namespace, ending.evidence.name) == this
        return is_it and self._blocks(*key)

    def begin_listing(self) -> None:
        """Note that everything is about to be listed."""
        self._told.clear()

    def end_listing(self) -> None:
        """Drop what has not been told of since ``begin_listing``."""
        for is_run, known in ((False, self._by_execution), (True, self._by_run)):
            for key in [key for key in known if (is_run, key) not in self._told]:
                del known[key]

    def _blocks(self, target_key: str, workflow_id: str) -> bool:
        key = (target_key, workflow_id)
        newest = guards.newest_of(self._by_execution.get(key), self._by_run.get(key))
        return newest is not None and newest.blocks

    def _note(self, known: dict[Key, Ending], key: Key, ending: Ending) -> None:
        before = known.get(key)
        is_older = (
            before is not None
            and not guards.is_same(before, ending)
            and guards.ending_order(ending) < guards.ending_order(before)
        )
        if not is_older:
            known[key] = ending
            self._told.add((known is self._by_run, key))


def _hash_in(slot_key: str) -> int:
    """The hash in a slot key, as a number of 64 bits."""
    return int(slot_key.removeprefix("wfe-"), 16)
