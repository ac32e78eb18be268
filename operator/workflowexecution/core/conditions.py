"""Conditions of an execution: what each phase says to generic tools and to people.

``Reconciling`` and ``Stalled`` follow kstatus, so that tools which know nothing of us see an
active execution as in progress and an ended one as ended.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from workflowexecution.api.status import Condition, ConditionStatus, Phase

SUCCEEDED: Final = "Succeeded"
PIPELINE_RUN_CREATED: Final = "PipelineRunCreated"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
# The most that metav1.Condition may carry; what Tekton says has no limit.
_MESSAGE_MAX: Final = 32_768
_ORDER: Final = (SUCCEEDED, PIPELINE_RUN_CREATED, RECONCILING, STALLED)

_SUCCEEDED_BY_PHASE: Final[dict[Phase, ConditionStatus]] = {
    Phase.PENDING: "Unknown",
    Phase.RUNNING: "Unknown",
    Phase.COMPLETED: "True",
    Phase.FAILED: "False",
    Phase.SKIPPED: "False",
}


def conditions_for(
    current: Iterable[Condition],
    *,
    phase: Phase,
    reason: str,
    message: str,
    has_run: bool,
    generation: int,
    now: datetime,
) -> list[Condition]:
    """Build all conditions of a phase; transition times move only where the status flips."""
    before = {condition.type: condition for condition in current}
    wanted: dict[str, ConditionStatus] = {
        SUCCEEDED: _SUCCEEDED_BY_PHASE[phase],
        PIPELINE_RUN_CREATED: "True" if has_run else "False",
        RECONCILING: "False" if phase.is_terminal else "True",
        STALLED: "True" if phase is Phase.FAILED else "False",
    }
    texts = {
        SUCCEEDED: (reason, message),
        PIPELINE_RUN_CREATED: ("PipelineRunCreated", "") if has_run else (reason, message),
        RECONCILING: (reason, ""),
        STALLED: (reason, ""),
    }
    return [
        Condition(
            type=kind,
            status=wanted[kind],
            reason=texts[kind][0],
            message=texts[kind][1][:_MESSAGE_MAX],
            last_transition_time=_transition_time(before.get(kind), wanted[kind], now),
            observed_generation=generation,
        )
        for kind in _ORDER
    ]


def _transition_time(before: Condition | None, status: ConditionStatus, now: datetime) -> datetime:
    unchanged = before is not None and before.status == status
    return before.last_transition_time if before is not None and unchanged else now
