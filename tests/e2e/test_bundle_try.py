"""`wfe bundle try` on real Tekton: runs a folder with the rights of its role, and tidies up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.workload import create_workload, workload
from harness.executions import unique
from harness.objects import create_namespace, delete_namespace
from harness.waiting import eventually
from localcluster import Cluster
from localcluster.__main__ import digest_of
from workflowexecution.bundles.trial import LABEL
from workflowexecution.cli import commands

Output = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
RUNS = "/apis/tekton.dev/v1/namespaces/{}/pipelineruns"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture(scope="module")
def place(node_cluster: Cluster) -> str:
    """A namespace for the runs, apart from that of the targets."""
    name = unique("tries")
    create_namespace(node_cluster, name)
    return name


@pytest.fixture(scope="module")
def target(node_cluster: Cluster) -> str:
    name = unique("shop")
    create_namespace(node_cluster, name)
    return create_workload(node_cluster, name)


@pytest.fixture(scope="module", autouse=True)
def _end(node_cluster: Cluster, place: str, target: str) -> Iterator[None]:
    yield
    for name in (place, target.partition("/")[0]):
        delete_namespace(node_cluster, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "set-note"
    assert commands.main(["bundle", "new", str(made)]) == 0
    return made


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """Let SIGINT end children: a background job of a shell ignores it, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _try(cluster: Cluster, folder: Path, place: str, target: str, *more: str) -> int:
    return commands.main([*_arguments(cluster, folder, place), "--target", target, *more])


def _arguments(cluster: Cluster, folder: Path, place: str) -> list[str]:
    assert cluster.registry
    image = f"toolbox={cluster.registry}/toolbox@{digest_of(cluster.registry, 'toolbox')}"
    where = ["--kubeconfig", str(cluster.kubeconfig), "-n", place, "--image", image]
    return ["bundle", "try", str(folder), *where]


def _left(cluster: Cluster, place: str, target: str, *kinds: str) -> list[str]:
    """The objects that trials have left, by path."""
    shop = target.partition("/")[0]
    paths = {
        "accounts": f"/api/v1/namespaces/{place}/serviceaccounts",
        "runs": RUNS.format(place),
        "roles": f"{RBAC}/namespaces/{shop}/roles",
        "bindings": f"{RBAC}/namespaces/{shop}/rolebindings",
        "cluster roles": f"{RBAC}/clusterroles",
        "cluster bindings": f"{RBAC}/clusterrolebindings",
    }
    return [
        kind
        for kind in kinds or paths
        if cluster.request("GET", f"{paths[kind]}?labelSelector={LABEL}")["items"]
    ]


def test_a_new_bundle_changes_its_target_and_leaves_nothing_else(
    node_cluster: Cluster, folder: Path, place: str, target: str, capsys: Output
) -> None:
    assert _try(node_cluster, folder, place, target, "-p", "NOTE=seen") == 0

    said = capsys.readouterr()
    notes = workload(node_cluster, target)["metadata"]["annotations"]
    assert notes["kubernaut.ai/set-note"] == "seen"
    assert "[remediate/verify] after: note seen\n" in said.out
    last = said.out.splitlines()[-1]
    assert last.startswith("Completed after ")
    assert last.endswith(": before: note none; after: note seen")
    assert f"trying set-note on {target} as PipelineRun {place}/try-set-note-" in said.err
    eventually(lambda: _assert_empty(_left(node_cluster, place, target)), 60)


def _assert_empty(left: list[str]) -> None:
    assert left == []


def test_a_missing_right_is_diagnosed_as_the_operator_does(
    node_cluster: Cluster, folder: Path, place: str, target: str, capsys: Output
) -> None:
    role = folder / "role.yaml"
    role.write_text(role.read_text().replace("[get, patch]", "[get]"))
    before = workload(node_cluster, target)["metadata"]["generation"]

    assert _try(node_cluster, folder, place, target, "-p", "NOTE=other", "--keep") == 10

    said = capsys.readouterr()
    last = said.out.splitlines()[-1]
    assert last.startswith(f"Failed: Workflow set-note on {target} failed after ")
    assert "Forbidden, task 'remediate', step 'change' ended with exit code 13" in last
    assert 'cannot patch resource "deployments"' in last
    assert "Nothing was changed, as the step says." in last
    assert "[remediate/verify] skipped: an earlier step failed" in said.out
    assert workload(node_cluster, target)["metadata"]["generation"] == before
    # The run is kept; the rights are not.
    assert "the run is kept: kubectl describe pipelinerun -n " in said.err
    assert _left(node_cluster, place, target) == ["runs"]
    node_cluster.request("DELETE", f"{RUNS.format(place)}?labelSelector={LABEL}")


def test_a_run_that_nobody_ends_meets_its_time_limit(
    node_cluster: Cluster, folder: Path, place: str, target: str, capsys: Output
) -> None:
    script = folder / "remediate.sh"
    script.write_text(f"{script.read_text()}\ncheck() {{ echo waiting; sleep 600; }}\n")

    assert _try(node_cluster, folder, place, target, "--timeout", "20s") == 10

    last = capsys.readouterr().out.splitlines()[-1]
    assert "DeadlineExceeded" in last


def test_what_the_cluster_refuses_is_said_in_words(
    node_cluster: Cluster, folder: Path, place: str, target: str, capsys: Output
) -> None:
    assert _try(node_cluster, folder, "no-such-namespace", target) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == 'wfe: namespaces "no-such-namespace" not found'

    # Rights for an object in a namespace that does not exist: what was made before is removed.
    assert _try(node_cluster, folder, place, "no-such-namespace/Deployment/cart") == 1
    assert 'namespaces "no-such-namespace" not found' in capsys.readouterr().err
    assert _left(node_cluster, place, target, "accounts") == []

    assert _try(node_cluster, folder, place, target, "--service-account", "nobody") == 10
    said = capsys.readouterr().out
    assert "ConfigurationError, task 'remediate': PodCreat" in said
    assert 'nobody" not found' in said


@pytest.mark.usefixtures("heeds_interrupts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_interrupted_is_removed(
    node_cluster: Cluster, folder: Path, place: str, target: str, number: signal.Signals
) -> None:
    script = folder / "remediate.sh"
    script.write_text(f"{script.read_text()}\ncheck() {{ echo waiting; sleep 600; }}\n")
    program = [sys.executable, "-m", "workflowexecution", *_arguments(node_cluster, folder, place)]
    with subprocess.Popen(
        [*program, "--target", target, "--keep"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "[remediate/check] waiting\n"
        running.send_signal(number)
        _, said = running.communicate(timeout=60)

    assert running.returncode == 130
    assert said.splitlines()[-1] == "wfe: interrupted, so the run was stopped"
    eventually(lambda: _assert_empty(_left(node_cluster, place, target)), 60)


def test_a_workflow_on_a_cluster_scoped_target_gets_its_rights_there(
    node_cluster: Cluster, folder: Path, place: str, capsys: Output
) -> None:
    script, role = folder / "remediate.sh", folder / "role.yaml"
    script.write_text(script.read_text().replace("'Deployment StatefulSet DaemonSet'", "Namespace"))
    rules = yaml.safe_load(role.read_text())
    rules["rules"] = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "patch"]}]
    role.write_text(yaml.safe_dump(rules))

    assert _try(node_cluster, folder, place, f"Namespace/{place}") == 0

    assert "before: note none; after: note checked" in capsys.readouterr().out
    found = node_cluster.request("GET", f"/api/v1/namespaces/{place}")
    assert found["metadata"]["annotations"]["kubernaut.ai/set-note"] == "checked"
