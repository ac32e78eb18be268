"""Live reads: how long they are fresh, and what they make known."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from builders import (
    NAMESPACE,
    NOW,
    RUN_NAMESPACE,
    make_execution,
    make_policy,
    make_run,
    raw_execution,
    raw_run,
    raw_task_run,
    run_status,
    step,
)
from clocks import FixedClock
from workflowexecution.cache.memory import Memory
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.context import Context
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.kube import errors

FAILED = run_status("False", "Failed", completed_at=NOW)
ENDED: dict[str, Any] = {"succeeded": "False", "reason": "Failed", "completed_at": NOW}
RUN = make_run("mine")


def active_task(run_name: str) -> dict[str, Any]:
    return {"metadata": {"name": "t", "labels": {"tekton.dev/pipelineRun": run_name}}}


class Here:
    """A cluster of what a test puts in it, read and never written."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.task_runs: list[dict[str, Any]] = []
        self.pods: list[dict[str, Any]] = []
        self.asked: list[tuple[str, ...]] = []
        # What an answer that nothing is there names; None for what was asked for.
        self.missing: str | None = None
        # What happens while an answer is on its way.
        self.on_the_way: Callable[[], object] = lambda: None

    async def get_run(self, _: str, name: str) -> dict[str, Any]:
        return await self._get(self.runs, name)

    async def get_execution(self, _: str, name: str) -> dict[str, Any]:
        return await self._get(self.executions, name)

    async def list_task_runs(self, _: str, names: Sequence[str]) -> list[dict[str, Any]]:
        self.asked.append(tuple(names))
        labels = [raw["metadata"]["labels"]["tekton.dev/pipelineRun"] for raw in self.task_runs]
        return [raw for raw, name in zip(self.task_runs, labels, strict=True) if name in names]

    async def list_pods(self, _: str, __: Sequence[str]) -> list[dict[str, Any]]:
        return self.pods

    async def list_child_runs(self, *_: Any) -> list[dict[str, Any]]:
        return []

    async def list_custom_runs(self, *_: Any) -> list[dict[str, Any]]:
        return []

    async def _get(self, objects: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        found = objects.get(name)
        self.on_the_way()
        if found is None:
            missing = name if self.missing is None else self.missing
            raise errors.NotFoundError(f"{name} not found", status=404, name=missing)
        return found


class Added:
    """Keys in the order in which they were queued."""

    def __init__(self) -> None:
        self.keys: list[Any] = []

    def add(self, key: Any) -> None:
        self.keys.append(key)


@pytest.fixture
def here() -> Here:
    return Here()


@pytest.fixture
def store() -> Store:
    return Store(RUN_NAMESPACE)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def told() -> Added:
    return Added()


@pytest.fixture
def reader(here: Here, store: Store, clock: FixedClock, told: Added) -> LiveReads:
    cluster, silent, executions = cast(Cluster, here), cast(Any, None), cast(Any, told)
    policy, runs = make_policy(), cast(Any, Added())
    context = Context(cluster, store, Memory(), silent, policy, clock, executions, runs)
    return LiveReads(context)


def test_what_was_seen_is_fresh_for_a_second(reader: LiveReads, clock: FixedClock) -> None:
    a, b, c = ("runs", "a"), ("runs", "b"), ("runs", "c")
    assert not reader.is_fresh(a)
    reader.mark_fresh(a)
    clock.advance(0.75)
    reader.mark_fresh(b)
    assert (reader.is_fresh(a), reader.is_fresh(b)) == (True, True)
    clock.advance(0.25)
    assert (reader.is_fresh(a), reader.is_fresh(b)) == (False, True)
    reader.mark_fresh(c)
    assert sorted(reader._seen_at) == [b, c]


async def test_a_run_that_is_gone_holds_its_target_and_that_is_fresh(
    reader: LiveReads, store: Store
) -> None:
    store.observe_run(RUN, now=NOW)
    gone = await reader.read_run(RUN.key)
    assert gone is not None
    assert (gone.is_gone, reader.is_fresh(RUN.key)) == (True, True)
    assert await reader.read_run((RUN_NAMESPACE, "never-was")) is None


@pytest.mark.parametrize("missing", ["", "another"])
async def test_an_answer_that_does_not_name_the_object_does_not_show_that_it_is_gone(
    here: Here, reader: LiveReads, store: Store, missing: str
) -> None:
    """A proxy whose servers are away answers so; the run goes on."""
    mine = make_execution("mine")
    store.observe_run(RUN, now=NOW)
    store.observe_execution(mine, now=NOW)
    here.missing = missing
    with pytest.raises(errors.UnavailableError, match="does not show that"):
        await reader.read_run(RUN.key)
    with pytest.raises(errors.UnavailableError, match="does not show that mine is gone"):
        await reader.read_execution(NAMESPACE, "mine")
    assert store.run(RUN.key) == RUN
    assert not reader.is_fresh(RUN.key)
    assert [one.uid for one in store.executions()] == [mine.uid]


async def test_a_run_that_is_told_of_after_none_was_there_is_not_gone(
    here: Here, reader: LiveReads, store: Store
) -> None:
    here.on_the_way = lambda: store.observe_run(RUN, now=NOW)
    assert await reader.read_run(RUN.key) == RUN
    assert store.run(RUN.key) == RUN


async def test_an_execution_that_is_told_of_after_none_was_there_is_kept(
    here: Here, reader: LiveReads, store: Store
) -> None:
    made = make_execution("mine")
    here.on_the_way = lambda: store.observe_execution(made, now=NOW)
    assert await reader.read_execution(NAMESPACE, "mine") is None
    assert [one.uid for one in store.executions()] == [made.uid]


async def test_whoever_finds_that_a_run_has_stopped_has_its_execution_tell(
    here: Here, reader: LiveReads, store: Store, told: Added
) -> None:
    store.observe_execution(make_execution("other"), now=NOW)
    ended = [make_run("other", number=1, **ENDED), make_run(None, number=2, **ENDED)]
    for run in ended:
        store.observe_run(run, now=NOW)
    await reader.settle_stopping(ended)
    assert told.keys == ["uid-of-other"]


async def test_a_run_that_has_ended_holds_by_what_is_left_of_it(
    here: Here, reader: LiveReads, store: Store, clock: FixedClock
) -> None:
    raw = raw_run("other", status=FAILED)
    key = (RUN_NAMESPACE, raw["metadata"]["name"])
    here.runs[key[1]] = raw
    here.task_runs = [active_task(key[1])]
    assert not reader.is_holder_fresh(key)
    await reader.read_run(key)
    assert (reader.is_fresh(key), reader.is_holder_fresh(key)) == (True, False)
    await reader.confirm_holder(key)
    assert reader.is_holder_fresh(key)
    clock.advance(1)
    assert not reader.is_holder_fresh(key)


async def test_a_look_that_found_nothing_left_is_no_evidence(
    here: Here, reader: LiveReads, store: Store
) -> None:
    raw = raw_run("other", status=FAILED)
    here.runs[raw["metadata"]["name"]] = raw
    key = (RUN_NAMESPACE, raw["metadata"]["name"])
    await reader.confirm_holder(key)
    store.take_in_gone_run(make_run("other", is_gone=True), now=NOW)
    assert store.run(key) is not None
    assert not reader.is_holder_fresh(key)


async def test_a_run_nobody_knows_holds_nothing(reader: LiveReads, store: Store) -> None:
    assert await reader.read_run(RUN.key) is None
    assert (reader.is_fresh(RUN.key), reader.is_holder_fresh(RUN.key)) == (True, False)


async def test_a_run_that_goes_on_holds_by_itself(
    here: Here, reader: LiveReads, store: Store
) -> None:
    here.runs[RUN.name] = raw_run("mine")
    await reader.confirm_holder(RUN.key)
    assert reader.is_holder_fresh(RUN.key)


async def test_a_run_that_took_the_name_of_another(
    here: Here, reader: LiveReads, store: Store
) -> None:
    store.observe_run(RUN, now=NOW)
    here.runs[RUN.name] = raw_run("second", uid="uid-2", version=2)
    seen = await reader.read_run(RUN.key)
    assert seen is not None
    assert (seen.uid, store.run(RUN.key)) == ("uid-2", seen)


@pytest.mark.parametrize("has_task", [True, False])
async def test_a_holder_that_failed_is_looked_at_with_all_others_that_failed(
    here: Here, reader: LiveReads, store: Store, has_task: bool
) -> None:
    failed = [raw_run("other", number=number, status=FAILED) for number in range(1, 31)]
    for number, raw in enumerate(failed, 1):
        here.runs[raw["metadata"]["name"]] = raw
        store.observe_run(
            make_run("other", number=number, succeeded="False", completed_at=NOW), now=NOW
        )
    held = failed[3]["metadata"]["name"]
    here.task_runs = [active_task(held)] if has_task else []
    await reader.confirm_holder((RUN_NAMESPACE, failed[0]["metadata"]["name"]))
    left = [run.name for run in store.targets.unfinished_on(RUN.target_key)]
    assert left == ([held] if has_task else [])
    assert [len(asked) for asked in here.asked] == [30]


HELD_POD: dict[str, Any] = {
    "metadata": {"name": "run-work-pod", "namespace": RUN_NAMESPACE},
    "spec": {"containers": [{"name": "step-work", "args": ["/tekton/downward/ready"]}]},
    "status": {
        "phase": "Running",
        "containerStatuses": [{"name": "step-work", "state": {"running": {}}}],
    },
}


@pytest.mark.parametrize(("is_held", "expected"), [(True, None), (False, True)])
async def test_what_an_earlier_look_has_shown_is_not_unlearnt_when_the_pod_is_gone(
    here: Here, reader: LiveReads, store: Store, is_held: bool, expected: bool | None
) -> None:
    """Tekton writes a step that it holds back as one that began."""
    labels = {"tekton.dev/pipelineRun": RUN.name}
    task = raw_task_run("work", reason="TaskRunCancelled", steps=[step("work", 1)])
    task["metadata"]["labels"] |= labels
    ready = {} if is_held else {"tekton.dev/ready": "READY"}
    pod = {**HELD_POD, "metadata": {**HELD_POD["metadata"], "labels": labels, "annotations": ready}}
    here.task_runs, here.pods = [task], [pod]
    store.observe_run(make_run("mine", **ENDED), now=NOW)

    await reader.read_leftovers(RUN)
    here.pods = []
    await reader.read_leftovers(RUN)

    known = store.run(RUN.key)
    assert known is not None
    assert known.has_started is expected


async def test_an_execution_that_is_gone_is_forgotten(reader: LiveReads, store: Store) -> None:
    stays = make_execution("other")
    for known in (make_execution("mine"), stays):
        store.observe_execution(known, now=NOW)
    assert await reader.read_execution(NAMESPACE, "mine") is None
    assert [one.uid for one in store.executions()] == [stays.uid]


async def test_an_execution_that_took_the_name_is_told_of(
    here: Here, reader: LiveReads, store: Store, told: Added
) -> None:
    """A live read may learn of it long before the watch does: nobody else would work on it."""
    store.observe_execution(make_execution("mine"), now=NOW)
    here.executions["mine"] = raw_execution("mine", uid="uid-2", version=2)
    assert await reader.read_execution(NAMESPACE, "mine", "uid-of-mine") is None
    assert [item.uid for item in store.executions()] == ["uid-2"]
    assert told.keys == ["uid-2"]
