"""Diagnosis of a run that lacks a result of its workflow."""

import pytest

from builders import ago, make_run, make_task_run, step
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun


def failed_run(reason: str = "Failed", message: str = "Tasks failed: 1") -> Run:
    return make_run(
        "mine", succeeded="False", reason=reason, message=message, completed_at=ago(minutes=1)
    )


def lacking(*names: str) -> Run:
    told = f"invalid pipelineresults [{' '.join(names)}], the referenced results don't exist"
    return failed_run("CouldntGetPipelineResult", told)


DONE = make_task_run("look", "True", "Succeeded", steps=[step("work", 0)])
IGNORED = make_task_run("try", reason="FailureIgnored", steps=[step("work", 3)])


@pytest.mark.parametrize("tasks", [[DONE], [DONE, IGNORED]], ids=["well", "one-ignored"])
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("found",), "'found'"),
        (("found", "both", "found"), "'found', 'both'"),
        ((), "one it names"),
    ],
)
def test_a_result_that_nobody_wrote_blames_no_task(
    tasks: list[TaskRun], names: tuple[str, ...], said: str
) -> None:
    found = diagnose(lacking(*names), tasks)
    assert (found.reason, found.cause) == (
        FailureReason.CONFIGURATION_ERROR,
        Cause.RESULT_NOT_WRITTEN,
    )
    assert (found.task, found.has_started) == (None, True)
    assert found.message.startswith(
        f"all tasks ended well, but the workflow did not write its result {said}: "
        "CouldntGetPipelineResult: "
    )
    assert found.see.startswith("kubectl describe pipelinerun ")


@pytest.mark.parametrize(
    ("task", "expected", "said"),
    [
        pytest.param(
            make_task_run("act", steps=[step("work", 137, "OOMKilled")]),
            FailureReason.OOM_KILLED,
            "task 'act', step 'work' ended with exit code 137: OOMKilled",
            id="out-of-memory",
        ),
        pytest.param(
            make_task_run("act", reason="TaskRunTimeout", steps=[step("work", 1)]),
            FailureReason.DEADLINE_EXCEEDED,
            "task 'act'",
            id="late",
        ),
        pytest.param(
            make_task_run("act", reason="TaskRunCancelled", message="by a person"),
            FailureReason.UNKNOWN,
            "task 'act': TaskRunCancelled: by a person",
            id="cancelled",
        ),
    ],
)
def test_a_result_that_is_missing_for_a_failure_is_not_its_cause(
    task: TaskRun, expected: FailureReason, said: str
) -> None:
    found = diagnose(lacking("found"), [DONE, task])
    assert found.reason == expected
    assert found.message.startswith(said)
    assert "ended well" not in found.message
