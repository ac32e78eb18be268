"""A container that the runtime refuses to start is a mistake in the workflow, told as one."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.world import World


def test_it_is_told_in_the_words_of_the_runtime(node_world: World) -> None:
    reference = push_pipeline(node_world.cluster, Path(__file__).parent)
    item = node_world.create(unique_target(), **workflow(reference))

    failure = node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]

    assert (failure["reason"], failure["failedStepName"]) == ("ConfigurationError", "work")
    assert failure["wasExecutionFailure"] is False
    assert "exitCode" not in failure
    assert "could not be started: " in failure["message"]
    assert "Cwd must be an absolute path" in failure["message"]
    assert "kubectl logs" not in failure["message"]
    assert "nothing was changed" in failure["naturalLanguageSummary"]
