"""`kubectl wfe list`: which executions, in which order, in which form."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness import rights
from harness.plugin_command import Scene, ask


def test_list_shows_executions_newest_first(scene: Scene) -> None:
    told = ask(scene.world, "list", "--target", scene.target, "-o", "wide")
    assert told.status == 0
    header, *rows = told.masked(scene.names).splitlines()
    assert header == "NAME  PHASE  REASON  WORKFLOW  TARGET  DURATION  AGE  RUN  BLOCKER"
    assert sorted(rows) == [
        "running  Running  restart  TARGET  LENGTH  LENGTH  RUN",
        "skipped  Skipped  ResourceBusy  scale  TARGET  LENGTH  NAMESPACE/running",
    ]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--phase", "Running"], ["running"]),
        (["--phase", "Running", "--phase", "Skipped", "--workflow", "scale"], ["skipped"]),
        (["--workflow", "nothing"], []),
        (["--since", "1h", "--phase", "Skipped"], ["skipped"]),
        (["--target", "payment/Deployment/other"], []),
    ],
)
def test_list_finds_by_what_is_asked(scene: Scene, flags: list[str], expected: list[str]) -> None:
    told = ask(scene.world, "list", "-o", "name", "--target", scene.target, *flags)
    kind = "workflowexecution.workflowexecution.kubernaut.ai/"
    assert told.masked(scene.names).splitlines() == [f"{kind}{name}" for name in expected]
    assert bool(told.err) is not bool(expected)


def test_list_gives_programs_the_objects_themselves(scene: Scene) -> None:
    as_json = json.loads(ask(scene.world, "list", "--target", scene.target, "-o", "json").out)
    as_yaml = yaml.safe_load(ask(scene.world, "list", "--target", scene.target, "-o", "yaml").out)
    assert as_json == as_yaml
    assert {item["metadata"]["name"] for item in as_json["items"]} == {
        scene.running,
        scene.skipped,
    }
    assert {item["status"]["phase"] for item in as_json["items"]} == {"Running", "Skipped"}


def test_list_in_all_namespaces_names_each(scene: Scene) -> None:
    told = ask(scene.world, "list", "-A", "--target", scene.target, "--phase", "Running")
    row = told.masked(scene.names).splitlines()[1]
    assert row == "NAMESPACE  running  Running  restart  TARGET  LENGTH  LENGTH"


def test_a_missing_right_is_named_with_the_role_that_gives_it(scene: Scene) -> None:
    world = scene.world
    kubeconfig = rights.kubeconfig_of(world.cluster, world.sources[1], "stranger", {}, world.folder)
    told = ask(world, "list", kubeconfig=str(kubeconfig))
    assert (told.status, told.out) == (4, "")
    assert told.err == (
        "error: the right to list workflowexecutions.workflowexecution.kubernaut.ai "
        f"in namespace {world.source} is missing; the ClusterRole workflowexecution-viewer "
        "gives it\n"
    )


def test_what_is_wrong_on_the_command_line_is_told(scene: Scene) -> None:
    told = ask(scene.world, "list", "--since", "yesterday")
    assert (told.status, told.err) == (
        2,
        "error: 'yesterday' is not a duration; write it like 30m, 1h30m or 45s\n",
    )
    assert ask(scene.world, "list", "--phase", "Broken").status == 2
    told = ask(scene.world, "list", kubeconfig="/nowhere")
    assert told.status == 2
    assert "no usable kubeconfig" in told.err


def test_kubectl_finds_the_plugin(scene: Scene) -> None:
    cluster = scene.world.cluster
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    told = subprocess.run(
        [cluster.kubectl, "wfe", "list", "-A", "--target", scene.target, "-o", "name"],
        env={**os.environ, "PATH": programs, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert {line.rpartition("/")[2] for line in told.stdout.splitlines()} == {
        scene.running,
        scene.skipped,
    }


def test_kubectl_suggests_names_targets_and_workflows(scene: Scene) -> None:
    where = [f"--kubeconfig={scene.world.cluster.kubeconfig}", f"--namespace={scene.world.source}"]
    assert suggested("describe", *where, scene.running) == [
        f"{scene.running}\tRunning, {scene.target}"
    ]
    assert scene.target in suggested("list", *where, "--target", scene.target[:-1])
    assert "scale" in suggested("can-run", *where, "--workflow", "sc")


def suggested(*words: str) -> list[str]:
    program = Path(sys.executable).parent / "kubectl_complete-wfe"
    told = subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
    assert told.stderr == ""
    *found, directive = told.stdout.splitlines()
    assert directive == ":4"
    return found
