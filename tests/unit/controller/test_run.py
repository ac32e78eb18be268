"""One pass over a run: whether it may go on, and what of it holds its target."""

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    raw_execution,
    raw_run,
    raw_task_run,
    run_status,
)
from reconcile_desk import LOOK, Desk, labelled
from workflowexecution.core import names
from workflowexecution.core.facts.run import RunState
from workflowexecution.kube import errors

KEY = (RUN_NAMESPACE, names.run_name(TARGET, 1))
SECOND = (RUN_NAMESPACE, names.run_name(TARGET, 2))
FAILED = run_status("False", "Failed", completed_at=NOW, tasks=["change"])


def asked_of(desk: Desk, key: tuple[str, str]) -> str | None:
    """The request to Tekton to end a run, its `spec.status`; None without one."""
    found: str | None = desk.cluster.stored.get("runs", "/".join(key))["spec"].get("status")
    return found


async def test_the_run_of_an_execution_goes_on(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=run_status()))
    assert await desk.reconcile_run(KEY) is None
    assert desk.asked() == []


async def test_a_foreign_run_is_left_alone(desk: Desk) -> None:
    """Also where it is the second on a target: nobody here made it."""
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", created_at=ago(minutes=5), status=run_status()))
    desk.has_run(raw_run(None, name="by-hand", status=run_status(), created_at=ago(minutes=1)))
    assert await desk.reconcile_run((RUN_NAMESPACE, "by-hand")) is None
    assert desk.asked() == []


async def test_the_younger_of_two_runs_on_a_target_is_ended(desk: Desk) -> None:
    for name in ("mine", "other"):
        desk.has_execution(raw_execution(name))
    desk.has_run(raw_run("other", created_at=ago(minutes=9), status=run_status()))
    desk.has_run(raw_run("mine", number=2, created_at=ago(minutes=1), status=run_status()))
    await desk.reconcile_run(KEY)
    assert desk.asked() == []
    await desk.reconcile_run(SECOND)
    # The first is read before the second is ended for it.
    assert desk.asked() == ["get run", "cancel run"]
    assert (asked_of(desk, KEY), asked_of(desk, SECOND)) == (None, "Cancelled")


@pytest.mark.parametrize("is_there", [True, False])
async def test_an_owner_nobody_has_told_of_is_read_before_its_run_is_ended(
    desk: Desk, is_there: bool
) -> None:
    desk.has_run(raw_run("mine", status=run_status()))
    if is_there:
        desk.has_execution(raw_execution(), is_known=False)
    await desk.reconcile_run(KEY)
    assert desk.asked() == ["get execution"] + ([] if is_there else ["cancel run"])
    assert asked_of(desk, KEY) == (None if is_there else "Cancelled")


async def test_a_failed_run_of_which_nothing_is_left_frees_its_target(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    run = desk.has_run(raw_run("mine", status=FAILED))
    assert await desk.reconcile_run(KEY) is None
    assert set(desk.asked()) == LOOK - {"list custom runs", "list child runs"}
    assert desk.store.targets.unfinished_on(run.target_key) == []
    assert desk.executions.taken() == ["uid-of-mine"]


async def test_a_task_that_goes_on_holds_and_is_looked_at_again(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=FAILED))
    desk.cluster.task_runs = [labelled(raw_task_run(succeeded="Unknown"), KEY[1])]
    again = await desk.reconcile_run(KEY)
    assert again is not None
    assert 0 < again < 10
    assert desk.store.run(KEY).state is RunState.STOPPING  # type: ignore[union-attr]
    assert desk.memory.run(KEY).why_held == (
        "the target is held until TaskRun run-change has stopped"
    )
    assert desk.executions.taken() == ["uid-of-mine"]


async def test_what_may_not_be_read_is_told_as_why_the_target_is_held(desk: Desk) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=FAILED))
    desk.cluster.refuses["list task runs"] = errors.MissingRightError("you may not list TaskRuns")
    with pytest.raises(errors.MissingRightError):
        await desk.reconcile_run(KEY)
    assert desk.memory.run(KEY).why_held == (
        "the target is held until what is left of it can be read: you may not list TaskRuns"
    )
    assert desk.executions.taken() == ["uid-of-mine"]


async def test_one_that_is_not_kept_any_more_is_only_forgotten(desk: Desk) -> None:
    desk.memory.run(KEY).checks = 3
    assert await desk.reconcile_run(KEY) is None
    assert (desk.asked(), len(desk.memory)) == ([], 0)
