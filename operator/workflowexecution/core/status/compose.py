"""Composes the status that reports an outcome; no other module composes one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from workflowexecution.api.status import (
    BUNDLE_VERIFIED,
    TERMINAL_PHASES,
    UNDECLARED_PARAMETER,
    FailureReason,
    Phase,
    SkipReason,
)
from workflowexecution.api.status_model import (
    Condition,
    ConditionStatus,
    PipelineRunRef,
    PipelineRunStatus,
    WorkflowExecutionStatus,
)
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.outcome import Outcome

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
SUCCEEDED: Final = "Succeeded"
PIPELINE_RUN_CREATED: Final = "PipelineRunCreated"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
# The conditions of the controller of December 2025, and their reasons.
PIPELINE_CREATED: Final = "TektonPipelineCreated"
PIPELINE_RUNNING: Final = "TektonPipelineRunning"
PIPELINE_COMPLETE: Final = "TektonPipelineComplete"
RESOURCE_LOCKED: Final = "ResourceLocked"
_NOT_CREATED: Final[dict[str, str]] = {
    FailureReason.RESOURCE_EXHAUSTED: "QuotaExceeded",
    FailureReason.FORBIDDEN: "RBACDenied",
}
_NOT_COMPLETE: Final[dict[str, str]] = {
    reason: reason.value
    for reason in (
        FailureReason.TASK_FAILED,
        FailureReason.DEADLINE_EXCEEDED,
        FailureReason.OOM_KILLED,
    )
}
_LOCKED: Final[dict[str, str]] = {SkipReason.RESOURCE_BUSY: "TargetResourceBusy"}
# The limit of metav1.Condition; Tekton's text has none.
_MESSAGE_MAX: Final = 32_768

_SUCCEEDED_BY_PHASE: Final[dict[Phase, ConditionStatus]] = {
    Phase.PENDING: "Unknown",
    Phase.RUNNING: "Unknown",
    Phase.COMPLETED: "True",
    Phase.FAILED: "False",
    Phase.SKIPPED: "False",
}


def change_status(
    held: Mapping[str, Any], outcome: Outcome, *, generation: int, now: datetime, asked: str
) -> tuple[WorkflowExecutionStatus, WorkflowExecutionStatus, dict[str, Any]]:
    """The status before an outcome, the status after it, and the patch between them."""
    before = parse_status(held)
    after = status_for(before, outcome, generation=generation, now=now, asked=asked)
    return before, after, status_patch(held, status_to_json(after))


def status_for(
    current: WorkflowExecutionStatus,
    outcome: Outcome,
    *,
    generation: int,
    now: datetime,
    asked: str = "",
) -> WorkflowExecutionStatus:
    """Compose the status that reports an outcome; a second call gives the same status.

    ``asked`` is the digest that the execution's bundle is pinned to, empty where it has none.

    A terminal status is returned unchanged.
    """
    if current.phase in TERMINAL_PHASES:
        return current
    run = outcome.run
    started_at = current.start_time or (run.created_at if run else None)
    completed_at = _completion_time(outcome, started_at, now)
    on_run = claims_on(asked, run) if run else []
    ref = (
        PipelineRunRef(name=run.name, namespace=run.namespace) if run else current.pipeline_run_ref
    )
    return current.model_copy(
        update={
            "observed_generation": generation,
            "phase": outcome.phase,
            "start_time": started_at,
            "completion_time": completed_at,
            "duration": completed_at - started_at if completed_at and started_at else None,
            "pipeline_run_ref": ref,
            "pipeline_run_status": _run_status_of(run) if run else current.pipeline_run_status,
            "failure_reason": outcome.failure.reason.value if outcome.failure else None,
            "failure_details": outcome.failure,
            "skip_details": outcome.skip,
            **_counts(outcome),
            "conditions": conditions_for(
                current.conditions,
                phase=outcome.phase,
                reason=outcome.reason,
                message=outcome.message,
                has_run=ref is not None,
                more=(*claims_of_2025(outcome, has_run=ref is not None), *on_run),
                generation=generation,
                now=now,
            ),
        }
    )


def _counts(outcome: Outcome) -> dict[str, Any]:
    """The count of failures, if they are counted, and the time of the next attempt, if known."""
    if outcome.failures is None and outcome.next_allowed_at is None:
        return {}
    return {
        "consecutive_failures": outcome.failures,
        "next_allowed_execution": outcome.next_allowed_at,
    }


def _completion_time(
    outcome: Outcome, started_at: datetime | None, now: datetime
) -> datetime | None:
    """The time of the end, in whole seconds: shown durations must agree with shown times."""
    if outcome.phase not in TERMINAL_PHASES:
        return None
    ended_at = outcome.run.ended_at(now) if outcome.run else now
    return max(ended_at.replace(microsecond=0), started_at or _LONG_AGO)


def _run_status_of(run: Run) -> PipelineRunStatus:
    """The state of the run; counts only once the pipeline is resolved and there is a total."""
    total = len(run.task_names)
    return PipelineRunStatus(
        status=run.succeeded,
        reason=run.reason or None,
        message=run.message or None,
        completed_tasks=run.completed_tasks if total else None,
        total_tasks=total or None,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """The content of one condition, without its transition time."""

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
    more: Iterable[Claim] = (),
    generation: int,
    now: datetime,
) -> list[Condition]:
    """Build all conditions of a phase; transition times change only with the condition's status.

    ``more`` has those that not every status has. An earlier condition of another type is kept.
    """
    before = {condition.type: condition for condition in current}
    claims = [
        Claim(SUCCEEDED, _SUCCEEDED_BY_PHASE[phase], reason, message),
        Claim(PIPELINE_RUN_CREATED, "True", "PipelineRunCreated")
        if has_run
        else Claim(PIPELINE_RUN_CREATED, "False", reason, message),
        Claim(RECONCILING, "False" if phase in TERMINAL_PHASES else "True", reason),
        Claim(STALLED, "True" if phase is Phase.FAILED else "False", reason),
    ]
    built = [
        _condition(claim, before.get(claim.type), generation, now) for claim in (*claims, *more)
    ]
    written = {condition.type for condition in built}
    return built + [condition for kind, condition in before.items() if kind not in written]


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


def claims_of_2025(outcome: Outcome, *, has_run: bool) -> list[Claim]:
    """The conditions by which clients of the controller of December 2025 know a state.

    They say what phase, reason and ``PipelineRunCreated`` say, and have no message of their own.
    """
    if outcome.phase is Phase.SKIPPED:
        locked_by = _LOCKED.get(outcome.reason, outcome.reason)
        return [Claim(RESOURCE_LOCKED, "True", locked_by)]
    has_failed = outcome.phase is Phase.FAILED
    if not has_run:
        why = _NOT_CREATED.get(outcome.reason, "PipelineCreationFailed")
        return [Claim(PIPELINE_CREATED, "False", why)] if has_failed else []
    claims = [Claim(PIPELINE_CREATED, "True", "PipelineCreated")]
    if outcome.run is not None and outcome.run.started_at is not None:
        # It stays true after the end, as it did there: it says that Tekton has begun.
        claims.append(Claim(PIPELINE_RUNNING, "True", "PipelineStarted"))
    if outcome.phase is Phase.COMPLETED:
        claims.append(Claim(PIPELINE_COMPLETE, "True", "PipelineSucceeded"))
    if has_failed:
        why = _NOT_COMPLETE.get(outcome.reason, "PipelineFailed")
        claims.append(Claim(PIPELINE_COMPLETE, "False", why))
    return claims


def claims_on(asked: str, run: Run) -> list[Claim]:
    """The conditions on the bundle and on the parameters of a run.

    ``asked`` is the digest that the execution is pinned to; empty where that is not known.
    """
    on_bundle = claim_on_bundle(asked, run)
    claims = [on_bundle] if on_bundle else []
    if run.undeclared:
        said = run.undeclared.describe()
        claims.append(Claim(UNDECLARED_PARAMETER, "True", UNDECLARED_PARAMETER, said))
    return claims


def claim_on_bundle(asked: str, run: Run) -> Claim | None:
    """Whether the bundle that ran is the one that was pinned; None where that is not known yet.

    Args:
        asked: the digest that the execution is pinned to; empty where that is not known.
        run: its run.
    """
    asked = asked or run.pinned_digest
    if not asked or not run.fetched_digest:
        return None
    if run.fetched_digest == asked:
        return Claim(BUNDLE_VERIFIED, "True", "DigestMatches")
    if run.pinned_digest != asked:
        return Claim(
            BUNDLE_VERIFIED,
            "False",
            "DigestMismatch",
            f"the execution asks for the bundle {asked}, and the run was made to ask Tekton for "
            f"{run.pinned_digest or 'one without a digest'}, as an admission webhook can do; "
            f"Tekton fetched {run.fetched_digest}: what ran is not what was audited",
        )
    return Claim(
        BUNDLE_VERIFIED,
        "Unknown",
        "DigestOfIndex",
        f"Tekton checks what it fetches by digest, and reports {run.fetched_digest} where "
        f"{asked} was asked for, as it does where that is an OCI index which names this image; "
        "to have the two compared, pin the digest of the image",
    )


def parse_status(raw: Mapping[str, Any]) -> WorkflowExecutionStatus:
    """Read a status; fields that others wrote in another form read as absent."""
    try:
        return WorkflowExecutionStatus.model_validate(raw)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors()}
        return WorkflowExecutionStatus.model_validate(
            {key: value for key, value in raw.items() if key not in wrong}
        )


def status_to_json(status: WorkflowExecutionStatus) -> dict[str, Any]:
    """The status in the form of the API; fields without a value are absent."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def status_patch(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Merge patch from one status to another; empty where they are the same.

    Fields that are no longer wanted are null, at any depth: a merge patch keeps what it does not
    name.
    """
    changed = {
        key: _value_patch(current.get(key), value)
        for key, value in wanted.items()
        if key not in current or current[key] != value
    }
    return {**changed, **{key: None for key in current if key not in wanted}}


def _value_patch(before: Any, value: Any) -> Any:
    both = isinstance(before, Mapping) and isinstance(value, Mapping)
    return status_patch(before, value) if both else value
