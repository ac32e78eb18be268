"""Facts as hypothesis draws them: executions, runs and snapshots of one target."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from builders import NOW, TARGET, ago, make_execution, make_run, make_snapshot, raw_run
from workflowexecution.api import identity
from workflowexecution.api.status import Phase
from workflowexecution.core.decision import Snapshot
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run

WORKFLOWS = st.sampled_from(["restart", "scale-up"])
OWNERS = st.sampled_from(["mine", "other", "third", None])
SECONDS = st.integers(0, 1200)


@st.composite
def runs(draw: st.DrawFn, number: int) -> Run:
    """A run with one run number, in any state it can be in."""
    created_at = ago(seconds=draw(SECONDS) + 1200)
    succeeded = draw(st.sampled_from(["Unknown", "True", "False"]))
    given: dict[str, Any] = {
        "number": number,
        "created_at": created_at,
        "workflow_id": draw(st.one_of(st.none(), WORKFLOWS)),
        "target": draw(st.sampled_from([TARGET, "collides/With/it", None])),
        "succeeded": succeeded,
        "spec": {"status": draw(st.sampled_from(["", "Cancelled", "PipelineRunPending"]))},
    }
    if succeeded != "Unknown":
        given["completed_at"] = draw(st.one_of(st.none(), SECONDS.map(lambda s: ago(seconds=s))))
        given["has_stopped"] = succeeded == "False" and draw(st.booleans())
    return make_run(draw(OWNERS), **given)


@st.composite
def executions(draw: st.DrawFn, name: str) -> Execution:
    """An execution in any phase, with or without a run."""
    phase = draw(st.sampled_from([None, *Phase]))
    given: dict[str, Any] = {"workflow_id": draw(WORKFLOWS)}
    if phase is not None and phase.is_terminal:
        given["completed_at"] = ago(seconds=draw(SECONDS))
    if phase is Phase.COMPLETED or (phase in (Phase.RUNNING, Phase.FAILED) and draw(st.booleans())):
        given["number"] = draw(st.integers(1, 6))
    if draw(st.booleans()):
        given["deleted_at"] = ago(seconds=draw(SECONDS))
    if draw(st.booleans()):
        given["finalizers"] = (draw(st.sampled_from([identity.OLD_FINALIZER, "others/own"])),)
    return make_execution(name, phase=phase, **given)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """All facts about one target, of which no two contradict each other."""
    numbers = draw(st.sets(st.integers(1, 6), max_size=4))
    names = draw(st.sets(st.sampled_from(["other", "third", "fourth"])))
    return make_snapshot(
        draw(executions("mine")),
        runs=[draw(runs(number)) for number in sorted(numbers)],
        others=[draw(executions(name)) for name in sorted(names)],
        problem=draw(st.sampled_from(["", "", "spec.targetResource: wrong"])),
        cooldown=timedelta(seconds=draw(st.integers(0, 600))),
        now=NOW + timedelta(seconds=draw(st.integers(0, 900))),
    )


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=106_751))


@st.composite
def mutations(draw: st.DrawFn, raw: dict[str, Any]) -> dict[str, Any]:
    """An object with parts of its labels and status replaced by anything, or taken away."""
    mutated: dict[str, Any] = _mutate(draw, raw["status"])
    metadata = dict(raw["metadata"])
    for key in ("labels", "annotations"):
        if draw(st.booleans()):
            metadata[key] = draw(st.none() | st.just({}))
    return {**raw, "metadata": metadata, "status": mutated}


def _mutate(draw: st.DrawFn, node: Any) -> Any:
    if draw(st.integers(0, 7)) == 0:
        return draw(json_values)
    if isinstance(node, dict):
        kept = [key for key in node if draw(st.integers(0, 7)) > 0]
        return {key: _mutate(draw, node[key]) for key in kept}
    return [_mutate(draw, item) for item in node] if isinstance(node, list) else node


def reparsed(raw: dict[str, Any]) -> Run:
    """The run that is read from an object; it is one of ours."""
    run = parse_run(raw)
    assert run is not None
    return run


def failed_run() -> dict[str, Any]:
    """A run that failed, as the API server shows it."""
    condition = {"type": "Succeeded", "status": "False", "reason": "Failed", "message": "said"}
    status = {
        "conditions": [condition],
        "startTime": "2026-01-02T11:50:00Z",
        "completionTime": "2026-01-02T11:59:00Z",
        "pipelineSpec": {"tasks": [{"name": "check"}, {"name": "change"}], "finally": []},
    }
    return raw_run("mine", status=status)
