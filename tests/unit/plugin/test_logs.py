"""`kubectl wfe logs`: what it says where there is no log to print."""

from typing import Any

import pytest

from builders import NOW, RUN_NAMESPACE, raw_execution, raw_run, raw_task_run, run_status, step
from unit.plugin.scripted import NOT_FOUND, json_of, scripted
from workflowexecution.core.facts.execution import cancellation_of
from workflowexecution.core.facts.taskrun import LABEL_RUN_UID
from workflowexecution.plugin.commands.logs import logs
from workflowexecution.plugin.shell import CommandError, Exit

RUN = raw_run("mine", status=run_status(tasks=("check", "change")))
MINE = raw_execution(
    "mine", status={"phase": "Running", "pipelineRunRef": {"name": RUN["metadata"]["name"]}}
)


def task_runs(*found: dict[str, Any]) -> dict[str, Any]:
    for raw in found:
        raw["metadata"]["labels"][LABEL_RUN_UID] = RUN["metadata"]["uid"]
    return {"metadata": {}, "items": list(found)}


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize(
    ("given", "named"),
    [
        (
            {"task": "nope"},
            "no task 'nope' is in {run}; its tasks are check, change",
        ),
        (
            {"task": "check", "step": "nope"},
            "no step 'nope' is in task 'check' of {run}; its steps are look",
        ),
    ],
)
async def test_a_task_or_step_that_does_not_exist_is_a_mistake(
    given: dict[str, Any], named: str, *, follow: bool
) -> None:
    listed = task_runs(raw_task_run("check", "True", "Succeeded", steps=[step("look", 0)]))
    async with scripted(json_of(MINE), json_of(RUN), json_of(listed)) as (session, _):
        with pytest.raises(CommandError) as told:
            await logs(session, "mine", follow=follow, **given)
    assert told.value.status is Exit.USAGE
    run = f"PipelineRun {RUN_NAMESPACE}/{RUN['metadata']['name']}"
    assert str(told.value) == named.format(run=run)


async def test_a_task_that_has_not_begun_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    listed = task_runs(raw_task_run("check", "True", "Succeeded", steps=[step("look", 0)]))
    async with scripted(json_of(MINE), json_of(RUN), json_of(listed)) as (session, _):
        assert await logs(session, "mine", task="change") is None
    assert "nothing has been written" in capsys.readouterr().err


async def test_a_log_that_is_gone_with_its_pod_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = {**RUN, "spec": {"status": "Cancelled"}, "status": run_status("False", "Cancelled")}
    jane = cancellation_of("jane", NOW, "wrong target").annotations()
    run["metadata"] = {
        **RUN["metadata"],
        "annotations": {**RUN["metadata"]["annotations"], **jane},
    }
    cancelled = raw_task_run("change", "False", "TaskRunCancelled", steps=[step("apply", 1)])
    answers = [json_of(one) for one in (MINE, run, task_runs(cancelled))]
    async with scripted(*answers, json_of(NOT_FOUND, 404)) as (session, _):
        assert await logs(session, "mine") is None
    assert capsys.readouterr().err == (
        "warning: the log of step change/apply: it is gone: Tekton deleted the pod when the run "
        "was cancelled by jane: wrong target\n"
    )


async def test_an_outage_is_told_without_the_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflowexecution.plugin.commands.logs._POLL_S", 0.01)
    ended = {**MINE, "status": {**MINE["status"], "phase": "Completed"}}
    away, none = json_of({"message": "starting"}, 503), json_of(task_runs())
    answers = (json_of(MINE), away, json_of(RUN), none, away, json_of(ended), json_of(RUN), none)
    async with scripted(*answers) as (session, _):
        assert await logs(session, "mine", follow=True) is None
    warning = "warning: the API server answers with status 503: starting; asking again\n"
    assert capsys.readouterr().err.count(warning) == 2
