"""One pass over an execution: what is asked, what is written, and when it is repeated."""

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    raw_execution,
    raw_run,
    raw_spec,
    run_status,
)
from reconcile_desk import Desk, message_of
from workflowexecution.core import names
from workflowexecution.core.decision import Snapshot, decide
from workflowexecution.core.verdict import Launch, Verdict
from workflowexecution.kube import errors

RUN_NAME = names.run_name(TARGET, 1)
KEY = (RUN_NAMESPACE, RUN_NAME)
ODD = "payment/deployment/payment-api"
NO_ANSWER = errors.UnavailableError("no answer")
RUNNING = {"phase": "Running", "pipelineRunRef": {"name": RUN_NAME, "namespace": RUN_NAMESPACE}}


async def test_a_launch_reports_its_run_in_the_same_pass_and_decides_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts: list[Verdict] = []

    def noted(facts: Snapshot) -> Verdict:
        verdicts.append(decide(facts))
        return verdicts[-1]

    monkeypatch.setattr("workflowexecution.controller.execution.decide", noted)
    desk.has_execution(raw_execution())
    await desk.reconcile()
    assert desk.asked() == ["create run", "patch status"]
    assert verdicts == [Launch(RUN_NAME)]
    assert desk.status()["phase"] == "Running"
    assert desk.status()["pipelineRunRef"]["name"] == RUN_NAME


async def test_a_name_that_another_has_taken_is_read_and_decided_on_again(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("other", status=run_status()), is_known=False)
    await desk.reconcile()
    assert desk.asked() == ["create run", "get run", "patch status"]
    assert desk.status()["skipDetails"]["reason"] == "ResourceBusy"
    assert desk.status()["skipDetails"]["conflictingWorkflow"]["name"] == "other"


async def test_a_name_that_it_has_taken_itself_is_its_run(desk: Desk) -> None:
    """As after a crash between the creation and its answer."""
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=run_status()), is_known=False)
    await desk.reconcile()
    assert desk.asked()[:2] == ["create run", "get run"]
    assert desk.status()["phase"] == "Running"
    assert desk.status()["pipelineRunRef"]["name"] == RUN_NAME


async def test_a_create_without_an_answer_that_was_carried_out(desk: Desk) -> None:
    desk.cluster.loses["create run"] = NO_ANSWER
    desk.has_execution(raw_execution())
    await desk.reconcile()
    assert desk.asked() == ["create run", "get run", "patch status"]
    assert desk.status()["phase"] == "Running"


async def test_a_create_without_an_answer_that_was_not_carried_out(desk: Desk) -> None:
    desk.cluster.refuses["create run"] = NO_ANSWER
    desk.has_execution(raw_execution())
    with pytest.raises(errors.UnavailableError):
        await desk.reconcile()
    assert desk.asked() == ["create run", "get run", "patch status"]
    assert desk.status()["phase"] == "Pending"
    assert "the cluster does not answer as needed: no answer" in message_of(desk.status())


async def test_nothing_is_decided_while_changes_may_have_been_missed(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.gaps.note()
    assert await desk.reconcile() == 0.5
    assert desk.asked() == []


async def test_a_skip_is_written_only_once_the_holder_was_read(desk: Desk) -> None:
    """A watch may not have told yet that the target is free."""
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("other", status=run_status()))
    await desk.reconcile()
    assert desk.asked() == ["get run", "patch status"]
    assert desk.status()["phase"] == "Skipped"


async def test_a_holder_that_has_succeeded_meanwhile_holds_no_more(desk: Desk) -> None:
    desk.has_execution(raw_execution(spec=raw_spec(workflow_id="scale-up")))
    desk.has_run(raw_run("other", status=run_status()))
    ended = run_status("True", "Succeeded", completed_at=ago(seconds=1), tasks=["change"])
    desk.has_run(raw_run("other", status=ended), is_known=False)
    await desk.reconcile()
    assert desk.asked() == ["get run", "create run", "patch status"]
    assert desk.status()["pipelineRunRef"]["name"] == names.run_name(TARGET, 2)


async def test_where_somebody_wrote_first_it_is_read_and_the_pass_repeated(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    newer = desk.has_execution(raw_execution(status={"phase": "Pending"}), is_known=False)
    with pytest.raises(errors.ConflictError):
        await desk.reconcile()
    assert desk.asked() == ["create run", "patch status", "get execution"]
    known = desk.store.execution("uid-of-mine")
    assert known is not None
    assert known.resource_version == newer.resource_version


async def test_one_that_is_gone_during_its_pass_is_forgotten_and_its_run_queued(
    desk: Desk,
) -> None:
    desk.has_execution(raw_execution())
    desk.cluster.on_the_way["create run"] = desk.lose_execution
    await desk.reconcile()
    assert desk.asked() == ["create run", "patch status", "get execution"]
    assert desk.store.execution("uid-of-mine") is None
    assert desk.runs.taken() == [KEY]
    desk.memory.drop_run(KEY)
    assert len(desk.memory) == 0, "its execution is remembered"


async def test_one_that_was_gone_before_its_pass_is_only_forgotten(desk: Desk) -> None:
    desk.memory.execution("uid-of-mine").looks = 3
    assert await desk.reconcile() is None
    assert (desk.asked(), len(desk.memory)) == ([], 0)


async def test_an_end_drops_what_was_remembered_of_both(desk: Desk) -> None:
    desk.has_execution(raw_execution(status=RUNNING))
    ended = run_status("True", "Succeeded", completed_at=NOW, tasks=["change"])
    run = desk.has_run(raw_run("mine", status=ended))
    desk.store.mark_stopped(run.key, run.uid, now=NOW)
    desk.memory.run(run.key).checks = 1
    assert await desk.reconcile() is None
    assert desk.asked() == ["patch status"]
    assert desk.status()["phase"] == "Completed"
    assert (desk.store.execution("uid-of-mine"), len(desk.memory)) == (None, 0)


@pytest.mark.parametrize(
    ("status", "error", "is_told"),
    [
        (None, errors.MissingRightError("you may not"), True),
        (None, NO_ANSWER, True),
        (RUNNING, errors.MissingRightError("you may not"), True),
        (RUNNING, NO_ANSWER, False),
    ],
)
async def test_what_keeps_it_from_being_decided_on_is_told_where_that_helps(
    desk: Desk, status: dict[str, object] | None, error: errors.ApiError, is_told: bool
) -> None:
    """Silence passes by itself: of a run that goes on it is not told."""
    desk.has_execution(raw_execution(status=status))
    desk.cluster.refuses = {"create run": error, "get run": error}
    with pytest.raises(type(error)):
        await desk.reconcile()
    assert ("patch status" in desk.asked()) == is_told
    assert desk.status().get("phase") == (status or {"phase": "Pending"})["phase"]


async def test_a_namespace_that_cannot_be_claimed_launches_nothing(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.cluster.refuses["create claim"] = NO_ANSWER
    with pytest.raises(errors.UnavailableError):
        await desk.reconcile()
    assert desk.asked() == ["patch status"]


async def test_an_unusual_spelling_costs_one_read_of_what_an_earlier_version_may_have_launched(
    desk: Desk,
) -> None:
    desk.has_execution(raw_execution(spec=raw_spec(ODD)))
    await desk.reconcile()
    assert desk.asked() == ["get run", "create run", "patch status"]
    assert desk.status()["pipelineRunRef"]["name"] == RUN_NAME


async def test_what_an_earlier_version_has_launched_holds_before_a_watch_reports_it(
    desk: Desk,
) -> None:
    desk.has_execution(raw_execution(spec=raw_spec(ODD)))
    former = f"{names.former_target_key(ODD)}-1"
    run = raw_run("other", target=ODD, name=former, status=run_status())
    desk.has_run(run, is_known=False)
    await desk.reconcile()
    assert desk.asked() == ["get run", "patch status"]
    assert desk.status()["skipDetails"]["conflictingWorkflow"]["name"] == "other"


async def test_a_run_that_an_earlier_version_has_launched_for_it_is_its_run(desk: Desk) -> None:
    desk.has_execution(raw_execution(spec=raw_spec(ODD)))
    former = f"{names.former_target_key(ODD)}-1"
    run = raw_run("mine", target=ODD, name=former, status=run_status())
    desk.has_run(run, is_known=False)
    await desk.reconcile()
    assert desk.asked() == ["get run", "patch status"]
    assert desk.status()["pipelineRunRef"]["name"] == former
