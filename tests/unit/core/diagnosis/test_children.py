"""Diagnosis over attempts, and over tasks that are no TaskRuns."""

from dataclasses import replace

import pytest

from builders import NOW, RUN_NAMESPACE, ago, make_execution, make_run, make_task_run, raw_task_run
from builders import step as a_step
from workflowexecution.api.status import FailureReason
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, parse_child


def failed_run(reason: str = "Failed") -> Run:
    return make_run("mine", succeeded="False", reason=reason, message="m", completed_at=ago())


def custom(succeeded: str = "False", reason: str = "Denied", message: str = "by jane") -> TaskRun:
    raw = raw_task_run("approve", succeeded, reason, message)
    return parse_child(raw, ChildKind.CUSTOM_RUN)


def details(run: Run, *children: TaskRun, has_started: bool = False) -> FailureDetails:
    return details_of(
        diagnose(run, children, has_started=has_started),
        make_execution(),
        task_names=["check", "approve", "outer"],
        started_at=ago(minutes=5),
        failed_at=NOW,
    )


def test_a_custom_task_that_failed_is_named_with_its_words() -> None:
    told = details(failed_run(), make_task_run("check", "True", "Succeeded"), custom())
    assert (told.failed_task_name, told.failed_task_index) == ("approve", 1)
    assert told.reason is FailureReason.TASK_FAILED
    see = f"see: kubectl describe customrun -n {RUN_NAMESPACE} run-approve"
    assert told.message == f"task 'approve': Denied: by jane; {see}"
    assert told.was_execution_failure is True
    assert "A custom task had begun, so " in told.natural_language_summary


@pytest.mark.parametrize(
    ("run_reason", "child", "reason"),
    [
        ("PipelineRunTimeout", custom(), FailureReason.DEADLINE_EXCEEDED),
        ("Failed", custom(reason="CustomRunTimedOut"), FailureReason.DEADLINE_EXCEEDED),
        ("Failed", custom("Unknown", ""), FailureReason.UNKNOWN),
        ("Cancelled", custom(reason="CustomRunCancelled"), FailureReason.UNKNOWN),
    ],
)
def test_a_custom_task_is_classed(run_reason: str, child: TaskRun, reason: FailureReason) -> None:
    assert details(failed_run(run_reason), child).reason is reason


def test_a_task_that_did_not_end_is_named() -> None:
    waits = replace(custom("Unknown", "", ""), has_begun=False)
    told = details(failed_run("PipelineRunTimeout"), waits)
    assert told.failed_task_name == "approve"
    assert told.message.startswith("PipelineRunTimeout: m; task 'approve' had not ended; see: ")
    assert told.was_execution_failure is False


def test_steps_count_more_than_a_custom_task_that_had_begun() -> None:
    worked = make_task_run("check", "True", "Succeeded", steps=[a_step("a", 0)])
    told = details(failed_run(), worked, custom())
    assert "Steps had started, so " in told.natural_language_summary


def test_the_earlier_attempt_is_told_and_the_last_is_the_cause() -> None:
    last = "TaskRunImagePullFailed"
    never = a_step("a", 1, last, last)
    never["terminated"]["startedAt"] = ""
    first = make_task_run("check", steps=[a_step("a", 1)])
    task = replace(make_task_run("check", reason=last, steps=[never]), earlier=(first,))
    told = details(failed_run(), task)
    assert (told.reason, told.was_execution_failure) == (FailureReason.IMAGE_PULL_BACK_OFF, True)
    assert "Steps had started in an earlier attempt of task 'check', so " in (
        told.natural_language_summary
    )
    assert details(failed_run(), replace(task, earlier=())).was_execution_failure is False


def test_what_pods_have_shown_counts_without_any_task() -> None:
    assert details(failed_run(), has_started=True).was_execution_failure is True


def test_a_run_that_is_a_task_fails_for_what_failed_in_it() -> None:
    inner = replace(make_task_run("outer", steps=[a_step("a", 7)]), within="inner")
    outer = parse_child(raw_task_run("outer", reason="Failed"), ChildKind.RUN)
    for children in ((inner, outer), (outer, inner)):
        told = details(failed_run(), *children)
        assert (told.failed_task_name, told.failed_task_index) == ("outer", 2)
        assert (told.failed_step_name, told.exit_code) == ("a", 7)
        assert told.message.startswith("task 'outer/inner', step 'a' ended with exit code 7")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("CouldntGetPipeline", FailureReason.CONFIGURATION_ERROR),
        ("PipelineRunTimeout", FailureReason.DEADLINE_EXCEEDED),
        ("Failed", FailureReason.UNKNOWN),
    ],
)
def test_a_run_that_is_a_task_is_classed_like_any_run(reason: str, expected: FailureReason) -> None:
    outer = parse_child(raw_task_run("outer", reason=reason), ChildKind.RUN)
    told = details(failed_run(), outer)
    assert told.reason is expected
    assert f"kubectl describe pipelinerun -n {RUN_NAMESPACE} run-outer" in told.message
