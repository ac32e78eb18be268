"""The cache entry of one target: executions and runs on it, and recent ends."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from workflowexecution.core import evidence, names
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run, RunKey


@dataclass(slots=True)
class Target:
    """The entry of one target key; two targets share a key where their hashes collide.

    executions: by UID, those that name a run and have not ended.
    ends: by workflow and target text, the newest end.
    """

    executions: dict[str, Execution] = field(default_factory=dict)
    runs: dict[RunKey, Run] = field(default_factory=dict)
    ends: dict[tuple[str, str], Evidence] = field(default_factory=dict)

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
        """The newest end of each workflow on this target, for each spelling of it."""
        return tuple(
            replace(end, target=end.target or target)
            for end in self.ends.values()
            if end.target in (target, "") or names.is_same_target(end.target, target)
        )

    def note_end(self, end: Evidence | None) -> None:
        """Remember an end if it is the newest of its workflow."""
        if end is None:
            return
        what = (end.workflow_id, end.target)
        known = self.ends.get(what)
        if known is None or evidence.end_order(end) > evidence.end_order(known):
            self.ends[what] = end

    def forget_ends(self, before: datetime) -> None:
        """Drop the ends that are older than every cooldown."""
        self.ends = {
            what: end
            for what, end in self.ends.items()
            if end.completed_at is not None and end.completed_at >= before
        }
