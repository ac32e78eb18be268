"""Holds in a world: made as a person makes them, and known to its operator after that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.executions import condition_of, name_of, unique
from harness.objects import Objects
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

REASON = "release of the shop"


def build_hold(world: World, **spec: object) -> Object:
    """A hold of everything in a world, unless the spec names less."""
    scope = (
        {} if spec.keys() & {"namespace", "targetResource", "workflowId"} else {"everything": True}
    )
    return {
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
        "kind": "WorkflowHold",
        "metadata": {"name": unique("hold"), "namespace": world.execution_namespace},
        "spec": {"reason": REASON, "heldBy": "jane", **scope, **spec},
    }


def holds_of(world: World) -> Objects:
    """The holds of a world."""
    return Objects(world.cluster, "workflowholds")


def create_hold(world: World, **spec: object) -> Object:
    """Create a hold, and wait until the operator knows of it."""
    item = holds_of(world).create(build_hold(world, **spec))
    if world.operator.is_running:
        eventually(lambda: _assert_known(world, item), dump=world.operator.log_tail)
    return item


def lift(world: World, item: Object) -> None:
    """Delete a hold."""
    holds_of(world).delete(item)


@contextmanager
def held(world: World, **spec: object) -> Iterator[Object]:
    """Hold something for the block."""
    item = create_hold(world, **spec)
    try:
        yield item
    finally:
        lift(world, item)


def waiting_for(world: World, item: Object) -> str:
    """Wait until an execution waits for a hold; returns what its condition says."""

    def check() -> str:
        found = world.read(item)
        told = condition_of(found, "Succeeded")
        assert found.get("status", {}).get("phase") == "Pending", f"{found.get('status')}"
        assert told["status"] == "Unknown"
        assert told["reason"] in ("Held", "Waiting")
        return str(told["message"])

    return eventually(check, dump=world.dump)


def _assert_known(world: World, item: Object) -> None:
    assert f'"hold": "{name_of(item)}"' in world.operator.log_text()
