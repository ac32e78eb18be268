"""The cache of executions and runs: the facts that decisions need, and no more.

It is fed by watches, by live reads and by the replies to our own writes. An older version of an
object never replaces a newer one. It keeps executions that need work; runs that are not finished,
or whose execution needs work or is not known yet; and for each target the newest end of each
workflow and the highest run number. Reads return snapshots. The cache sends no request and reads
no clock.
"""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.api.status import Phase
from workflowexecution.cache.history import FailureHistory, RunNumbers, Tombstones, is_older
from workflowexecution.cache.targets import Target, Targets
from workflowexecution.core.decision import Snapshot
from workflowexecution.core.facts.decoding import kept
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.leftovers import unseen_run
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.guards import Guards

# Higher than the version of any object: an event of a deleted object is always older.
_AFTER_ALL: Final = str(2**63)


class Store:
    """Executions by UID, runs by namespace and name, both also by target key.

    run_namespace: the namespace of a run whose execution's status does not name one.
    keeps_endings: whether ``endings``, the failure history that guards use, is kept.
    is_left: whether another installation serves a namespace; its executions are not taken in.
    """

    def __init__(
        self,
        run_namespace: str,
        *,
        keeps_endings: bool = False,
        is_left: Callable[[str], bool] = lambda namespace: False,
    ) -> None:
        self._run_namespace = run_namespace
        self.is_left = is_left
        self.endings = FailureHistory(are_kept=keeps_endings)
        self.targets = Targets()
        # Not in the targets: most of these have run numbers and nothing else.
        self.numbers = RunNumbers()
        self._executions: dict[str, Execution] = {}
        self._runs: dict[RunKey, Run] = {}
        # Objects that have just left the cache: a late event must not bring them back.
        self._settled = Tombstones()
        self._finished = Tombstones()

    def execution(self, uid: str) -> Execution | None:
        """The execution of this UID, if it needs work."""
        return self._executions.get(uid)

    def has_execution(self, uid: str, version: str) -> bool:
        """Whether this version of an execution was taken in before."""
        known = self._executions.get(uid)
        return known.resource_version == version if known else self._settled.has(uid, version)

    def executions(self) -> list[Execution]:
        """All executions that need work, in no order."""
        return list(self._executions.values())

    def run(self, key: RunKey) -> Run | None:
        """The run of this namespace and name, if it is kept."""
        return self._runs.get(key)

    def runs(self) -> list[Run]:
        """All runs that are kept, in no order."""
        return list(self._runs.values())

    def runs_of(self, execution: Execution) -> list[Run]:
        """All kept runs that were made for an execution."""
        runs = self._runs_beside(execution)
        return [run for run in runs if run.owner and run.owner.uid == execution.uid]

    def snapshot(
        self,
        execution: Execution,
        *,
        problem: str,
        cooldown: timedelta,
        deadline_grace: timedelta,
        holds: Sequence[Hold],
        guards: Guards,
        now: datetime,
        spec: WorkflowExecutionSpec | None = None,
    ) -> Snapshot:
        """All facts for a decision on an execution; see Snapshot for the arguments."""
        key = execution.target_key
        target = self.targets.get(key) or Target()
        return Snapshot(
            execution=execution,
            runs=self._runs_beside(execution),
            unseen=target.unseen_beside(execution),
            ends=target.ends_on(execution.target),
            top_number=self.numbers.top(key),
            problem=problem,
            cooldown=cooldown,
            deadline_grace=deadline_grace,
            ending=self.endings.newest(execution.target, execution.workflow_id),
            guards=guards,
            holds=holds,
            now=now,
            spec=spec,
        )

    def observe_execution(self, seen: Execution, *, now: datetime) -> bool:
        """Take in an execution, unless a newer version of it is known.

        Returns: whether it needs work that was not known before.
        """
        if self.is_left(seen.namespace):
            return False
        # In every case: the name of its run is in use.
        self.numbers.note(seen.run_name or "")
        known = self._executions.get(seen.uid)
        if known is None and self._settled.is_older(seen.uid, seen.resource_version):
            return False
        if known and is_older(seen.resource_version, known.resource_version):
            return False
        target = self.targets[seen.target_key]
        if seen.has_ended:
            target.note_ended_execution(seen, now)
            self.endings.note_execution(seen, now)
        if not seen.needs_work:
            if known is not None and seen.phase is not Phase.COMPLETED:
                self._hold_by_unseen_run(seen, now)
            self._let_go(seen)
            return False
        self._executions[seen.uid] = seen = kept(seen)
        # Only an execution whose status names a run can hold the target without a run in the cache.
        if seen.run_name and not seen.has_ended:
            target.executions[seen.uid] = seen
        return known is None

    def observe_run(self, seen: Run, *, now: datetime) -> Run | None:
        """Take in a run, unless a newer version of it is known; facts learnt earlier are kept.

        Returns: the run as it is known now, None where it is not kept.
        """
        self.numbers.note(seen.name)
        known = self._runs.get(seen.key)
        if self._finished.knows(seen.uid) and not known:
            # No part of it executes, but Tekton may report its end only now.
            self.endings.note_run(seen, now)
            self.targets[seen.target_key].note_settled_run(seen, now)
            return None
        # Also where the name belongs to another run: a late event must not hide a newer run.
        if known and is_older(seen.resource_version, known.resource_version):
            return known
        return self._keep(seen.following(known, now), now)

    def learn_of_beginning(self, key: RunKey, uid: str, *, now: datetime) -> Run | None:
        """Note that a step of a run had begun, as its leftovers have shown."""
        known = self._runs.get(key)
        if known is None or known.uid != uid or known.has_started:
            return known
        return self._keep(dataclasses.replace(known, has_started=True), now)

    def mark_stopped(self, key: RunKey, uid: str, *, now: datetime) -> Run | None:
        """Note that no part of a run that failed or is deleted executes any more."""
        known = self._runs.get(key)
        if known is None or known.uid != uid:
            return None
        return self._keep(dataclasses.replace(known, has_stopped=True), now)

    def take_in_active_again(self, seen: Run, *, now: datetime) -> Run | None:
        """Take in an ended run that has an active pod, also where it had stopped before.

        It holds its target again: Tekton may start an evicted task again after the run has failed.
        """
        known = self._runs.get(seen.key)
        if known and is_older(seen.resource_version, known.resource_version):
            seen = known
        self._finished.forget(seen.uid)
        return self._keep(dataclasses.replace(seen.following(known, now), has_stopped=False), now)

    def run_is_gone(self, key: RunKey, uid: str | None, *, now: datetime) -> Run | None:
        """Note that a run is deleted; with a UID, only that very run.

        A run that was not finished holds its target until no part of it is left.
        Returns: the run where it is kept, None where it is not.
        """
        known = self._runs.get(key)
        if known is None or uid not in (None, known.uid):
            return None
        if known.is_gone:
            return known
        if known.state is RunState.FINISHED:
            # Its end is not reported yet, so it is kept although it was deleted.
            return self._keep(known, now)
        had_begun = known.has_started or (None if known.task_names else False)
        return self._keep(dataclasses.replace(known, is_gone=True, has_started=had_begun), now)

    def take_in_gone_run(self, gone: Run, *, now: datetime) -> Run | None:
        """Take in a deleted run that is known only by its leftovers, unless it is in the cache."""
        self.numbers.note(gone.name)
        return self._runs.get(gone.key) or self._keep(gone, now)

    def forget_execution(self, uid: str, *, now: datetime) -> list[RunKey]:
        """Drop an execution that no longer exists.

        Returns: its runs that are not finished, and a run that only its status named.
        """
        # A list that was requested earlier may still contain it.
        self._settled.note(uid, _AFTER_ALL)
        known = self._executions.get(uid)
        if known is None:
            return []
        self.leave_execution(known)
        self._hold_by_unseen_run(known, now)
        runs = self.runs_of(known)
        self._drop_finished_runs(known)
        return [run.key for run in runs]

    def leave_execution(self, execution: Execution) -> None:
        """Drop an execution, as one that another installation serves; it may come back."""
        self._executions.pop(execution.uid, None)
        if target := self.targets.get(execution.target_key):
            target.executions.pop(execution.uid, None)

    def begin_listing(self) -> None:
        """Note that a relist begins."""
        self.endings.begin_listing()
        self.numbers.begin_listing()

    def end_listing(self) -> None:
        """Drop history that was not confirmed since ``begin_listing``."""
        self.endings.end_listing()
        self.numbers.end_listing(self.targets)

    def forget_unclaimed(self, before: datetime) -> None:
        """Drop finished runs that were created before then and whose execution is not known."""
        for run in self.runs():
            is_claimed = run.owner is not None and run.owner.uid in self._executions
            if run.state is RunState.FINISHED and run.created_at < before and not is_claimed:
                self._drop_run(run)

    def _runs_beside(self, execution: Execution) -> tuple[Run, ...]:
        """All kept runs on the target of an execution.

        A run of an earlier version whose target text is lost is known only by that version's key.
        """
        keys = {execution.target_key, execution.former_key}
        found = [self.targets[key] for key in sorted(keys) if key in self.targets]
        return tuple(run for target in found for run in target.runs.values())

    def _drop_run(self, run: Run) -> None:
        self._runs.pop(run.key, None)
        self.targets[run.target_key].runs.pop(run.key, None)
        self._finished.note(run.uid, run.resource_version)

    def _hold_by_unseen_run(self, execution: Execution, now: datetime) -> None:
        """Keep a run that only a status names, before that status is dropped.

        Watches are not synchronized: the run may be active, and is read to find out.
        """
        if (name := execution.run_name) is not None:
            namespace = execution.run_namespace or self._run_namespace
            self.take_in_gone_run(unseen_run(execution, name, namespace), now=now)

    def _keep(self, run: Run, now: datetime) -> Run | None:
        """Keep a run as long as it matters; of a finished run, keep the facts about its end."""
        target = self.targets[run.target_key]
        is_finished = run.state is RunState.FINISHED
        if is_finished:
            target.note_ended_run(run, now)
            self.endings.note_run(run, now)
        if is_finished and not self._may_be_claimed(run):
            self._drop_run(run)
            return None
        self._runs[run.key] = target.runs[run.key] = run
        return run

    def _may_be_claimed(self, run: Run) -> bool:
        """Whether an execution may exist that has still to report the end of this run.

        Watches are not synchronized: the event of that execution may come later.
        """
        if run.owner is None:
            return False
        return run.owner.uid in self._executions or not self._settled.knows(run.owner.uid)

    def _let_go(self, execution: Execution) -> None:
        self._settled.note(execution.uid, execution.resource_version)
        self.leave_execution(execution)
        self._drop_finished_runs(execution)

    def _drop_finished_runs(self, execution: Execution) -> None:
        for run in self.runs_of(execution):
            if run.state is RunState.FINISHED:
                self._drop_run(run)
