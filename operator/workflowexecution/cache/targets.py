"""The part of the cache about targets: executions and runs on each, recent ends, and clears."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflowexecution.api.status import Phase
from workflowexecution.core import evidence, names
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run, RunKey, RunState


@dataclass(slots=True)
class Target:
    """The entry of one target key; two targets share a key where their hashes collide.

    executions: by UID, those that name a run and have not ended.
    ends: by workflow and target text, the newest end.
    clears: by workflow, target text, and whether it is noted on a run, the newest failure that a
        person has cleared.
    """

    executions: dict[str, Execution] = field(default_factory=dict)
    runs: dict[RunKey, Run] = field(default_factory=dict)
    ends: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    clears: dict[tuple[str, str, bool], Evidence] = field(default_factory=dict)

    def unseen_beside(self, execution: Execution) -> tuple[Execution, ...]:
        """Other executions on this target that name a run which is not in the cache."""
        seen = {run.name for run in self.runs.values()}
        return tuple(
            other
            for other in self.executions.values()
            if other.uid != execution.uid
            and other.run_name not in seen
            and names.is_same_target(other.target, execution.target)
        )

    def ends_on(self, target: str) -> tuple[Evidence, ...]:
        """The newest end of each workflow, for each spelling of a target; see ``standing_ends``."""
        return tuple(
            replace(end, target=end.target or target)
            for end in self.standing_ends()
            if end.target in (target, "") or names.is_same_target(end.target, target)
        )

    def standing_ends(self) -> list[Evidence]:
        """The newest end of each workflow, without failures that a person has cleared."""
        clears = self.clears.values()
        return [
            end
            for end in self.ends.values()
            if not any(evidence.is_lifted(end, clear) for clear in clears)
        ]

    def note_ended_execution(self, execution: Execution, now: datetime) -> None:
        """Take in the end of an execution, and whether it is cleared."""
        self.note_end(evidence.end_of_execution(execution, now))
        if execution.phase is Phase.FAILED:
            end = evidence.end_of_attempt(execution, now)
            self._note_clear(end, is_on_run=False, is_cleared=evidence.is_cleared(execution.raw))

    def note_ended_run(self, run: Run, now: datetime) -> None:
        """Take in the end of a run, and whether it is cleared."""
        end = evidence.end_of_run(run, now)
        self.note_end(end)
        self._note_clear(end, is_on_run=True, is_cleared=run.is_cleared)

    def note_settled_run(self, run: Run, now: datetime) -> None:
        """Take in a finished run again, unless it does not say when it ended."""
        if run.completed_at is not None:
            self.note_ended_run(run, now)

    def note_end(self, end: Evidence | None) -> None:
        """Remember an end if it is the newest of its workflow."""
        if end is None:
            return
        what = (end.workflow_id, end.target)
        known = self.ends.get(what)
        if known is None or evidence.end_order(end) > evidence.end_order(known):
            self.ends[what] = end

    def _note_clear(self, end: Evidence | None, *, is_on_run: bool, is_cleared: bool) -> None:
        """Remember whether a person has cleared a failure, also one before a run was made.

        A person may note it on the execution or on the run alone, and may take it back.
        """
        if end is None or end.outcome is not Phase.FAILED:
            return
        what = (end.workflow_id, end.target, is_on_run)
        known = self.clears.get(what)
        if not is_cleared:
            if known is not None and evidence.is_same(known, end):
                del self.clears[what]
        elif known is None or evidence.end_order(end) >= evidence.end_order(known):
            self.clears[what] = end

    def forget_ends(self, before: datetime) -> None:
        """Drop the ends that are older than every cooldown, and the clears of such ends."""
        self.ends = {what: end for what, end in self.ends.items() if _is_since(before, end)}
        self.clears = {what: end for what, end in self.clears.items() if _is_since(before, end)}


class Targets(defaultdict[str, Target]):
    """The entries of all targets, by target key; an entry is made when it is first needed."""

    def __init__(self) -> None:
        super().__init__(Target)

    def unfinished_on(self, key: str) -> list[Run]:
        """All runs under a target key that are not finished."""
        runs = self[key].runs.values() if key in self else ()
        return [run for run in runs if run.state is not RunState.FINISHED]

    def ends(self) -> list[Evidence]:
        """The newest end of each workflow on each target, in no order, without cleared failures."""
        return [end for target in self.values() for end in target.standing_ends()]

    def forget_ends(self, before: datetime) -> None:
        """Drop the ends that are older than every cooldown, and targets that are then empty."""
        for key, target in list(self.items()):
            target.forget_ends(before)
            if target == Target():
                del self[key]


def _is_since(before: datetime, end: Evidence) -> bool:
    return end.completed_at is not None and end.completed_at >= before
