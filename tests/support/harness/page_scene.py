"""Sets the scene for visitors of the status page: objects, and the visitors with their rights."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from harness import rights
from harness.executions import name_of, unique_target
from harness.visits import Guest, guest_with
from harness.world import World

LISTS = {
    "apiGroups": ["workflowexecution.kubernaut.ai"],
    "resources": ["workflowexecutions"],
    "verbs": ["get", "list", "watch"],
}
READS_RUNS = {
    "apiGroups": ["tekton.dev"],
    "resources": ["pipelineruns", "taskruns"],
    "verbs": ["get", "list", "watch"],
}
# Legal as a workflow's id, and markup where it is not escaped.
EVIL = "<img src=x onerror=alert(1)>"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Scene:
    """Seen by two teams: each has one that runs, the first also one that was skipped for it."""

    world: World
    target: str
    running: str
    skipped: str
    foreign: str
    foreign_target: str
    run: str

    def guest(self, *namespaces: str, reads_runs: bool = False) -> Guest:
        """A visitor who may list executions of some namespaces, and read runs where told."""
        return guest_with(self.world.operator.page_url, self.token(*namespaces, runs=reads_runs))

    def token(self, *namespaces: str, runs: bool = False) -> str:
        """A token of an account that may do as much."""
        world = self.world
        rules = {name: [LISTS] for name in namespaces}
        if runs:
            rules[world.execution_namespace] = [READS_RUNS]
        name = f"visitor-{len(namespaces)}-{next(_numbers)}"
        return rights.as_account(world.cluster, world.source, name, rules).token


def set_scene(world: World) -> Scene:
    """Make what there is to be seen."""
    target, foreign_target = unique_target(), unique_target()
    running, run = world.launched(target)
    world.tekton.begin(run)
    skipped = world.ended(world.create(target, workflow=EVIL), "Skipped")
    foreign, _ = world.launched(foreign_target, namespace=world.sources[1])
    return Scene(
        world,
        target,
        name_of(running),
        name_of(skipped),
        name_of(foreign),
        foreign_target,
        name_of(run),
    )
