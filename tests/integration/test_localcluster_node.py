"""The node tier: real containers, with real tokens and real limits."""

from __future__ import annotations

import subprocess

from localcluster import Cluster, eventually
from localcluster.cluster import Object
from localcluster.samples import reason_of, start_run

SECONDS = 90.0


def test_step_reaches_the_api_server_with_its_own_token(
    node_cluster: Cluster, namespace: str
) -> None:
    allow_default_account(node_cluster, namespace)
    script = f"#!/bin/sh\nset -e\nkubectl -n {namespace} get serviceaccounts -o name\nid -u\n"
    step = {"name": "ask", "image": f"{node_cluster.registry}/toolbox:latest", "script": script}
    assert end_of_run(node_cluster, namespace, step) == "Succeeded"
    printed = kubectl(node_cluster, "-n", namespace, "logs", "run-first-pod", "-c", "step-ask")
    assert printed.split() == ["serviceaccount/default", "65532"]


def test_step_that_takes_too_much_memory_is_killed_for_it(
    node_cluster: Cluster, namespace: str
) -> None:
    step = {
        "name": "eat",
        "image": f"{node_cluster.registry}/shell:latest",
        "command": ["/bin/sh", "-c", "tail /dev/zero"],
        "computeResources": {"limits": {"memory": "24Mi"}},
    }
    assert end_of_run(node_cluster, namespace, step) == "Failed"
    path = f"/apis/tekton.dev/v1/namespaces/{namespace}/taskruns/run-first"
    (ended,) = node_cluster.request("GET", path)["status"]["steps"]
    assert ended["terminated"]["reason"] == "OOMKilled"
    assert ended["terminated"]["exitCode"] == 137


def test_pods_of_tekton_fit_the_restricted_pod_security_standard(
    node_cluster: Cluster, namespace: str
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    path = f"/api/v1/namespaces/{namespace}"
    node_cluster.request("PATCH", path, {"metadata": {"labels": labels}})
    step = {
        "name": "speak",
        "image": f"{node_cluster.registry}/shell:latest",
        "script": "#!/bin/sh\necho spoken\n",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    assert end_of_run(node_cluster, namespace, step) == "Succeeded"


def test_commands_run_in_a_pod_from_outside(node_cluster: Cluster, namespace: str) -> None:
    image = f"--image={node_cluster.registry}/shell:latest"
    flags = ["-n", namespace]
    sleep = ["--command", "--", "sleep", "600"]
    kubectl(node_cluster, *flags, "run", "sleeper", image, *sleep)
    kubectl(node_cluster, *flags, "wait", "--for=condition=Ready", "pod/sleeper", "--timeout=60s")
    assert kubectl(node_cluster, *flags, "exec", "sleeper", "--", "echo", "heard") == "heard\n"


def end_of_run(cluster: Cluster, namespace: str, step: Object) -> str:
    """Run a workflow of one step and wait for its end; returns the reason."""
    run = start_run(cluster, namespace, step)
    eventually(lambda: reason_of(cluster, run), SECONDS, "the end of the run")
    return reason_of(cluster, run)


def kubectl(cluster: Cluster, *arguments: str) -> str:
    """The output of a kubectl command. Raises CalledProcessError if it fails."""
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def allow_default_account(cluster: Cluster, namespace: str) -> None:
    """Let the namespace's default ServiceAccount read what is in its namespace."""
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "readers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    cluster.request("POST", path, binding)
