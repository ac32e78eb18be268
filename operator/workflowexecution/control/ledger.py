"""What is known of all executions and runs: slim records, kept by identity and by target.

Fed by watches, by live reads and by the replies to our own writes; an older version of an object
never replaces a newer one. Reads are snapshots; nothing here talks to the cluster.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.snapshot import Snapshot

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Known:
    """Identities of all executions and runs (name, UID) known at one moment."""

    execution_uids: frozenset[str]
    runs: frozenset[tuple[str, str]]


class Ledger:
    """Executions by UID and runs by name, both also by the target's slot key."""

    def __init__(self) -> None:
        self._executions: dict[str, Execution] = {}
        self._runs: dict[str, Run] = {}
        self._lost_at_work: dict[str, bool] = {}
        self._executions_by_slot: defaultdict[str, dict[str, Execution]] = defaultdict(dict)
        self._runs_by_slot: defaultdict[str, dict[str, Run]] = defaultdict(dict)

    def execution(self, uid: str) -> Execution | None:
        """The execution of this UID, as last seen."""
        return self._executions.get(uid)

    def executions(self) -> list[Execution]:
        """All executions, in no order."""
        return list(self._executions.values())

    def run(self, name: str) -> Run | None:
        """The run of this name, as last seen."""
        return self._runs.get(name)

    def runs(self) -> list[Run]:
        """All runs, in no order."""
        return list(self._runs.values())

    def observe_execution(self, seen: Execution) -> None:
        """Take in an execution, unless a newer version of it is known."""
        known = self._executions.get(seen.uid)
        if known and _is_older(seen.resource_version, known.resource_version):
            return
        self._executions[seen.uid] = seen
        self._executions_by_slot[names.slot_key(seen.target)][seen.uid] = seen

    def observe_run(self, seen: Run) -> None:
        """Take in a run, unless a newer version of it is known; that it has stopped is kept."""
        known = self._runs.get(seen.name)
        # Also of another run of that name: late events of one must not hide its successor.
        if known and _is_older(seen.resource_version, known.resource_version):
            return
        if known and known.uid == seen.uid and known.has_stopped:
            seen = dataclasses.replace(seen, has_stopped=True)
        self._runs[seen.name] = seen
        self._runs_by_slot[seen.slot_key][seen.name] = seen

    def mark_stopped(self, name: str, uid: str) -> None:
        """Note that nothing of a run that has ended executes any more."""
        known = self._runs.get(name)
        if known and known.uid == uid:
            self.observe_run(dataclasses.replace(known, has_stopped=True))

    def forget_execution(self, uid: str) -> None:
        """Drop an execution that no longer exists."""
        known = self._executions.pop(uid, None)
        self._lost_at_work.pop(uid, None)
        if known:
            _drop(self._executions_by_slot, names.slot_key(known.target), uid)

    def forget_run(self, name: str, uid: str | None = None) -> None:
        """Drop a run that no longer exists; with a UID, only that very run."""
        known = self._runs.get(name)
        if known and uid in (None, known.uid):
            del self._runs[name]
            _drop(self._runs_by_slot, known.slot_key, name)
            self._remember_work(known)

    def was_lost_at_work(self, uid: str) -> bool | None:
        """Whether the tasks of an execution's run that is gone had begun when it was last seen.

        None where that run was never seen, as after a restart.
        """
        return self._lost_at_work.get(uid)

    def names_and_uids(self) -> Known:
        """What is known now; taken before listing, so that only what had existed is dropped."""
        return Known(
            execution_uids=frozenset(self._executions),
            runs=frozenset((run.name, run.uid) for run in self._runs.values()),
        )

    def replace(self, before: Known, executions: Iterable[Execution], runs: Iterable[Run]) -> None:
        """Take in complete lists, and drop what was known before them and is absent from them."""
        listed_executions = {item.uid: item for item in executions}
        listed_runs = {(item.name, item.uid): item for item in runs}
        for uid in before.execution_uids - listed_executions.keys():
            self.forget_execution(uid)
        for name, uid in before.runs - listed_runs.keys():
            self.forget_run(name, uid)
        for execution in listed_executions.values():
            self.observe_execution(execution)
        for run in listed_runs.values():
            self.observe_run(run)

    def snapshot(
        self,
        execution: Execution,
        *,
        problem: str,
        cooldown: timedelta,
        now: datetime,
        deadline_grace: timedelta = timedelta(minutes=5),
    ) -> Snapshot:
        """All facts that the decision for one execution needs."""
        key = names.slot_key(execution.target)
        same_target = self._executions_by_slot.get(key, {}).values()
        return Snapshot(
            execution=execution,
            runs=tuple(self._runs_by_slot.get(key, {}).values()),
            others=tuple(
                other
                for other in same_target
                if other.uid != execution.uid and other.target == execution.target
            ),
            problem=problem,
            cooldown=cooldown,
            now=now,
            deadline_grace=deadline_grace,
        )

    def _remember_work(self, gone: Run) -> None:
        """Keep, for an execution that still has to be ended, what its status may not say yet."""
        owner = self._executions.get(gone.owner.uid) if gone.owner else None
        if owner is not None and owner.raw is not None:
            self._lost_at_work[owner.uid] = bool(gone.task_names)


def _is_older(seen: str, known: str) -> bool:
    """Compare resource versions, which the API server promises to be growing integers."""
    return seen.isdigit() and known.isdigit() and int(seen) < int(known)


def _drop(index: MutableMapping[str, dict[str, _T]], key: str, item: str) -> None:
    entries = index.get(key)
    if entries is not None:
        entries.pop(item, None)
        if not entries:
            del index[key]
