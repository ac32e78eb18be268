"""One world with a status page for the whole folder, and what there is to be seen in it."""

from collections.abc import Iterator

import pytest

from harness import rights
from harness.page_scene import Scene, set_scene
from harness.world import World, open_world
from localcluster import Cluster


@pytest.fixture(scope="package")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """Visitors change nothing, so one operator serves all tests."""
    rights.let_review(bare_cluster)
    with open_world(bare_cluster, "--page=cluster", "--page-port=0") as opened:
        yield opened


@pytest.fixture(scope="package")
def scene(world: World) -> Scene:
    """The objects that visitors can see."""
    return set_scene(world)
