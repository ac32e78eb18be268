"""All facts of one decision, as one immutable value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All facts of one decision.

    runs: every known run under the target's slot key, in any order.
    others: every other known execution for exactly this target, in any order.
    problem: what is wrong with the spec, for people; empty when it can be run.
    cooldown: at least 0; zero turns the check off.
    deadline_grace: how long after its time limit a run that Tekton does not end is given up.
    now: aware UTC; the same instant is used for the status write.
    """

    execution: Execution
    runs: Sequence[Run]
    others: Sequence[Execution]
    problem: str
    cooldown: timedelta
    now: datetime
    deadline_grace: timedelta = timedelta(minutes=5)
