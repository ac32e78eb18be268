"""One world for all commands of the plugin, and what there is to be seen in it."""

from collections.abc import Iterator

import pytest

from harness import rights
from harness.executions import name_of, unique_target
from harness.plugin_command import Scene
from harness.world import World, open_world
from localcluster import Cluster


@pytest.fixture(scope="package")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """One operator for the whole folder: the plugin only looks at what it did."""
    with rights.tekton_info(bare_cluster), open_world(bare_cluster) as opened:
        yield opened


@pytest.fixture(scope="package")
def scene(world: World) -> Scene:
    """One that runs, and one that was skipped for it."""
    target = unique_target()
    running, run = world.launched(target)
    world.tekton.begin(run)
    skipped = world.ended(world.create(target, workflow="scale"), "Skipped")
    return Scene(world, target, name_of(running), name_of(skipped), name_of(run))
