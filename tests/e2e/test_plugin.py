"""`kubectl wfe` on a run with real containers: what its steps write is told as they write it."""

from __future__ import annotations

from collections.abc import Mapping

from e2e.watching import END_S, until_a_step_runs
from harness.executions import name_of
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from workflowexecution.api import identity

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


def test_a_cancelled_run_names_who_and_why_and_its_last_lines_are_kept(
    node_world: World, bundles: Mapping[str, str], target: str
) -> None:
    reference = {"workflowId": "wait", "version": "1", "containerImage": bundles["wait"]}
    item = node_world.create(
        target, workflow="wait", workflowRef=reference, parameters={"SECONDS": "600"}
    )
    name = name_of(item)
    node_world.in_phase(item, "Running", END_S)
    run = node_world.run_of(item)
    until_a_step_runs(node_world, run)
    eventually(lambda: _assert_written(node_world, name), END_S, dump=node_world.dump)

    told = ask(node_world, "cancel", f"wfe/{name}", "--reason", "wrong target")
    assert (told.status, told.err) == (0, "")
    lines = told.out.splitlines()
    heading = next(line for line in lines if line.startswith("Last lines of step "))
    assert lines[lines.index(heading) + 1].startswith("  ")
    ended = node_world.ended(item, "Failed", END_S)
    seen = node_world.run_now(run)
    assert seen is not None
    by = seen["metadata"]["annotations"][identity.CANCELLED_BY]
    said = f"cancelled by {by}: wrong target"
    details = ended["status"]["failureDetails"]
    assert details["message"].startswith(f"{said}; task ")
    assert details["reason"] == "Unknown"
    assert said in details["naturalLanguageSummary"]

    def assert_gone() -> None:
        answer = ask(node_world, "logs", name)
        assert f"Tekton deleted the pod when the run was {said}" in answer.err

    # The pod is there until the node has stopped it.
    eventually(assert_gone, END_S, dump=node_world.dump)
    story = ask(node_world, "describe", f"workflowexecution/{name}")
    assert "Failed (Cancelled)" in story.out
    assert f"by {by}: wrong target" in story.out
    assert f"Tekton deleted the pod when the run was {said}" in story.err
    missing = ask(node_world, "logs", name, "--task", "nope")
    assert (missing.status, missing.out) == (2, "")
    assert "no task 'nope' is in PipelineRun" in missing.err


def _assert_written(world: World, name: str) -> None:
    assert ask(world, "logs", name).out
