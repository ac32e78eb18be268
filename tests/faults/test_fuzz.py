"""Specs and runs that hypothesis makes, through the real API server, with the operator at work."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import hostile
from harness.executions import execution, phase_of, unique
from harness.waiting import eventually
from harness.world import TERMINAL, World, open_world
from localcluster import Cluster
from localcluster.cluster import ApiError, Object
from reliability.results import is_long
from reliability.tally import Tally

AT_ONCE = 25
SPECS, RUNS = (5000, 1000) if is_long() else (100, 25)
CREATE, STATUS, EVENT = "create pipelineruns", "patch workflowexecutions/status", "create events"
# What any of these asks beyond that: of whom a target is held, and what is left of a run.
READS = ("get pipelineruns", "get workflowexecutions", "list taskruns", "list pods")
MOST_MB = 40


def many(count: int) -> settings:
    return settings(
        max_examples=count // AT_ONCE,
        phases=(Phase.generate,),
        deadline=None,
        derandomize=not is_long(),
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Twice(dict[str, Any]):
    """An object whose keys stand in its JSON twice."""

    def items(self) -> Any:
        return [*super().items(), *super().items()]


GOOD: Object = {
    "workflowRef": {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": "registry.example/restart:v1",
    },
    "parameters": {"REPLICAS": "3"},
    "executionConfig": {"timeout": "5m", "serviceAccountName": "kubernaut-workflow-runner"},
    "confidence": 0.5,
    "rationale": "because",
}
large = st.fixed_dictionaries(
    {},
    optional={
        "rationale": st.sampled_from(["x" * 65_536, "x" * 65_537, "\u00e9" * 65_536]),
        "parameters": st.sampled_from([{"A": "x" * 32_768}, {"A": "x" * 32_769}, {"A": "\n\t"}]),
        "confidence": st.sampled_from([0, 1, 1.0001, "0.5"]),
    },
)


# The schema lets these pass.
UNTOLD = (
    {"targetResource": "payment/Deployment/no\u00a0break"},
    {"executionConfig": {"timeout": "0.4us"}},
    {
        "workflowRef": {
            "workflowId": "restart",
            "version": "v1",
            "containerImage": f"registry.example/restart@sha256:{'a' * 64}",
            "containerDigest": f"sha256:{'b' * 64}",
        }
    },
)


@st.composite
def specs(draw: st.DrawFn) -> Object:
    """A good spec, one a little wrong, or anything."""
    match draw(st.integers(0, 5)):
        case 0:
            return {**GOOD, **draw(large)}
        case 1:
            return Twice(GOOD) if draw(st.booleans()) else {**GOOD, "parameters": draw(PARAMETERS)}
        case 2:
            return {**GOOD, "targetResource": draw(hostile.texts)}
        case 3:
            return dict(draw(st.dictionaries(st.sampled_from([*GOOD, "steps"]), hostile.values)))
        case 4:
            return {**GOOD, **draw(st.sampled_from(UNTOLD))}
        case _:
            return draw(hostile.changed(GOOD))


PARAMETERS = st.dictionaries(st.sampled_from(["A", "B_2", "a", "TARGET_RESOURCE"]), hostile.scalars)


@pytest.fixture(scope="module")
def fuzzed(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster) as world:
        yield world


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    found, before = Tally("fuzz"), request.session.testsfailed
    yield found
    is_whole = found.result.repetitions >= (SPECS + RUNS) * 0.9
    if is_long() and is_whole and request.session.testsfailed == before:
        found.record()


def test_specs_are_refused_with_the_field_or_come_to_an_end(fuzzed: World, tally: Tally) -> None:
    seen: Counter[str] = Counter()
    fill(fuzzed, [GOOD] * AT_ONCE, Counter())
    memory = resident_mb(fuzzed)

    @many(SPECS)
    @given(st.lists(specs(), min_size=AT_ONCE, max_size=AT_ONCE))
    def play(batch: list[Object]) -> None:
        fill(fuzzed, batch, seen)
        _tell(f"{sum(seen.values())}/{SPECS} specs: {dict(seen)}")

    play()
    assert sum(seen.values()) >= SPECS * 0.9, "hypothesis has stopped early"
    assert min(seen[key] for key in ("refused", "Completed", "Failed", "Skipped")) > 0, seen
    assert fuzzed.operator.metric("workflowexecution_queue_depth") == 0
    assert fuzzed.operator.metric("workflowexecution_active") == 0
    grown = resident_mb(fuzzed) - memory
    assert grown < MOST_MB, f"{grown} MB more"
    tally.add(
        executions=sum(seen.values()) - seen["refused"],
        repetitions=sum(seen.values()),
        refused_by_the_API_server=seen["refused"],
        MB_more_in_memory=round(grown),
    )


def fill(world: World, batch: list[Object], seen: Counter[str]) -> None:
    """Create all of a batch; see what is accepted to its end, and what that cost."""
    before = world.proxy.mark()
    shared = f"payment/Deployment/{unique('shared')}"
    accepted = []
    for number, spec in enumerate(batch):
        target = shared if number % 5 == 0 else f"payment/Deployment/{unique('app')}"
        item = execution("x", namespace=world.source)
        item["spec"] = dict_like(spec, {**item["spec"], "targetResource": target, **spec})
        try:
            accepted.append(world.executions.create(item, fieldValidation="Strict"))
        except ApiError as error:
            seen["refused"] += says_where(error)

    def ended() -> list[Object]:
        found = [world.read(item) for item in accepted]
        for item in found:
            if phase_of(item) == "Running":
                end(world, item)
        assert all(phase_of(item) in TERMINAL for item in found)
        return found

    phases = Counter(phase_of(item) for item in eventually(ended, 120, dump=world.dump))
    seen.update(phases)
    launched, told = phases["Completed"], phases["Failed"] + phases["Skipped"]

    def is_paid() -> None:
        asked = Counter(one.kind for one in world.proxy.since(before))
        assert asked[CREATE] == launched
        assert asked[STATUS] == asked[EVENT] == 2 * launched + told
        reads = sum(asked[kind] for kind in READS)
        assert reads <= phases["Skipped"], asked
        assert asked.total() == asked[CREATE] + asked[STATUS] + asked[EVENT] + reads, asked

    eventually(is_paid, 30)


def says_where(error: ApiError) -> bool:
    """Check that a refusal names the field."""
    assert error.code in (400, 413, 422), error
    assert "spec" in json.loads(str(error).split(": ", 1)[1])["message"], error
    return True


def dict_like(spec: Object, filled: Object) -> Object:
    return Twice(filled) if isinstance(spec, Twice) else filled


def end(world: World, item: Object) -> None:
    """Play Tekton's one write that ends a run well."""
    run = {"metadata": {"namespace": world.execution_namespace}}
    run["metadata"]["name"] = item["status"]["pipelineRunRef"]["name"]
    condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "message": ""}
    # Without the pipeline that Tekton has resolved nobody could tell that nothing outlasts the run.
    resolved = {
        "params": [{"name": name} for name in item["spec"].get("parameters") or {}],
        "tasks": [{"name": "work", "taskSpec": {"steps": [{"name": "work"}]}}],
    }
    status = {"conditions": [condition], "pipelineSpec": resolved}
    world.tekton.runs.patch(run, {"status": status}, "status")


def resident_mb(world: World) -> float:
    with open(f"/proc/{world.operator.pid}/status") as status:
        (line,) = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def test_runs_of_people_may_be_anything(fuzzed: World, tally: Tally) -> None:
    made: Counter[str] = Counter()

    @many(RUNS)
    @given(st.lists(hostile.tekton(), min_size=AT_ONCE, max_size=AT_ONCE), annotations)
    def play(batch: list[tuple[Any, Any, list[Any]]], known: Object) -> None:
        for status, spec, _ in batch:
            made[put_run(fuzzed, status, spec, known)] += 1
        _tell(f"{made.total()}/{RUNS} runs: {dict(made)}")
        fuzzed.completed(f"payment/Deployment/{unique('app')}")

    play()
    assert made["written"] > 0
    tally.add(executions=0, repetitions=made.total())


annotations = st.dictionaries(
    st.sampled_from(
        ["kubernaut.ai/target-resource", "kubernaut.ai/workflow-execution-uid", "kubernaut.ai/x"]
    ),
    hostile.texts.filter(lambda text: len(text) < 1000),
)


def put_run(world: World, status: Any, spec: Any, known: Object) -> str:
    """Somebody creates a run; says how far the API server let that go."""
    name = unique("theirs") if len(known) % 2 else f"wfe-{unique('0')[-4:]:0>16}-1"
    meta = {"name": name, "namespace": world.execution_namespace, "annotations": known}
    body = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta, "spec": spec}
    try:
        created = world.tekton.runs.create(body)
        world.tekton.runs.patch(created, {"status": status}, "status")
    except ApiError:
        return "refused"
    return "written"


def _tell(text: str) -> None:
    print(text, file=sys.__stderr__, flush=True)
