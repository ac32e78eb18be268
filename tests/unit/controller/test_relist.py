"""A resync: what is let go of, what is kept, and what is queued."""

import pytest

from builders import NOW, RUN_NAMESPACE, TARGET, ago, raw_execution, raw_run, run_status
from reconcile_desk import Desk, labelled
from workflowexecution.controller.relist import Relist
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.run import RunState
from workflowexecution.kube import errors

KEY = (RUN_NAMESPACE, names.run_name(TARGET, 1))
LISTS = ["list executions", "list runs", "list active pods"]
ENDED = {"phase": "Completed", "completionTime": "2026-01-02T11:59:00Z"}


@pytest.fixture
def relist(desk: Desk) -> Relist:
    return Relist(desk.controller.context, desk.reader())


async def test_all_that_may_need_work_is_queued(desk: Desk, relist: Relist) -> None:
    desk.has_execution(raw_execution(), is_known=False)
    desk.has_execution(raw_execution("over", status=ENDED), is_known=False)
    desk.has_run(raw_run("mine", status=run_status()), is_known=False)
    await relist.relist()
    assert desk.asked() == LISTS
    assert (desk.executions.taken(), desk.runs.taken()) == (["uid-of-mine"], [KEY])


async def test_what_is_not_there_is_let_go_of_only_after_it_was_read(
    desk: Desk, relist: Relist
) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=run_status()))
    desk.lose_execution()
    desk.lose_run(KEY)
    found = await relist.relist()
    assert desk.asked() == [*LISTS, "get execution", "get run"]
    assert desk.store.executions() == []
    assert [run.state for run in desk.store.runs()] == [RunState.STOPPING]
    assert (found.missed_executions, found.missed_runs) == (1, 1)


async def test_what_was_made_after_the_list_is_kept(desk: Desk, relist: Relist) -> None:
    """A list may be older than our own write, or than what a watch has told."""
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=run_status()))
    stored = desk.cluster.stored.objects
    made = {kind: dict(objects) for kind, objects in stored.items()}
    for objects in stored.values():
        objects.clear()

    def come_into_view() -> None:
        for kind, objects in made.items():
            stored[kind].update(objects)

    desk.cluster.on_the_way["list active pods"] = come_into_view
    found = await relist.relist()
    assert desk.asked() == [*LISTS, "get execution", "get run"]
    assert len(desk.store.executions()) == 1
    assert [run.state for run in desk.store.runs()] == [RunState.ACTIVE]
    assert (found.missed_executions, found.missed_runs) == (0, 0)


async def test_what_a_watch_tells_while_it_is_listed_is_newer(desk: Desk, relist: Relist) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=run_status()))
    newer = parse_execution(raw_execution(version=99, status={"phase": "Running"}))
    ended = run_status("True", "Succeeded", completed_at=ago(seconds=5), tasks=["change"])
    finished = parse_run(raw_run("mine", version=99, status=ended))
    assert finished is not None

    def told() -> None:
        desk.store.observe_execution(newer, now=NOW)
        desk.store.observe_run(finished, now=NOW)

    desk.cluster.on_the_way["list executions"] = told
    stale = desk.cluster.stored.all("runs")
    desk.cluster.on_the_way["list runs"] = stale.clear
    await relist.relist()
    known = desk.store.execution("uid-of-mine")
    assert known is not None
    assert (known.resource_version, known.phase) == ("99", "Running")
    assert [run.succeeded for run in desk.store.runs()] == ["True"]


async def test_nothing_is_let_go_of_where_the_cluster_does_not_answer(
    desk: Desk, relist: Relist
) -> None:
    desk.has_execution(raw_execution())
    desk.has_run(raw_run("mine", status=run_status()))
    desk.lose_execution()
    desk.lose_run(KEY)
    desk.cluster.refuses["list active pods"] = errors.UnavailableError("no answer")
    with pytest.raises(errors.UnavailableError):
        await relist.relist()
    assert (len(desk.store.executions()), len(desk.store.runs())) == (1, 1)


@pytest.mark.parametrize("has_run", [True, False])
async def test_a_pod_of_a_run_nobody_knows_holds_where_that_run_is_gone(
    desk: Desk, relist: Relist, has_run: bool
) -> None:
    raw = raw_run("mine", status=run_status())
    if has_run:
        desk.cluster.on_the_way["list runs"] = lambda: desk.has_run(raw, is_known=False)
    meta = {**raw["metadata"], "name": "run-change-pod"}
    meta["labels"] = {**meta["labels"], names.KEY_TARGET_HASH: names.target_hash(TARGET)}
    desk.cluster.pods = [labelled({"metadata": meta, "status": {"phase": "Running"}}, KEY[1])]
    found = await relist.relist()
    assert desk.asked() == [*LISTS, "get run"]
    assert [(run.key, run.is_gone) for run in desk.store.runs()] == [(KEY, not has_run)]
    assert found.missed_runs == (0 if has_run else 1)


async def test_a_run_that_executes_again_after_it_had_stopped_holds_its_target_again(
    desk: Desk, relist: Relist
) -> None:
    """Tekton may start the pod of an evicted task again after it has failed the run."""
    ended = run_status("False", "Failed", completed_at=ago(seconds=5), tasks=["change"])
    raw = raw_run("mine", status=ended)
    run = desk.has_run(raw)
    desk.store.forget_execution("uid-of-mine", now=NOW)
    assert desk.store.mark_stopped(run.key, run.uid, now=NOW) is None
    meta = {**raw["metadata"], "name": "run-change-pod"}
    desk.cluster.pods = [labelled({"metadata": meta, "status": {"phase": "Running"}}, run.name)]
    await relist.relist()
    assert [one.state for one in desk.store.targets.unfinished_on(run.target_key)] == [
        RunState.STOPPING
    ]
    assert desk.runs.taken() == [run.key]


async def test_what_is_remembered_of_what_is_gone_is_dropped(desk: Desk, relist: Relist) -> None:
    desk.memory.execution("uid-of-gone").looks = 1
    desk.memory.run((RUN_NAMESPACE, "gone")).checks = 1
    await relist.relist()
    assert len(desk.memory) == 0
