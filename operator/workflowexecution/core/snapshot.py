"""All facts of one decision, as one immutable value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Ending, Guards


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is known of one execution and of its target, and nothing that is over.

    runs: every run on this target that is not finished, and this execution's own runs, in any
        order.
    unseen: other executions on this target that name a run which nobody has seen, in any order.
    ends: per workflow its newest end on this target, at least of those within the cooldown.
    ending: how its workflow ended last on its target, run or no run; None where no guard is on.
    top_slot: the highest number any run on this target had; 0 where there was none.
    problem: what is wrong with the spec, for people; empty when it can be run.
    cooldown: at least 0; zero turns the check off.
    deadline_grace: how long after its time limit a run that Tekton does not end is given up.
    guards: what is guarded against.
    holds: all holds there are, also those that have expired or concern others, in any order.
    now: aware UTC, by the API server's clock.
    """

    execution: Execution
    runs: Sequence[Run]
    unseen: Sequence[Execution]
    ends: Sequence[Evidence]
    top_slot: int
    problem: str
    cooldown: timedelta
    deadline_grace: timedelta
    ending: Ending | None
    guards: Guards
    holds: Sequence[Hold]
    now: datetime
