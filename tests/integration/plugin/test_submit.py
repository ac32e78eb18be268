"""`kubectl wfe submit`: checked before it is created, and followed to its end."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import rights
from harness.executions import IMAGE, execution, name_of, unique, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World

WORKFLOW = ("--workflow", "restart", "--version", "v1", "--image", IMAGE)


@pytest.mark.parametrize(("is_well", "status"), [(True, 0), (False, 10)])
def test_waiting_tells_progress_and_ends_with_the_outcome(
    world: World, is_well: bool, status: int
) -> None:
    target, name = unique_target(), unique("submitted")
    flags = ("--target", target, "--name", name, "-p", "REPLICAS=3", "--timeout", "10m", "--wait")
    # The command is in this process: what it waits for is played beside it.
    notes = io.StringIO()
    with ThreadPoolExecutor() as beside:
        played = beside.submit(play, world, target, is_well, notes)
        told = ask(world, "submit", *WORKFLOW, *flags, notes=notes)
        played.result()
    assert (told.status, told.out) == (status, f"{world.source}/{name} created\n")
    last = "Completed" if is_well else "Failed (TaskFailed)"
    assert any(line.startswith("Running, ") for line in told.err.splitlines()), told.err
    assert any(line.startswith(f"{last}, ") for line in told.err.splitlines()), told.err


def play(world: World, target: str, is_well: bool, notes: io.StringIO) -> None:
    """Be Tekton for the run on a target, once the command has told that it runs."""

    def is_told() -> None:
        assert "Running, " in notes.getvalue(), notes.getvalue()

    eventually(is_told, dump=world.dump)
    (run,) = world.runs(target)
    world.tekton.begin(run)
    (world.tekton.succeed if is_well else world.tekton.fail)(run)


def test_a_skip_has_a_status_of_its_own(world: World) -> None:
    target = unique_target()
    world.launched(target)
    told = ask(world, "submit", *WORKFLOW, "--target", target, "--wait")
    assert told.status == 11
    assert "is being changed by WorkflowExecution" in told.err


def test_a_file_is_taken_as_it_is_and_the_limit_of_waiting_told(
    world: World, tmp_path: Path
) -> None:
    item = execution(unique_target(), name=unique("from-file"))
    del item["metadata"]["namespace"]
    file = tmp_path / "execution.json"
    file.write_text(json.dumps(item))
    told = ask(world, "submit", "-f", str(file), "--wait", "--wait-timeout", "1ms")
    assert told.status == 12
    assert told.err.endswith("the time to wait is over; it goes on\n")


def test_what_is_wrong_is_told_before_anything_is_created(world: World, tmp_path: Path) -> None:
    before = len(world.executions.list(world.source))
    told = ask(world, "submit", *WORKFLOW, "--target", "payment")
    assert (told.status, told.out) == (2, "")
    assert "--target: 'payment' is not a target" in told.err
    assert ask(world, "submit", "--target", "a/b/c").status == 2
    assert ask(world, "submit", *WORKFLOW, "--target", "a/b/c", "-p", "X").status == 2
    (tmp_path / "other.yaml").write_text("kind: Pod\n")
    assert (
        "holds no WorkflowExecution" in ask(world, "submit", "-f", str(tmp_path / "other.yaml")).err
    )
    told = ask(world, "submit", "-f", "x.yaml", "--timeout", "5m")
    assert (told.status, "leave out --filename or the other flags" in told.err) == (2, True)
    misspelt = execution(unique_target(), namespace=world.source, targetResourse="x")
    (tmp_path / "misspelt.yaml").write_text(json.dumps(misspelt))
    told = ask(world, "submit", "-f", str(tmp_path / "misspelt.yaml"))
    assert told.status == 1
    assert 'unknown field "spec.targetResourse"' in told.err
    tried = ask(world, "submit", *WORKFLOW, "--target", unique_target(), "--dry-run")
    assert tried.status == 0
    assert tried.out.endswith(" would be created\n")
    assert len(world.executions.list(world.source)) == before


def test_a_parameter_that_the_last_run_did_not_declare_is_told(world: World) -> None:
    image = f"registry.example/{unique('bundle')}@sha256:{'a' * 64}"
    ref = {"workflowId": "restart", "version": "v1", "containerImage": image}
    _, run = world.launched(unique_target(), workflowRef=ref)
    flags = ("--workflow", "restart", "--version", "v1", "--image", image, "-p", "REPLICA=3")
    before = ask(world, "submit", *flags, "--target", unique_target(), "--dry-run")
    assert (before.status, before.err) == (0, "")
    world.tekton.begin(run, declares=("REPLICAS",))
    told = ask(world, "submit", *flags, "--target", unique_target(), "--dry-run")
    assert (told.status, told.out.endswith(" would be created\n")) == (0, True)
    assert " ".join(told.err.split()) == (
        "warning: the workflow declares no parameter REPLICA (did you mean REPLICAS?); it declares "
        f"REPLICAS (as its last run {world.execution_namespace}/{name_of(run)} shows)"
    )


def test_who_may_not_read_runs_submits_as_before(world: World, tmp_path: Path) -> None:
    roles = {"workflowexecution-orchestrator": world.source}
    account = rights.kubeconfig_with_roles(
        world.cluster, world.source, "submitter", roles, tmp_path
    )
    flags = ("--target", unique_target(), "-p", "REPLICA=3", "--dry-run")
    told = ask(world, "submit", *WORKFLOW, *flags, kubeconfig=str(account))
    assert (told.status, told.err) == (0, "")
