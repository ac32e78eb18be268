"""The manifests, samples and bundles are accepted by a real API server and a real Tekton."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from localcluster import checkers
from localcluster.bundles import load_bundle
from localcluster.cluster import ApiError, Cluster
from localcluster.programs import HELM

REPOSITORY = Path(__file__).parents[2]
NAMESPACES = ("kubernaut-system", "kubernaut-workflows")
CONTROLLER = "system:serviceaccount:kubernaut-system:workflowexecution-controller"
SETTINGS = "configmaps/workflowexecution-settings"
LEASES = "leases.coordination.k8s.io"
RUNNER = "system:serviceaccount:kubernaut-workflows:kubernaut-workflow-runner"
ADMISSION = "validatingadmissionpolicies.admissionregistration.k8s.io"
STATUS = "workflowexecutions.workflowexecution.kubernaut.ai:status"
CREATOR = "system:serviceaccount:team:creator"
TEKTON = REPOSITORY / "tekton"
OVERLAYS = sorted(
    str(path.parent.relative_to(REPOSITORY))
    for path in (REPOSITORY / "manifests/overlays").rglob("kustomization.yaml")
)
READER = "system:serviceaccount:team:reader"
CANCELLER = "system:serviceaccount:team:canceller"


def _kubectl(cluster: Cluster, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(cluster.kubectl), f"--kubeconfig={cluster.kubeconfig}", *arguments]
    return subprocess.run(command, input=feed, capture_output=True, text=True, timeout=60)


def _apply(cluster: Cluster, folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    server_side = ("--server-side", "--force-conflicts")
    return _kubectl(cluster, "apply", "-k", str(REPOSITORY / folder), *server_side, *arguments)


@pytest.fixture(scope="module")
def installed(api_cluster: Cluster) -> Cluster:
    """A cluster with our namespaces and RBAC: a dry run refuses objects of missing namespaces."""
    for folder in ("namespaces", "rbac"):
        applied = _apply(api_cluster, f"manifests/{folder}")
        assert applied.returncode == 0, applied.stderr
    for name in ("team", "sample-shop"):
        _kubectl(api_cluster, "create", "namespace", name)
    role = ("--clusterrole=workflowexecution-orchestrator", "--serviceaccount=team:creator")
    _kubectl(api_cluster, "create", "rolebinding", "creator", "-n", "team", *role)
    role = ("--clusterrole=workflowexecution-run-reader", "--serviceaccount=team:reader")
    _kubectl(api_cluster, "create", "rolebinding", "reader", "-n", NAMESPACES[1], *role)
    role = ("--clusterrole=workflowexecution-canceller", "--serviceaccount=team:canceller")
    _kubectl(api_cluster, "create", "rolebinding", "canceller", "-n", NAMESPACES[1], *role)
    return api_cluster


@pytest.mark.parametrize("folder", ["manifests", "manifests/samples", *OVERLAYS])
def test_the_server_would_take_every_object(installed: Cluster, folder: str) -> None:
    applied = _apply(installed, folder, "--dry-run=server", "--validate=strict")

    assert applied.returncode == 0, applied.stderr
    assert "Warning" not in applied.stderr


def test_the_server_would_take_operators_that_share_the_targets(installed: Cluster) -> None:
    chart = (
        "template",
        "x",
        str(REPOSITORY / "manifests/chart"),
        "--namespace=kubernaut-system",
        "--set=shards=3",
    )
    made = checkers.run(HELM, *chart, "--kube-version=1.36.0")
    how = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    applied = _kubectl(installed, "apply", *how, "-f", "-", feed=made.stdout)

    assert applied.returncode == 0, applied.stderr
    assert "Warning" not in applied.stderr
    assert applied.stdout.count("deployment.apps/") == 3


def test_the_kustomization_that_confines_is_taken_as_it_is_shown(
    installed: Cluster, tmp_path: Path
) -> None:
    page = (REPOSITORY / "docs/how-to/confine-rights.md").read_text()
    shown = page.partition("kustomization.yaml <<END\n")[2].partition("\nEND")[0]
    here = os.path.relpath(REPOSITORY, tmp_path.resolve())
    path = tmp_path / "kustomization.yaml"
    path.write_text(shown.replace("../..", here).replace("../my-cluster", f"{here}/manifests"))
    applied = _kubectl(installed, "apply", "-k", str(tmp_path), "--dry-run=server")

    assert applied.returncode == 0, applied.stderr
    made = [line.split()[0] for line in applied.stdout.splitlines() if "validating" in line]
    told = page.partition("Remove the policies:")[2]
    assert len(made) == 21
    assert [one for one in made if not re.search(rf"{one.partition('/')[2]}\b", told)] == []


@pytest.mark.parametrize(
    ("who", "verb", "what", "namespace", "allowed"),
    [
        (CONTROLLER, "patch", "workflowexecutions.workflowexecution.kubernaut.ai", "any", True),
        (CONTROLLER, "create", "workflowexecutions.workflowexecution.kubernaut.ai", "any", False),
        (CONTROLLER, "delete", "workflowexecutions.workflowexecution.kubernaut.ai", "any", False),
        (CONTROLLER, "create", "pipelineruns.tekton.dev", "kubernaut-workflows", True),
        (CONTROLLER, "create", "pipelineruns.tekton.dev", "any", False),
        (CONTROLLER, "patch", "taskruns.tekton.dev", "kubernaut-workflows", False),
        (CONTROLLER, "create", "events.events.k8s.io", "any", True),
        (CONTROLLER, "delete", "pods", "kubernaut-workflows", True),
        (CONTROLLER, "delete", "pods", "any", False),
        (CONTROLLER, "create", "leases.coordination.k8s.io", "kubernaut-system", True),
        (CONTROLLER, "update", f"{LEASES}/workflowexecution-controller", "kubernaut-system", True),
        (CONTROLLER, "update", f"{LEASES}/another", "kubernaut-system", False),
        (CONTROLLER, "create", "leases.coordination.k8s.io", "any", False),
        (CONTROLLER, "patch", SETTINGS, "kubernaut-workflows", True),
        (CONTROLLER, "create", SETTINGS, "kubernaut-workflows", True),
        (CONTROLLER, "patch", SETTINGS, "any", False),
        (CONTROLLER, "create", "configmaps", "kubernaut-workflows", False),
        (CONTROLLER, "get", SETTINGS, "kubernaut-workflows", False),
        (CONTROLLER, "get", "secrets", "kubernaut-workflows", False),
        (CONTROLLER, "create", "pods", "kubernaut-workflows", False),
        (CONTROLLER, "create", "pods:exec", "kubernaut-workflows", False),
        (CONTROLLER, "create", "serviceaccounts:token", "kubernaut-workflows", False),
        (CONTROLLER, "patch", "deployments.apps", "any", False),
        (CONTROLLER, "create", "rolebindings.rbac.authorization.k8s.io", "any", False),
        (CONTROLLER, "patch", ADMISSION, "any", False),
        (CREATOR, "create", "workflowexecutions.workflowexecution.kubernaut.ai", "team", True),
        (CREATOR, "create", "workflowexecutions.workflowexecution.kubernaut.ai", "any", False),
        (CREATOR, "patch", STATUS, "team", False),
        (CREATOR, "create", "pipelineruns.tekton.dev", "kubernaut-workflows", False),
        (CREATOR, "get", "pods:log", "kubernaut-workflows", False),
        (READER, "get", "pods:log", "kubernaut-workflows", True),
        (READER, "list", "taskruns.tekton.dev", "kubernaut-workflows", True),
        (READER, "get", SETTINGS, "kubernaut-workflows", True),
        (READER, "list", "configmaps", "kubernaut-workflows", False),
        (READER, "get", "pods:log", "any", False),
        (READER, "delete", "pods", "kubernaut-workflows", False),
        (READER, "create", "pods:exec", "kubernaut-workflows", False),
        (CANCELLER, "patch", "pipelineruns.tekton.dev", "kubernaut-workflows", True),
        (CANCELLER, "patch", "pipelineruns.tekton.dev", "any", False),
        (CANCELLER, "create", "pipelineruns.tekton.dev", "kubernaut-workflows", False),
        (CANCELLER, "delete", "pipelineruns.tekton.dev", "kubernaut-workflows", False),
        (RUNNER, "patch", "deployments.apps", "any", False),
        (RUNNER, "delete", "pods", "any", False),
        (RUNNER, "get", "secrets", "kubernaut-workflows", False),
        (RUNNER, "create", "pipelineruns.tekton.dev", "kubernaut-workflows", False),
    ],
)
def test_rights_reach_as_far_as_needed_and_no_further(
    installed: Cluster, who: str, verb: str, what: str, namespace: str, allowed: bool
) -> None:
    kind, _, subresource = what.partition(":")
    asked = (verb, kind, f"--subresource={subresource}", f"--as={who}", "-n", namespace)
    answer = _kubectl(installed, "auth", "can-i", *asked)

    assert answer.stdout.strip() == ("yes" if allowed else "no"), answer.stderr


@pytest.mark.parametrize(
    "name", sorted(path.parent.name for path in TEKTON.glob("*/workflow.yaml"))
)
def test_tekton_takes_every_bundle(tekton_cluster: Cluster, namespace: str, name: str) -> None:
    images = {"toolbox": "registry.test/toolbox"}
    for item in load_bundle(TEKTON / name, images):
        path = f"/apis/tekton.dev/v1/namespaces/{namespace}/{item['kind'].lower()}s"
        tekton_cluster.request("POST", f"{path}?dryRun=All", item)


def test_tekton_refuses_a_broken_bundle(tekton_cluster: Cluster, namespace: str) -> None:
    (pipeline,) = load_bundle(TEKTON / "wait", {"toolbox": "registry.test/toolbox"})
    pipeline["spec"]["tasks"][0]["runAfter"] = ["nothing"]
    path = f"/apis/tekton.dev/v1/namespaces/{namespace}/pipelines?dryRun=All"
    with pytest.raises(ApiError, match="nothing"):
        tekton_cluster.request("POST", path, pipeline)
