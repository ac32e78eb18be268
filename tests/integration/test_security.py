"""The statements of docs/security.md are tried by an account with only the rights that are shipped.

An attack is let through here where RBAC lets it through: whether there is such an object does not
matter then. Nothing comes of any: all are dry runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness import attacks, rights
from harness.attacks import Attack, body
from harness.executions import unique
from harness.objects import create_namespace, delete_namespace
from harness.waiting import eventually
from localcluster import Cluster
from localcluster.cluster import Object
from localcluster.objects import read_folder
from localcluster.overlays import MANIFESTS

OURS, TEKTON = "/apis/workflowexecution.kubernaut.ai/v1alpha1", "/apis/tekton.dev/v1"
API = "workflowexecution.kubernaut.ai/v1alpha1"
META = {"metadata": {"annotations": {"a": "b"}}}
REFERENCE = {"apiVersion": "v1", "kind": "ConfigMap", "name": "any", "namespace": "NAMESPACE"}
WORKFLOW = {"workflowId": "a", "version": "1", "containerImage": "registry.example/a:1"}
EXECUTION = body(
    "WorkflowExecution",
    API,
    spec={
        "remediationRequestRef": REFERENCE,
        "workflowRef": WORKFLOW,
        "targetResource": "NAMESPACE/Deployment/app",
    },
)
HOLD = body("WorkflowHold", API, spec={"reason": "a", "heldBy": "eve", "everything": True})
EVENT = body(
    "Event",
    "events.k8s.io/v1",
    eventTime="2026-01-01T00:00:00.000000Z",
    action="a",
    reason="a",
    type="Normal",
    reportingController="a",
    reportingInstance="a",
    regarding={**REFERENCE, "namespace": "NAMESPACE"},
)
SETTINGS = "workflowexecution-settings"
LEASES, LEASE = "/apis/coordination.k8s.io/v1:leases", "workflowexecution-controller"


def lease(name: str) -> Object:
    return {**body("Lease", "coordination.k8s.io/v1"), "metadata": {"name": name}}


OF_OURS = [
    Attack("GET", f"{OURS}:workflowexecutions/eve"),
    Attack("POST", f"{OURS}:workflowexecutions", EXECUTION),
    Attack("PATCH", f"{OURS}:workflowexecutions/eve", META),
    Attack("PATCH", f"{OURS}:workflowexecutions/eve/status", {"status": {}}),
    Attack("DELETE", f"{OURS}:workflowexecutions/eve"),
    Attack("DELETE", f"{OURS}:workflowexecutions"),
    Attack("POST", f"{OURS}:workflowholds", HOLD),
    Attack("PATCH", f"{OURS}:workflowholds/eve", META),
    Attack("DELETE", f"{OURS}:workflowholds/eve"),
    Attack("PATCH", f"{TEKTON}:pipelineruns/eve", META),
    Attack("PATCH", f"{TEKTON}:pipelineruns/eve/status", {"status": {}}),
    Attack("DELETE", f"{TEKTON}:pipelineruns/eve"),
    Attack("DELETE", f"{TEKTON}:pipelineruns"),
    Attack("PATCH", f"{TEKTON}:taskruns/eve", META),
    Attack("DELETE", f"{TEKTON}:taskruns/eve"),
    Attack("GET", "/api/v1:pods/app/log"),
    Attack("POST", "/api/v1:pods", body("Pod", spec={"containers": [{"name": "a", "image": "a"}]})),
    *(
        Attack(verb, f"/api/v1:configmaps/{name}", META if verb == "PATCH" else None)
        for verb in ("GET", "PATCH", "DELETE")
        for name in (SETTINGS, "another")
    ),
    Attack("GET", "/api/v1:configmaps"),
    Attack("GET", "/api/v1:secrets"),
    Attack("GET", "/api/v1:secrets/eve"),
    Attack("POST", "/apis/events.k8s.io/v1:events", EVENT),
    Attack("POST", LEASES, lease("another")),
    *(Attack("PUT", f"{LEASES}/{name}", lease(name)) for name in (LEASE, "another")),
    Attack("DELETE", f"{LEASES}/{LEASE}"),
]
ALL = [*attacks.ALL, *OF_OURS]
EXECUTIONS = {"GET workflowexecutions/eve"}
READ_SETTINGS = f"GET configmaps/{SETTINGS}"
CHANGES = {
    *EXECUTIONS,
    "POST workflowexecutions",
    "PATCH workflowexecutions/eve",
    "DELETE workflowexecutions/eve",
}
# Of all attacks, those that each role lets through in the namespace that it is bound in.
MAY = {
    "workflowexecution-viewer": EXECUTIONS,
    "workflowexecution-run-reader": {"GET pods/app/log", READ_SETTINGS},
    "workflowexecution-canceller": {"PATCH pipelineruns/eve"},
    "workflowexecution-doctor": {*EXECUTIONS, READ_SETTINGS},
    "workflowexecution-orchestrator": CHANGES,
    "workflowexecution-holder": {"POST workflowholds", "DELETE workflowholds/eve", "POST events"},
    "workflowexecution-clearer": {
        *EXECUTIONS,
        "PATCH workflowexecutions/eve",
        "PATCH pipelineruns/eve",
        "POST events",
    },
    "kubernaut-workflow-runner": {"PATCH deployments/app"},
}
OPERATOR_ANYWHERE = {
    *EXECUTIONS,
    "PATCH workflowexecutions/eve",
    "PATCH workflowexecutions/eve/status",
    "POST events",
}
OPERATOR = {
    "default": OPERATOR_ANYWHERE,
    "kube-system": OPERATOR_ANYWHERE,
    "kubernaut-system": OPERATOR_ANYWHERE | {"POST leases", f"PUT leases/{LEASE}"},
    "kubernaut-workflows": OPERATOR_ANYWHERE
    | {"POST pipelineruns", "PATCH pipelineruns/eve", "DELETE pipelineruns/eve", "DELETE pods/app"}
    | {f"PATCH configmaps/{SETTINGS}"},
}
PORT = {"containerPort": 1, "hostPort": 1}
RUNS_OF = "kubernaut-workflows"
RBAC, ADMISSION = attacks.RBAC, "/apis/admissionregistration.k8s.io/v1"
WIDE = {
    "a role": (f"{RBAC}/clusterroles", body("ClusterRole", RBAC[6:])),
    "a binding": (
        f"{RBAC}/clusterrolebindings",
        body("ClusterRoleBinding", RBAC[6:], roleRef=attacks.ROLE),
    ),
    "a policy": (
        f"{ADMISSION}/validatingadmissionpolicies",
        body("ValidatingAdmissionPolicy", ADMISSION[6:]),
    ),
    "a token review": (
        "/apis/authentication.k8s.io/v1/tokenreviews",
        body("TokenReview", "authentication.k8s.io/v1", spec={"token": "a"}),
    ),
    "an access review": (
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body("SubjectAccessReview", "authorization.k8s.io/v1", spec={"user": "a"}),
    ),
    "a definition": (
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        body("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ),
}


@pytest.fixture(scope="module")
def spaces(bare_cluster: Cluster) -> Iterator[tuple[str, str]]:
    """A namespace that roles are bound in, and another one."""
    names = (unique("here"), unique("there"))
    for name in names:
        create_namespace(bare_cluster, name)
    yield names
    for name in names:
        delete_namespace(bare_cluster, name)


def let_through(who: Cluster, namespace: str) -> set[str]:
    """The attacks that RBAC does not stop."""
    said = {str(attack): attack.said(who, namespace) for attack in ALL}
    assert len(said) == len(ALL)
    return {name for name, text in said.items() if not is_stopped(text)}


def is_stopped(said: str) -> bool:
    return "is forbidden: User" in said


def wide(who: Cluster) -> set[str]:
    """The kinds without a namespace that RBAC does not stop from being created."""
    said = {
        what: Attack("POST", path, item).said_at(who, path) for what, (path, item) in WIDE.items()
    }
    return {what for what, text in said.items() if not is_stopped(text)}


@pytest.mark.parametrize("role", MAY)
def test_a_role_lets_do_what_it_is_for_and_nothing_else(
    bare_cluster: Cluster, spaces: tuple[str, str], role: str
) -> None:
    here, there = spaces
    who = rights.with_roles(bare_cluster, here, unique("eve"), {role: here})

    assert let_through(who, here) == MAY[role]
    assert let_through(who, there) == set()


def test_every_role_that_is_shipped_is_tried() -> None:
    path = MANIFESTS / "rbac"
    shipped = {
        item["metadata"]["name"] for item in read_folder(path) if item["kind"] == "ClusterRole"
    }
    assert shipped == MAY.keys() | {rights.ACCOUNT}


def test_the_doctor_reads_no_secret_anywhere_and_changes_nothing(
    bare_cluster: Cluster, spaces: tuple[str, str]
) -> None:
    role = {"workflowexecution-doctor": ""}
    who = rights.with_roles(bare_cluster, spaces[0], unique("doctor"), role)
    for namespace in (*spaces, "kube-system", *OPERATOR):
        assert let_through(who, namespace) == {*EXECUTIONS, READ_SETTINGS}
    assert wide(who) == {"an access review"}


@pytest.mark.parametrize("namespace", OPERATOR)
def test_a_stolen_token_of_the_operator_reaches_so_far(
    bare_cluster: Cluster, namespace: str
) -> None:
    assert let_through(rights.as_operator(bare_cluster), namespace) == OPERATOR[namespace]


def test_a_stolen_token_of_the_operator_changes_nothing_of_the_cluster(
    bare_cluster: Cluster,
) -> None:
    thief = rights.as_operator(bare_cluster)

    def may(wanted: set[str]) -> None:
        assert wide(thief) == wanted

    rights.let_review(bare_cluster)
    eventually(lambda: may({"a token review", "an access review"}))
    with rights.without_review(bare_cluster):
        eventually(lambda: may(set()))


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_no_role_of_the_cluster_lets_create_executions(
    bare_cluster: Cluster, spaces: tuple[str, str], role: str
) -> None:
    here, _ = spaces
    who = rights.with_roles(bare_cluster, here, unique(role), {role: here})
    ours = {str(attack) for attack in OF_OURS if OURS in attack.path}

    def is_so() -> None:
        assert let_through(who, here) & ours == EXECUTIONS

    # What test_restricted has let them do is taken back within moments.
    eventually(is_so)


def test_who_has_a_token_of_the_runner_changes_nothing_as_shipped(bare_cluster: Cluster) -> None:
    path = f"/api/v1/namespaces/{RUNS_OF}/serviceaccounts/kubernaut-workflow-runner/token"
    token = str(bare_cluster.request("POST", path, {"spec": {}})["status"]["token"])
    who = replace(bare_cluster, token=token)
    for namespace in OPERATOR:
        assert let_through(who, namespace) == set()


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]},
        {
            "containers": [{"name": "a", "image": "a"}],
            "volumes": [{"name": "a", "hostPath": {"path": "/"}}],
        },
        {"containers": [{"name": "a", "image": "a"}], "hostPID": True},
        {"containers": [{"name": "a", "image": "a"}], "hostNetwork": True},
        {"containers": [{"name": "a", "image": "a", "ports": [PORT]}]},
    ],
)
def test_pod_security_keeps_runs_from_the_node(bare_cluster: Cluster, spec: Object) -> None:
    pod = Attack("POST", "/api/v1:pods", body("Pod", spec=spec))
    said = pod.said(bare_cluster, RUNS_OF)
    assert "violates PodSecurity" in said
    assert "baseline:" in said
