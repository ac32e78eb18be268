"""A report of a failure points to a step's log only if a step has failed."""

from __future__ import annotations

from pathlib import Path

from field.situation import push_pipeline, workflow
from harness.executions import unique
from harness.kubectl import kubectl
from harness.world import World
from localcluster.cluster import Object

HERE = Path(__file__).parent
# A little more than fits: in base64 it has more than the 131,071 bytes that Linux takes.
LENGTH = 98_300


def test_each_is_a_mistake_in_the_bundle(node_world: World, tmp_path: Path) -> None:
    world, place = node_world, tmp_path / "failed_beside_its_steps"
    place.mkdir()
    text = (HERE / "long_script.yaml").read_text()
    (place / "long_script.yaml").write_text(text.replace("#LONG", "#" * LENGTH))
    no_result = _launched(world, push_pipeline(world.cluster, HERE, "no_result.yaml"))
    long_script = _launched(world, push_pipeline(world.cluster, place, "long_script.yaml"))

    failure = world.ended(no_result, "Failed", 60)["status"]["failureDetails"]
    told = failure["message"]
    assert (failure["reason"], failure["failedTaskName"]) == ("ConfigurationError", ""), told
    assert "all tasks ended well, but the workflow did not write its result 'found'" in told
    assert "log" not in failure["naturalLanguageSummary"]
    assert failure["wasExecutionFailure"] is True

    failure = world.ended(long_script, "Failed", 60)["status"]["failureDetails"]
    told = failure["message"]
    assert (failure["reason"], failure["failedTaskName"]) == ("ConfigurationError", "work"), told
    assert told.endswith(" -c place-scripts")
    assert failure["wasExecutionFailure"] is False
    _, *command = told.partition("; see: ")[2].split()
    assert "argument list too long" in kubectl(world.cluster, *command).stdout


def _launched(world: World, image: str) -> Object:
    target = f"{world.source}/Deployment/{unique('x')}"
    return world.launched(target, **workflow(image))[0]
