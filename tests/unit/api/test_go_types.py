"""Orchestrators written in Go, against the December 2025 types, can read whatever we write."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, ago, make_task_run, step
from go_types.decoder import GoDecodeError, decode_status
from go_types.statuses import (
    all_statuses,
    ended_run,
    failure_of,
    outcomes,
    recent_skip,
    run,
    told,
)
from go_types.structs import EXTRAS, FAILURE_REASONS, PHASES, SKIP_REASONS, STRUCTS
from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import outcome_of_run

STATUSES = all_statuses()
FULL = {
    **STATUSES["exited"],
    "skipDetails": {
        **STATUSES["busy"]["skipDetails"],
        "recentRemediation": STATUSES["recent"]["skipDetails"]["recentRemediation"],
    },
    "consecutiveFailures": 2,
    "nextAllowedExecution": "2026-01-02T12:00:00Z",
}

CONDITION = FULL["conditions"][0]


@pytest.mark.parametrize("name", STATUSES)
def test_go_can_read_every_status(name: str) -> None:
    decode_status(STATUSES[name])


def test_every_phase_reason_and_struct_is_among_them() -> None:
    assert {status["phase"] for status in STATUSES.values()} == set(PHASES)
    failures = [
        status["failureDetails"] for status in STATUSES.values() if "failureDetails" in status
    ]
    assert {failure["reason"] for failure in failures} == set(FAILURE_REASONS)
    assert {failure["wasExecutionFailure"] for failure in failures} == {True, False}
    skips = [said["skipDetails"] for said in STATUSES.values() if "skipDetails" in said]
    assert {name for skip in skips for name in skip} == set(STRUCTS["SkipDetails"])


def test_the_models_have_the_enums_of_go() -> None:
    assert tuple(Phase) == PHASES
    assert tuple(SkipReason) == SKIP_REASONS
    assert tuple(FailureReason) == FAILURE_REASONS


def test_the_models_have_the_fields_of_go_and_no_others_but_the_listed() -> None:
    schema = WorkflowExecutionStatus.model_json_schema()
    models = {
        "WorkflowExecutionStatus": schema,
        "LocalObjectReference": schema["$defs"]["PipelineRunRef"],
        "PipelineRunStatusSummary": schema["$defs"]["PipelineRunStatus"],
        "ConflictingWorkflowRef": schema["$defs"]["ConflictingWorkflow"],
        "RecentRemediationRef": schema["$defs"]["RecentRemediation"],
    } | {name: schema["$defs"][name] for name in ("FailureDetails", "SkipDetails", "Condition")}
    assert set(models) == set(STRUCTS) - {"ObjectReference"}
    for name, model in models.items():
        assert set(model["properties"]) == set(STRUCTS[name]) | set(EXTRAS.get(name, {}))
    assert set(schema["$defs"]["RequestReference"]["properties"]) < set(STRUCTS["ObjectReference"])


TEXTS = st.sampled_from(["", "Failed", "Tasks Completed: 1 (Failed: 1), Skipped: 0", "zähe\n\0 💥"])
SECONDS = st.integers(min_value=-100_000, max_value=100_000).map(lambda s: timedelta(seconds=s))
STEPS = st.builds(
    step,
    st.sampled_from(["read", "write"]),
    st.none() | st.integers(min_value=-(2**31), max_value=2**31 - 1),
    st.sampled_from(["", "OOMKilled", "Error", "Completed"]),
)
TASK_RUNS = st.builds(
    lambda task, reason, message, steps: make_task_run(task, "False", reason, message, steps=steps),
    st.sampled_from(["check", "change", "unheard-of"]),
    st.sampled_from(["", "Failed", "TaskRunTimeout", "TaskRunImagePullFailed", "TaskRunCancelled"]),
    TEXTS,
    st.lists(STEPS, max_size=3),
)


@given(
    reason=st.sampled_from(["", "Failed", "Cancelled", "PipelineRunTimeout", "CouldntGetPipeline"]),
    message=TEXTS,
    task_runs=st.lists(TASK_RUNS, max_size=3),
    took=SECONDS,
    micros=st.integers(min_value=0, max_value=999_999),
)
def test_go_can_read_any_failure_of_a_run(
    reason: str, message: str, task_runs: list[Any], took: timedelta, micros: int
) -> None:
    begun = outcome_of_run(run(started_at=ago(minutes=9)), None)
    failed = ended_run("False", reason, message=message, completed_at=NOW + took)
    ended = outcome_of_run(failed, failure_of(failed, task_runs))
    for status in told([begun, ended], NOW + timedelta(microseconds=micros)):
        decode_status(status)


@given(
    outcome=st.sampled_from([Phase.COMPLETED, Phase.FAILED]),
    remaining_s=st.floats(min_value=0.000001, max_value=1e7),
    micros=st.integers(min_value=0, max_value=999_999),
)
def test_go_can_read_any_rest_of_a_cooldown(
    outcome: Phase, remaining_s: float, micros: int
) -> None:
    now = NOW + timedelta(microseconds=micros)
    (status,) = told([outcome_of_skip(recent_skip(outcome, remaining_s + 1), now)], now)
    decode_status(status)


@given(st.lists(st.sampled_from(list(outcomes().values())), min_size=1, max_size=6))
def test_go_can_read_any_history(steps: list[Any]) -> None:
    for status in told(steps):
        decode_status(status)


def changed(path: str, value: object = ...) -> dict[str, Any]:
    """The fullest status with one field changed, or taken out."""
    first, _, rest = path.partition(".")
    return _changed(FULL, first, rest, value)


def _changed(node: dict[str, Any], first: str, rest: str, value: object) -> dict[str, Any]:
    if rest:
        inner, _, more = rest.partition(".")
        return {**node, first: _changed(node[first], inner, more, value)}
    kept = {key: said for key, said in node.items() if key != first}
    return kept if value is ... else {**kept, first: value}


def test_the_fullest_status_is_read() -> None:
    decode_status(FULL)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (changed("phase", "Paused"), "is not one of"),
        (changed("phase", ""), "is not left out"),
        (changed("phase", None), "is not left out"),
        (changed("conditions", []), "is not left out"),
        (changed("conditions", {"type": "Succeeded"}), "is not a list"),
        (changed("conditions", ["Succeeded"]), r"conditions\[0\].* is not a Condition"),
        (changed("skipDetails", {}), "is not left out"),
        (changed("conditions", [{**CONDITION, "reason": ""}]), "is not like"),
        (changed("conditions", [{**CONDITION, "reason": "two words"}]), "is not like"),
        (changed("conditions", [{**CONDITION, "message": "m" * 32769}]), "is not like"),
        (changed("surprise", 1), "is not known to WorkflowExecutionStatus"),
        (changed("startTime", "2026-01-02T12:00:00.5Z"), "is not a TIME"),
        (changed("startTime", "2026-01-02T12:00:00+00:00"), "is not a TIME"),
        (changed("startTime", "2026-02-30T12:00:00Z"), "is not a TIME"),
        (changed("startTime", 1767355200), "is not a TIME"),
        (changed("duration", "1d"), "is not a DURATION"),
        (changed("duration", "1:05"), "is not a DURATION"),
        (changed("duration", 65), "is not a DURATION"),
        (changed("duration", "2562048h"), "is not a DURATION"),
        (changed("consecutiveFailures", 2**31), "is not a INT32"),
        (changed("consecutiveFailures", 1.5), "is not a INT32"),
        (changed("observedGeneration", "1"), "is not a INT64"),
        (changed("failureDetails.exitCode", True), "is not a INT32"),
        (changed("failureDetails.wasExecutionFailure", "true"), "is not a BOOL"),
        (changed("failureDetails.failedTaskName"), "is not there"),
        (changed("failureDetails.reason", "Tired"), "is not one of"),
        (changed("failureDetails.message", None), "is not a STRING"),
        (changed("skipDetails.conflictingWorkflow.startedAt"), "is not there"),
        (changed("skipDetails.conflictingWorkflow.uid", "4711"), "is not known to Conf"),
    ],
)
def test_what_go_cannot_read_is_refused(status: dict[str, Any], message: str) -> None:
    with pytest.raises(GoDecodeError, match=message):
        decode_status(status)


@pytest.mark.parametrize("text", ["0", "0s", "1m5s", "-1.5h", "1.s", ".5s", "300ms", "2562047h47m"])
def test_every_duration_of_go_is_read(text: str) -> None:
    decode_status(changed("duration", text))
