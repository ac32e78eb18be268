"""The answers of every command are kept word for word; only times and changing names are masked.

`pytest --snapshot-update` writes the answers anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from harness import rights
from harness.executions import IMAGE, name_of
from harness.plugin_command import Answer, ask
from harness.world import World
from workflowexecution import __version__

TARGET, OTHER = "shop/Deployment/cart", "shop/Deployment/checkout"
_SUBMIT = ("--workflow", "restart", "--version", "v1", "--image", IMAGE, "--target", TARGET)
COMMANDS = {
    "list": ("list", "--target", TARGET),
    "list-wide": ("list", "-A", "--target", TARGET, "-o", "wide"),
    "list-name": ("list", "--target", TARGET, "-o", "name"),
    "list-json": ("list", "--target", TARGET, "--phase", "skipped", "-o", "json"),
    "list-nothing": ("list", "--workflow", "nothing"),
    "describe-running": ("describe", "running"),
    "describe-failed": ("describe", "failed", "-o", "yaml"),
    "describe-skipped": ("describe", "-A", "skipped"),
    "describe-nobody": ("describe", "nobody"),
    "why-skipped": ("why", "skipped"),
    "why-failed": ("why", "failed", "-o", "json"),
    "why-running": ("why", "running"),
    "watch-ended": ("watch", "skipped"),
    "logs": ("logs", "failed"),
    "logs-skipped": ("logs", "skipped", "-f"),
    "locks": ("locks", "--target", TARGET, "-o", "wide"),
    "locks-yaml": ("locks", "--target", TARGET, "-o", "yaml"),
    "cooldowns": ("cooldowns", "--target", OTHER),
    "can-run": ("can-run", "--target", "shop/Deployment/free", "--workflow", "restart"),
    "can-run-busy": ("can-run", "--target", TARGET, "--workflow", "restart", "-o", "yaml"),
    "can-run-cooling": ("can-run", "--target", OTHER, "--workflow", "restart"),
    "top": ("top", "--by", "target"),
    "top-json": ("top", "--target", TARGET, "-o", "json"),
    "cancel-ended": ("cancel", "failed"),
    "submit": ("submit", *_SUBMIT, "--name", "new", "--dry-run", "-o", "json"),
    "doctor": ("doctor",),
    "version": ("version",),
}


@dataclass(frozen=True)
class Stage:
    """A target that is held, another one on which a run failed, and what is shown for names."""

    world: World
    shown: Mapping[str, str]


@pytest.fixture(scope="module")
def stage(world: World) -> Stage:
    """The same each time, in a namespace of its own."""
    where = {"namespace": world.sources[1]}
    running = world.in_phase(world.create(TARGET, name="running", **where), "Running")
    world.tekton.begin(world.run_of(running))
    world.ended(world.create(TARGET, name="skipped", workflow="scale", **where), "Skipped")
    failed = world.in_phase(world.create(OTHER, name="failed", **where), "Running")
    run = world.run_of(failed)
    world.tekton.begin(world.tekton.accept(run))
    world.tekton.fail(run)
    world.ended(failed, "Failed")
    shown = {
        world.sources[1]: "fixes",
        world.sources[0]: "others",
        world.execution_namespace: "runs",
        name_of(world.run_of(running)): "wfe-of-running-1",
        name_of(run): "wfe-of-failed-1",
    }
    return Stage(world, shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_answers_as_it_did(
    stage: Stage, snapshot: SnapshotAssertion, command: str
) -> None:
    told = ask(stage.world, *COMMANDS[command], namespace=stage.world.sources[1])
    assert transcript(stage, COMMANDS[command], told) == snapshot


@pytest.mark.parametrize("command", COMMANDS)
def test_with_the_role_of_viewers_a_command_works_or_names_the_right(
    stage: Stage, snapshot: SnapshotAssertion, command: str, viewer: Path
) -> None:
    told = ask(
        stage.world,
        *COMMANDS[command],
        namespace=stage.world.sources[1],
        kubeconfig=str(viewer),
    )
    assert told.status in (0, 1, 3, 4, 10, 11), told.err
    assert transcript(stage, COMMANDS[command], told) == snapshot


@pytest.fixture(scope="module")
def viewer(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of somebody who has the shipped viewer role and no other."""
    return rights.kubeconfig_with_roles(
        world.cluster,
        world.sources[0],
        "viewer",
        {"workflowexecution-viewer": ""},
        tmp_path_factory.mktemp("viewer"),
    )


def transcript(stage: Stage, command: tuple[str, ...], told: Answer) -> str:
    """Command, answer, notes and exit status, as on a terminal."""
    out = told.masked(stage.shown)
    err = replace(told, out=told.err).masked(stage.shown)
    text = f"$ kubectl wfe {' '.join(command)}\n{out}\n--- notes\n{err}\n--- exit {told.status}\n"
    text = text.replace(__version__, "VERSION")
    for pattern, shown in _MASKS:
        text = pattern.sub(shown, text)
    return text


_MASKS = (
    (re.compile(r" after LENGTH(?=:)"), ""),
    (re.compile(r"by \S+_[0-9a-f]{8}, \w+ ago"), "by PROCESS, AGO"),
    # What other tests have left in the cluster.
    (re.compile(r"\n\w+ +(?:executions|pulls): .*(?:\n +fix: .*)?"), ""),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r'(resourceVersion": )"\d+"'), r'\1"1"'),
    (re.compile(r"\d{4}-\d\d-\d\d CLOCK"), "DATE CLOCK"),
    (re.compile(r"\bv\d+\.\d+\.\d+\b"), "VERSION"),
    (re.compile(r"127\.0\.0\.1:\d+"), "SERVER"),
    (re.compile(r"(?<=\n)wfe-[0-9a-f]{4}-\d+"), "OTHER"),
)
