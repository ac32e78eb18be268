"""Diagnosis of a run that was late: what it waited for, and what it did before."""

from dataclasses import replace

import pytest

from builders import ago, make_run, make_task_run, step
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun

CONFIGURATION = FailureReason.CONFIGURATION_ERROR


def failed_run(reason: str = "Failed", message: str = "Tasks failed: 1") -> Run:
    return make_run(
        "mine", succeeded="False", reason=reason, message=message, completed_at=ago(minutes=1)
    )


@pytest.mark.parametrize(
    ("was", "expected"),
    [
        ("ExceededResourceQuota", FailureReason.RESOURCE_EXHAUSTED),
        ("ExceededNodeResources", FailureReason.RESOURCE_EXHAUSTED),
        ("PullImageFailed", FailureReason.IMAGE_PULL_BACK_OFF),
        ("Running", FailureReason.DEADLINE_EXCEEDED),
    ],
)
def test_what_kept_a_task_waiting_is_the_cause_of_a_time_out(
    was: str, expected: FailureReason
) -> None:
    is_unknown = expected is FailureReason.DEADLINE_EXCEEDED
    message = f"TaskRun was cancelled\nPrevious status: [{was}] too much asked for"
    task = make_task_run("change", reason="TaskRunCancelled", message=message, pod_name="")
    found = diagnose(failed_run("PipelineRunTimeout", "too long"), [task])
    assert (found.reason, found.has_started) == (expected, False)
    assert found.cause is (Cause.NEVER_AT_WORK if is_unknown else None)


@pytest.mark.parametrize(
    ("waited_for", "expected", "cause"),
    [
        ("task 'x' has not begun", FailureReason.DEADLINE_EXCEEDED, Cause.NEVER_AT_WORK),
        ("x is forbidden: exceeded quota: q", FailureReason.RESOURCE_EXHAUSTED, None),
        (
            'admission webhook "p" denied the request: no',
            FailureReason.FORBIDDEN,
            Cause.POLICY_REFUSES,
        ),
        *(
            (
                f"task 'x' has not begun: FailedMount: MountVolume.SetUp failed for 's' : {why}",
                reason,
                cause,
            )
            for why, reason, cause in (
                ('secret "nowhere" not found', CONFIGURATION, None),
                ('configmap "nowhere" not found', CONFIGURATION, None),
                ('[secret "a" not found, configmap "b" not found]', CONFIGURATION, None),
                ("configmap references non-existent config key: k", CONFIGURATION, None),
                ("references non-existent secret key: k", CONFIGURATION, None),
                *(
                    (passing, FailureReason.DEADLINE_EXCEEDED, Cause.NEVER_AT_WORK)
                    for passing in (
                        "failed to sync secret cache: timed out waiting for the condition",
                        'object "runs"/"key" not registered',
                        "mount failed: exit status 32",
                        "driver name d not found in the list of registered CSI drivers",
                    )
                ),
            )
        ),
        (
            '0/1 nodes are available: persistentvolumeclaim "nowhere" not found. not found',
            CONFIGURATION,
            None,
        ),
        (
            "its pod cannot be scheduled: Scheduling is blocked due to non-empty scheduling gates",
            FailureReason.DEADLINE_EXCEEDED,
            Cause.NEVER_AT_WORK,
        ),
    ],
)
def test_a_run_that_was_late_with_nothing_at_work_tells_what_it_waited_for(
    waited_for: str, expected: FailureReason, cause: Cause | None
) -> None:
    found = diagnose(failed_run("PipelineRunTimeout", "too long"), [], waited_for=waited_for)
    assert (found.reason, found.cause) == (expected, cause)
    assert found.message == f"PipelineRunTimeout: too long; {waited_for}"


def test_a_run_that_waited_for_its_second_task_was_at_work_before() -> None:
    done = make_task_run("first", "True", "Succeeded", steps=[step("work", 0)])
    found = diagnose(failed_run("PipelineRunTimeout", "too long"), [done], waited_for="a quota")
    assert (found.cause, found.has_started) == (None, True)
    assert found.message.endswith("; a quota")


@pytest.mark.parametrize(
    ("run", "task"),
    [
        pytest.param(
            failed_run("PipelineRunTimeout", "too long"),
            make_task_run("t", reason="TaskRunCancelled", steps=[step("work", 1)]),
            id="a-step-was-at-work",
        ),
        pytest.param(failed_run(), make_task_run("t"), id="it-was-not-late"),
        pytest.param(failed_run("Cancelled", "by somebody"), None, id="it-was-cancelled"),
    ],
)
def test_what_was_waited_for_once_is_no_cause_of_another_end(
    run: Run, task: TaskRun | None
) -> None:
    found = diagnose(run, [task] if task else [], waited_for="exceeded quota: q")
    assert "quota" not in found.message


def test_an_attempt_that_waits_has_waited_whatever_the_one_before_did() -> None:
    before = make_task_run("t", steps=[step("work", 1)])
    task = replace(
        make_task_run("t", reason="TaskRunCancelled", message="was cancelled"), earlier=(before,)
    )
    run = failed_run("PipelineRunTimeout", "too long")
    said = 'FailedMount: MountVolume.SetUp failed for volume "s" : secret "nowhere" not found'
    found = diagnose(run, [task], waited_for=said)
    assert (found.reason, found.has_started) == (CONFIGURATION, True)
    assert found.message.endswith(said)
