"""What Tekton says it fetched is held against the digest that was asked for."""

from __future__ import annotations

import pytest

from harness.executions import IMAGE, condition_of
from harness.waiting import eventually
from harness.world import World

ASKED, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(("fetched", "status"), [(ASKED, "True"), (OTHER, "False")])
def test_a_bundle_that_differs_is_told_by_condition_and_event(
    world: World, target: str, fetched: str, status: str
) -> None:
    ref = {
        "workflowId": "restart",
        "version": "v1",
        "containerImage": IMAGE,
        "containerDigest": f"sha256:{ASKED}",
    }
    item, run = world.launched(target, workflowRef=ref)
    source = {"uri": "registry.example", "digest": {"sha256": fetched}}
    world.tekton.begin(run)
    world.tekton.runs.patch(run, {"status": {"provenance": {"refSource": source}}}, "status")
    world.tekton.succeed(run)

    done = world.ended(item, "Completed")

    assert condition_of(done, "BundleVerified")["status"] == status
    if fetched == OTHER:
        eventually(lambda: _assert_warned(world, item), dump=world.dump)
    else:
        assert ("Warning", "DigestMismatch") not in _told(world, item)


def _told(world: World, item: dict[str, object]) -> set[tuple[str, str]]:
    return {(event["type"], event["reason"]) for event in world.events_of(item)}


def _assert_warned(world: World, item: dict[str, object]) -> None:
    assert ("Warning", "DigestMismatch") in _told(world, item)
