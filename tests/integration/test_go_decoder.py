"""Go's own decoder reads every status that we write, and loses nothing of it."""

from pathlib import Path
from typing import Any

import pytest

from go_types import program
from go_types.statuses import all_statuses
from harness.executions import unique
from harness.world import World

STATUSES = all_statuses()


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program.build(tmp_path_factory.mktemp("go"))


# Go leaves these out where they are 0 or false, which it reads as the same.
OMITTED = ("completedTasks", "wasExecutionFailure")


def as_go_writes(node: Any) -> Any:
    """A status without the zeros that Go leaves out."""
    if isinstance(node, list):
        return [as_go_writes(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: as_go_writes(said) for key, said in node.items() if said or key not in OMITTED}


def test_go_reads_every_status_and_writes_the_same_again(go: Path) -> None:
    for (name, status), again in zip(
        STATUSES.items(), program.reread(go, list(STATUSES.values())), strict=True
    ):
        assert again == as_go_writes(status), name


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ({"surprise": 1}, 'unknown field "surprise"'),
        ({"startTime": "yesterday"}, "cannot parse"),
        ({"duration": "1d"}, "unknown unit"),
        ({"consecutiveFailures": 2**31}, "cannot unmarshal number"),
        ({"observedGeneration": "1"}, "cannot unmarshal string"),
        ({"conditions": [{"uid": "4711"}]}, 'unknown field "uid"'),
    ],
)
def test_what_go_cannot_read_is_told(go: Path, odd: dict[str, Any], error: str) -> None:
    (answer,) = program.reread(go, [odd])
    assert error in answer["error"]


def test_a_typed_client_of_go_is_refused_nothing_but_a_changed_spec(
    go: Path, world: World, target: str
) -> None:
    """It writes an object back as a whole, with our 30m as its 30m0s."""
    name = unique("from-go")
    answers = program.orchestrate(go, world.cluster, world.source, name, target)
    changed = answers.pop("change")
    assert [*answers] == ["create", "get", "update", "patch", "list", "watch"]
    assert {step: answer["said"] for step, answer in answers.items()} == dict.fromkeys(answers, "")
    assert answers["update"]["status"] == 200
    assert (changed["status"], "spec is immutable" in changed["said"]) == (422, True)
    item = world.executions.get(world.source, name)
    assert item is not None
    assert item["metadata"]["labels"] == {"seen": "yes"}
    world.in_phase(item, "Running")
