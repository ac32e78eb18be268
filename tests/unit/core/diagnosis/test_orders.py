"""The cause is the same in whatever order Tekton and the kubelet come to write it."""

import itertools
import json
from typing import Any

import pytest

from builders import ago, make_run, raw_task_run, step
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.facts.taskrun import parse_task_run

STEPS = ("find", "change", "verify")
SAID = [
    {"key": "failure-reason", "value": "Forbidden", "type": 1},
    {"key": "failure-message", "value": "may not patch", "type": 1},
]
# What Tekton may see of a step after one that has failed: its entrypoint looks once a second
# whether it is its turn, and then skips it.
LATER: dict[str, dict[str, Any]] = {
    "waiting": {"waiting": {"reason": "ImagePullBackOff"}},
    "running": {"running": {"startedAt": "2026-01-02T11:57:00Z"}},
    "skipped": {},
}
# Ways in which Tekton ends a task whose steps have not all ended, and in which a run ends by them.
CUT_OFF = {
    "TaskRunTimeout": ("Failed", "PipelineRunTimeout"),
    "TaskRunCancelled": ("Cancelled", "PipelineRunTimeout", "Failed"),
    "TaskRunImagePullFailed": ("Failed",),
}
CREATED = "2026-01-02T11:50:00Z"


def later_steps(failed: int) -> list[tuple[str, ...]]:
    """Every state that the steps after one that failed can be seen in, at one moment."""
    return list(itertools.product(LATER, repeat=len(STEPS) - failed - 1))


def seen(failed: int, later: tuple[str, ...], reason: str) -> list[dict[str, Any]]:
    """Steps as they stand in a TaskRun once Tekton has ended it for this reason."""
    steps = [step(name, 0) for name in STEPS[:failed]]
    bad = step(STEPS[failed], 13, "Error", "Error")
    bad["terminated"]["message"] = json.dumps(SAID)
    steps.append(bad)
    for name, state in zip(STEPS[failed + 1 :], later, strict=True):
        if state == "skipped":
            steps.append(step(name, 1, "Error", "Skipped"))
            continue
        cut = step(name, 1, reason, reason)
        cut["terminated"]["startedAt"] = LATER[state].get("running", {}).get("startedAt", CREATED)
        steps.append(cut)
    return steps


CASES = [
    pytest.param(failed, later, reason, of_run, id=f"{STEPS[failed]}-{later}-{reason}-{of_run}")
    for failed in range(len(STEPS))
    for later in later_steps(failed)
    for reason, ends in CUT_OFF.items()
    for of_run in ends
    if set(later) - {"skipped"}
]


@pytest.mark.parametrize(("failed", "later", "reason", "of_run"), CASES)
def test_a_step_that_failed_is_the_cause_whatever_tekton_did_to_the_next(
    failed: int, later: tuple[str, ...], reason: str, of_run: str
) -> None:
    named = STEPS[len(STEPS) - 1]
    message = f'the step "{named}" in TaskRun "run-change" failed to pull the image ""'
    raw = raw_task_run("change", reason=reason, message=message, steps=seen(failed, later, reason))
    raw["metadata"]["creationTimestamp"] = CREATED
    run = make_run("mine", succeeded="False", reason=of_run, completed_at=ago(minutes=1))
    found = diagnose(run, [parse_task_run(raw)])
    assert found.step is not None
    assert (found.step.name, found.exit_code) == (STEPS[failed], 13)
    assert found.reason is FailureReason.FORBIDDEN
    assert "ended with exit code 13: may not patch" in found.message
    assert f"; Tekton then ended the task: {reason}" in found.message
    assert found.has_started


@pytest.mark.parametrize("failed", range(len(STEPS)))
def test_the_same_is_told_where_tekton_saw_all_of_it(failed: int) -> None:
    skipped = ("skipped",) * (len(STEPS) - failed - 1)
    raw = raw_task_run("change", reason="Failed", steps=seen(failed, skipped, "Failed"))
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=ago(minutes=1))
    found = diagnose(run, [parse_task_run(raw)])
    assert found.step is not None
    assert (found.step.name, found.exit_code) == (STEPS[failed], 13)
    assert found.reason is FailureReason.FORBIDDEN
    assert found.message.endswith("ended with exit code 13: may not patch")


def test_a_step_that_tekton_cut_off_is_the_cause_where_none_failed_before() -> None:
    reason = "TaskRunTimeout"
    steps = [step("find", 0), step("change", 1, reason, reason), step("verify", 1, reason, reason)]
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=ago(minutes=1))
    found = diagnose(run, [parse_task_run(raw_task_run("change", reason=reason, steps=steps))])
    assert found.step is not None
    assert (found.step.name, found.exit_code) == ("change", None)
    assert found.reason is FailureReason.DEADLINE_EXCEEDED
