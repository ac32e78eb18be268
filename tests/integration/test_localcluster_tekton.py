"""The tekton tier: a webhook that really admits, a resolver that really reads bundles."""

from __future__ import annotations

from typing import Any

import pytest

from localcluster import ApiError, Cluster, eventually
from localcluster.oci import push_bundle

RUNS = "/apis/tekton.dev/v1/namespaces/{namespace}/pipelineruns"


def pipeline(image: str = "localcluster.invalid/none:latest") -> dict[str, Any]:
    """A pipeline `workflow` with one step."""
    step = {"name": "only", "image": image, "command": ["true"]}
    task = {"name": "first", "taskSpec": {"steps": [step]}}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {"tasks": [task]},
    }


def run_of(bundle: str) -> dict[str, Any]:
    """A PipelineRun of the pipeline in a bundle."""
    values = {"bundle": bundle, "name": "workflow", "kind": "pipeline"}
    params = [{"name": name, "value": value} for name, value in values.items()]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": "run-"},
        "spec": {"pipelineRef": {"resolver": "bundles", "params": params}},
    }


def test_webhook_refuses_what_tekton_does_not_understand(
    tekton_cluster: Cluster, namespace: str
) -> None:
    bad = run_of("unused")
    bad["spec"] = {}
    with pytest.raises(ApiError, match=r"webhook.*expected exactly one"):
        tekton_cluster.request("POST", RUNS.format(namespace=namespace), bad)


def test_webhook_converts_between_versions(tekton_cluster: Cluster, namespace: str) -> None:
    old = f"/apis/tekton.dev/v1beta1/namespaces/{namespace}/pipelineruns"
    assert tekton_cluster.request("GET", old)["items"] == []


def test_run_of_a_bundle_gets_as_far_as_its_pod(tekton_cluster: Cluster, namespace: str) -> None:
    assert tekton_cluster.registry
    bundle = push_bundle(tekton_cluster.registry, f"bundles/{namespace}", objects=[pipeline()])
    tekton_cluster.request("POST", RUNS.format(namespace=namespace), run_of(bundle))
    pods = f"/api/v1/namespaces/{namespace}/pods"
    eventually(lambda: tekton_cluster.request("GET", pods)["items"], 30, "the pod of the run")
