"""What is known of one target: who is on it, and what ended there lately."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflowexecution.core import evidence
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.core.guards import Ending, Guards
from workflowexecution.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """A copy of what is known of one target: see Snapshot for the fields."""

    runs: tuple[Run, ...]
    unseen: tuple[Execution, ...]
    ends: tuple[Evidence, ...]
    top_slot: int
    ending: Ending | None = None

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
    ) -> Snapshot:
        """All that decides on an execution, these facts being those of its target."""
        return Snapshot(
            execution=execution,
            runs=self.runs,
            unseen=self.unseen,
            ends=self.ends,
            top_slot=self.top_slot,
            problem=problem,
            cooldown=cooldown,
            deadline_grace=deadline_grace,
            ending=self.ending,
            holds=holds,
            guards=guards,
            now=now,
        )


@dataclass(slots=True)
class Target:
    """Everything under one target key; two targets share one where their hashes collide.

    executions: by UID, those that name a run and have not ended.
    ends: by workflow and target text, the newest end.
    """

    executions: dict[str, Execution] = field(default_factory=dict)
    runs: dict[RunKey, Run] = field(default_factory=dict)
    ends: dict[tuple[str, str], Evidence] = field(default_factory=dict)

    def facts_for(self, execution: Execution, top_slot: int, ending: Ending | None) -> TargetFacts:
        """What concerns one execution, by the exact text of its target."""
        exact = execution.target
        seen = {run.name for run in self.runs.values()}
        return TargetFacts(
            runs=tuple(self.runs.values()),
            unseen=tuple(
                other
                for other in self.executions.values()
                if other.uid != execution.uid
                and other.target == exact
                and other.run_name not in seen
            ),
            ends=tuple(
                replace(end, target=exact)
                for end in self.ends.values()
                if end.target in (exact, "")
            ),
            top_slot=top_slot,
            ending=ending,
        )

    def note_end(self, end: Evidence | None) -> None:
        """Remember an end, where it is the newest of its workflow."""
        if end is None:
            return
        what = (end.workflow_id, end.target)
        known = self.ends.get(what)
        if known is None or evidence.end_order(end) > evidence.end_order(known):
            self.ends[what] = end

    def forget_ends(self, before: datetime) -> None:
        """Drop the ends that no cooldown reaches any more."""
        self.ends = {
            what: end
            for what, end in self.ends.items()
            if end.completed_at is not None and end.completed_at >= before
        }
