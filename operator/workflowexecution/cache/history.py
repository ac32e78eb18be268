"""The part of the cache about objects that have ended or are deleted: versions, numbers, failures.

It takes in the same objects as the rest of the cache. A relist drops each entry that no object in
the cluster confirms.
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

# Far more objects than can change between a write and its event on a watch.
_KEPT: Final = 4096
# Target key and workflow.
Key = tuple[str, str]


class RunNumberTable:
    """The highest run number by target key, in twelve bytes each: a tenth of what a dict takes."""

    def __init__(self) -> None:
        # Two parallel arrays, sorted by hash.
        self._hashes = array("Q")
        self._numbers = array("I")

    def __len__(self) -> int:
        return len(self._hashes)

    def top(self, target_key: str) -> int:
        """The highest number noted; 0 where there is none."""
        digest = _hash_in(target_key)
        at = bisect_left(self._hashes, digest)
        return self._numbers[at] if self._is_at(at, digest) else 0

    def note(self, target_key: str, number: int) -> None:
        """Note that a number, below RUN_NUMBER_LIMIT, is in use."""
        digest = _hash_in(target_key)
        at = bisect_left(self._hashes, digest)
        if not self._is_at(at, digest):
            self._hashes.insert(at, digest)
            self._numbers.insert(at, number)
        elif self._numbers[at] < number:
            self._numbers[at] = number

    def _is_at(self, at: int, digest: int) -> bool:
        return at < len(self._hashes) and self._hashes[at] == digest


class RunNumbers:
    """The run numbers in use on each target, as far as objects in the cluster show them."""

    def __init__(self) -> None:
        self._taken = RunNumberTable()
        # The numbers seen since the last full relist began.
        self._confirmed = RunNumberTable()

    def __len__(self) -> int:
        """Number of targets that have a run number."""
        return len(self._taken)

    def top(self, target_key: str) -> int:
        """The highest run number on a target; 0 where there is none."""
        return self._taken.top(target_key)

    def note(self, run_name: str) -> None:
        """Note the number in a run's name, for the target that the name (not the run) is about."""
        numbered = names.parse_run_name(run_name)
        if numbered and 0 < numbered[1] < names.RUN_NUMBER_LIMIT:
            self._taken.note(*numbered)
            self._confirmed.note(*numbered)

    def begin_listing(self) -> None:
        """Note that a relist begins."""
        self._confirmed = RunNumberTable()

    def end_listing(self, in_use: Iterable[str]) -> None:
        """Drop numbers not seen since ``begin_listing``, except for target keys in use."""
        for target_key in in_use:
            if number := self._taken.top(target_key):
                self._confirmed.note(target_key, number)
        self._taken, self._confirmed = self._confirmed, RunNumberTable()


class Tombstones:
    """The last few thousand objects that left the cache: resource versions by UID."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, str] = OrderedDict()

    def note(self, uid: str, version: str) -> None:
        """Remember an object; forget the oldest one where there are too many."""
        if not uid:
            return
        self._versions[uid] = version
        self._versions.move_to_end(uid)
        if len(self._versions) > _KEPT:
            self._versions.popitem(last=False)

    def forget(self, uid: str) -> None:
        """Drop an object that is back."""
        self._versions.pop(uid, None)

    def knows(self, uid: str) -> bool:
        """Whether this object is remembered."""
        return uid in self._versions

    def has(self, uid: str, version: str) -> bool:
        """Whether an object is remembered with this version."""
        return self._versions.get(uid) == version

    def is_older(self, uid: str, version: str) -> bool:
        """Whether this version of an object is older than the one remembered."""
        return is_older(version, self._versions.get(uid, ""))


def is_older(seen: str, known: str) -> bool:
    """Compare resource versions: in Kubernetes they are integers that grow."""
    return seen.isdigit() and known.isdigit() and int(seen) < int(known)


class FailureHistory:
    """The failure history: the newest end of each workflow on each target.

    Ends of executions and ends of runs are kept apart.
    """

    def __init__(self, *, are_kept: bool) -> None:
        self._are_kept = are_kept
        self._by_execution: dict[Key, Ending] = {}
        self._by_run: dict[Key, Ending] = {}
        # The entries confirmed since the last full relist began.
        self._confirmed: set[tuple[bool, Key]] = set()

    def __len__(self) -> int:
        """Number of pairs of target and workflow with an entry."""
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
            # Its leftovers have shown whether a step had begun; the run itself does not show that.
            ending = replace(ending, had_begun=known.had_begun)
        self._note(self._by_run, key, ending)

    def newest(self, target: str, workflow_id: str) -> Ending | None:
        """The last end of a workflow on a target; None where none is known."""
        if not self._are_kept:
            return None
        found = self._newest((names.target_key(target), workflow_id))
        if found is None:
            return None
        written = found.evidence.target or target
        if not names.is_same_target(written, target):
            return None
        return replace(found, evidence=replace(found.evidence, target=written))

    def newest_of_all(self) -> list[Ending]:
        """The last end of each workflow on each target, in no order."""
        found = map(self._newest, self._by_execution.keys() | self._by_run.keys())
        return [ending for ending in found if ending and ending.evidence.target]

    def most_failures(self) -> int:
        """The most failures in a row before the first step that any workflow has on any target."""
        # Successes, which are most of them, are passed over at once: this is read at each scrape.
        failed = {
            key
            for known in (self._by_execution, self._by_run)
            for key, ending in known.items()
            if ending.failures
        }
        found = map(self._newest, failed)
        return max((ending.failures for ending in found if ending), default=0)

    def before(self, execution: Execution) -> Ending | None:
        """The last earlier end of a workflow on a target, for an execution that is about to end."""
        key = (execution.target_key, execution.workflow_id)
        return self._by_execution.get(key)

    def rest_on_run(self, run: Run) -> bool:
        """Whether a guard blocks because of this run."""
        ending = self._by_run.get((run.target_key, run.workflow_id or ""))
        is_it = ending is not None and ending.evidence.run_name == run.name
        return is_it and self._blocks(run.target_key, run.workflow_id or "")

    def rest_on_execution(self, execution: Execution) -> bool:
        """Whether a guard blocks because of this execution."""
        key = (execution.target_key, execution.workflow_id)
        ending = self._by_execution.get(key)
        this = (execution.namespace, execution.name)
        is_it = ending is not None and (ending.evidence.namespace, ending.evidence.name) == this
        return is_it and self._blocks(*key)

    def begin_listing(self) -> None:
        """Note that a relist begins."""
        self._confirmed.clear()

    def end_listing(self) -> None:
        """Drop the entries that were not confirmed since ``begin_listing``."""
        for is_run, known in ((False, self._by_execution), (True, self._by_run)):
            for key in [key for key in known if (is_run, key) not in self._confirmed]:
                del known[key]

    def _blocks(self, target_key: str, workflow_id: str) -> bool:
        newest = self._newest((target_key, workflow_id))
        return newest is not None and newest.blocks

    def _newest(self, key: Key) -> Ending | None:
        return guards.newest_of(self._by_execution.get(key), self._by_run.get(key))

    def _note(self, known: dict[Key, Ending], key: Key, ending: Ending) -> None:
        before = known.get(key)
        is_older = (
            before is not None
            and not guards.is_same(before, ending)
            and guards.ending_order(ending) < guards.ending_order(before)
        )
        if not is_older:
            known[key] = ending
            self._confirmed.add((known is self._by_run, key))


def _hash_in(target_key: str) -> int:
    """The hash in a target key, as a 64-bit number."""
    return int(target_key.removeprefix("wfe-"), 16)
