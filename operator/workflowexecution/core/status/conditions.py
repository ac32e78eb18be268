"""Conditions of an execution: what each phase says to generic tools and to people.

``Reconciling`` and ``Stalled`` follow kstatus, so that tools which know nothing of us see an
active execution as in progress and an ended one as ended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workflowexecution.api.status import Condition, ConditionStatus, Phase

SUCCEEDED: Final = "Succeeded"
PIPELINE_RUN_CREATED: Final = "PipelineRunCreated"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
BUNDLE_VERIFIED: Final = "BundleVerified"
# The most that metav1.Condition may carry; what Tekton says has no limit.
_MESSAGE_MAX: Final = 32_768

_SUCCEEDED_BY_PHASE: Final[dict[Phase, ConditionStatus]] = {
    Phase.PENDING: "Unknown",
    Phase.RUNNING: "Unknown",
    Phase.COMPLETED: "True",
    Phase.FAILED: "False",
    Phase.SKIPPED: "False",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What one condition says, before it is known since when."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


def conditions_for(
    current: Iterable[Condition],
    *,
    phase: Phase,
    reason: str,
    message: str,
    has_run: bool,
    on_bundle: Claim | None = None,
    generation: int,
    now: datetime,
) -> list[Condition]:
    """Build all conditions of a phase; transition times move only where the status flips.

    ``on_bundle`` is None where nothing can be said of the bundle that was run; what was said of it
    before is then kept.
    """
    before = {condition.type: condition for condition in current}
    claims = [
        Claim(SUCCEEDED, _SUCCEEDED_BY_PHASE[phase], reason, message),
        Claim(PIPELINE_RUN_CREATED, "True", "PipelineRunCreated")
        if has_run
        else Claim(PIPELINE_RUN_CREATED, "False", reason, message),
        Claim(RECONCILING, "False" if phase.is_terminal else "True", reason),
        Claim(STALLED, "True" if phase is Phase.FAILED else "False", reason),
    ]
    if on_bundle is not None:
        claims.append(on_bundle)
    built = [_condition(claim, before.get(claim.type), generation, now) for claim in claims]
    told = {condition.type for condition in built}
    return built + [condition for kind, condition in before.items() if kind not in told]


def _condition(claim: Claim, before: Condition | None, generation: int, now: datetime) -> Condition:
    return Condition(
        type=claim.type,
        status=claim.status,
        reason=claim.reason,
        message=claim.message[:_MESSAGE_MAX],
        last_transition_time=_transition_time(before, claim.status, now),
        observed_generation=generation,
    )


def _transition_time(before: Condition | None, status: ConditionStatus, now: datetime) -> datetime:
    unchanged = before is not None and before.status == status
    return before.last_transition_time if before is not None and unchanged else now
