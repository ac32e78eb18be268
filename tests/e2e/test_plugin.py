"""`kubectl wfe` on a run with real containers: what its steps write is told as they write it."""

from __future__ import annotations

from collections.abc import Mapping

from e2e.watching import END_S
from harness.executions import name_of
from harness.plugin_command import ask
from harness.world import World

SAID = (
    "[diagnose/look] looked at",
    "[repair/apply] ",
)


def test_logs_are_followed_and_the_failed_step_is_quoted(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    reference = {"workflowId": "always-fails", "version": "1"}
    item = node_world.create(
        target,
        workflow="always-fails",
        workflowRef={**reference, "containerImage": bundles["always-fails"]},
    )
    name = name_of(item)

    followed = ask(node_world, "logs", "-f", name)
    node_world.ended(item, "Failed", END_S)

    assert followed.status == 0, followed.err
    lines = followed.out.splitlines()
    for said in SAID:
        assert any(line.startswith(said) for line in lines), followed.out
    assert "Failed (TaskFailed)" in followed.err

    read = ask(node_world, "logs", name, "--step", "apply", "--tail", "1")
    last = [line for line in lines if line.startswith("[repair/apply]")][-1]
    assert read.out == f"{last}\n"

    told = ask(node_world, "describe", name)
    quoted = told.out.partition("Last lines of step repair/apply:\n")[2]
    assert last.partition("] ")[2] in quoted
    assert told.err == ""
