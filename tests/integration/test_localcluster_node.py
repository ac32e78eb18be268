"""The node tier: real containers, with real tokens and real limits."""

from __future__ import annotations

import subprocess
from typing import Any

from localcluster import Cluster, eventually
from localcluster.oci import push_bundle

RUNS = "/apis/tekton.dev/v1/namespaces/{namespace}/pipelineruns"
TASK_RUNS = "/apis/tekton.dev/v1/namespaces/{namespace}/taskruns"
SECONDS = 90.0


def test_step_reaches_the_api_server_with_its_own_token(
    node_cluster: Cluster, namespace: str
) -> None:
    allow_default_account(node_cluster, namespace)
    script = f"#!/bin/sh\nset -e\nkubectl -n {namespace} get serviceaccounts -o name\nid -u\n"
    step = {"name": "ask", "image": f"{node_cluster.registry}/kubectl:latest", "script": script}
    run = finished_run(node_cluster, namespace, step)
    assert run["status"]["conditions"][0]["reason"] == "Succeeded"
    pod = f"{run['status']['childReferences'][0]['name']}-pod"
    flags = ["--kubeconfig", str(node_cluster.kubeconfig), "-n", namespace]
    command = [str(node_cluster.kubectl), *flags, "logs", pod, "-c", "step-ask"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True)
    assert printed.stdout.split() == ["serviceaccount/default", "65532"]


def test_step_that_takes_too_much_memory_is_killed_for_it(
    node_cluster: Cluster, namespace: str
) -> None:
    step = {
        "name": "eat",
        "image": f"{node_cluster.registry}/shell:latest",
        "command": ["/bin/sh", "-c", "tail /dev/zero"],
        "computeResources": {"limits": {"memory": "24Mi"}},
    }
    run = finished_run(node_cluster, namespace, step)
    assert run["status"]["conditions"][0]["status"] == "False"
    task_runs = node_cluster.request("GET", TASK_RUNS.format(namespace=namespace))["items"]
    (ended,) = (one["terminated"] for one in task_runs[0]["status"]["steps"])
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


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
    run = finished_run(node_cluster, namespace, step)
    assert run["status"]["conditions"][0]["reason"] == "Succeeded"


def finished_run(cluster: Cluster, namespace: str, step: dict[str, Any]) -> dict[str, Any]:
    """Push a bundle with this one step, run it, wait for its end."""
    assert cluster.registry
    pipeline = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {"tasks": [{"name": "first", "taskSpec": {"steps": [step]}}]},
    }
    bundle = push_bundle(cluster.registry, f"bundles/{namespace}", objects=[pipeline])
    values = {"bundle": bundle, "name": "workflow", "kind": "pipeline"}
    params = [{"name": name, "value": value} for name, value in values.items()]
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "run"},
        "spec": {"pipelineRef": {"resolver": "bundles", "params": params}},
    }
    runs = RUNS.format(namespace=namespace)
    cluster.request("POST", runs, run)

    def read() -> dict[str, Any]:
        found: dict[str, Any] = cluster.request("GET", f"{runs}/run")
        return found

    def ended() -> bool:
        conditions = read().get("status", {}).get("conditions", [])
        return any(one["status"] != "Unknown" for one in conditions)

    eventually(ended, SECONDS, "the end of the run")
    return read()


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
