"""Sidecars that fail, that cannot be fetched and that are never ready, all at once."""

from __future__ import annotations

from pathlib import Path

from e2e.watching import END_S
from field.situation import push_pipeline, workflow
from harness.executions import unique_target
from harness.world import World
from localcluster.cluster import Object

FOLDER = Path(__file__).parent


def test_what_the_sidecar_did_is_told_apart_from_what_the_step_did(node_world: World) -> None:
    oom, image, ready = (
        _created(node_world, file)
        for file in ("out_of_memory.yaml", "no_image.yaml", "never_ready.yaml")
    )

    failed, missing, waited = (
        node_world.ended(item, "Failed", END_S)["status"]["failureDetails"]
        for item in (oom, image, ready)
    )

    assert (failed["reason"], failed["exitCode"]) == ("TaskFailed", 5), failed["message"]
    assert failed["failedStepName"] == "work"
    assert '"sidecar-greedy" exited with code 137: OOMKilled' in failed["message"]
    assert missing["reason"] == "ImagePullBackOff"
    assert 'sidecar "proxy"' in missing["message"]
    assert waited["reason"] == "DeadlineExceeded"
    assert "its steps wait until sidecar 'proxy' is ready" in waited["message"]
    for failure in (missing, waited):
        assert "failedStepName" not in failure, failure["message"]
    assert missing["wasExecutionFailure"] is False, missing["message"]
    assert "nothing was changed" in missing["naturalLanguageSummary"]
    # At a time limit Tekton deletes the pod. Where it was still seen then, it is known that the
    # step was held back; where it was gone, that was so at the last look before, and no more.
    said = waited["naturalLanguageSummary"]
    if waited["wasExecutionFailure"]:
        assert "It is not known whether a step had begun" in said
        assert "as last seen, task 'work' has not begun" in waited["message"]
    else:
        assert "No step had started, so nothing was changed" in said
        assert "as last seen" not in waited["message"]


def _created(world: World, file: str) -> Object:
    limit = {"timeout": "45s" if file == "never_ready.yaml" else "1m"}
    fields = workflow(push_pipeline(world.cluster, FOLDER, file))
    return world.create(unique_target(), executionConfig=limit, **fields)
