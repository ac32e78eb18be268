"""The smallest Tekton objects that prove a cluster works."""

from __future__ import annotations

from localcluster.bundles import push_bundle
from localcluster.cluster import Cluster, Object
from localcluster.errors import ClusterError

RUNS = "/apis/tekton.dev/v1/namespaces/{namespace}/pipelineruns"


def push_workflow(cluster: Cluster, repository: str, step: Object) -> str:
    """Push a bundle with a pipeline `workflow` of one step; returns its reference.

    Raises ClusterError where the cluster has no registry.
    """
    if not cluster.registry:
        raise ClusterError(f"tier {cluster.tier} has no registry")
    pipeline = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {"tasks": [{"name": "first", "taskSpec": {"steps": [step]}}]},
    }
    return push_bundle(cluster.registry, repository, objects=[pipeline])


def run_of(bundle: str) -> Object:
    """A PipelineRun `run` of the pipeline in a bundle."""
    values = {"bundle": bundle, "name": "workflow", "kind": "pipeline"}
    params = [{"name": name, "value": value} for name, value in values.items()]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "run"},
        "spec": {"pipelineRef": {"resolver": "bundles", "params": params}},
    }


def start_run(cluster: Cluster, namespace: str, step: Object) -> str:
    """Push a workflow of one step and run it; returns the path of the PipelineRun."""
    bundle = push_workflow(cluster, f"bundles/{namespace}", step)
    runs = RUNS.format(namespace=namespace)
    cluster.request("POST", runs, run_of(bundle))
    return f"{runs}/run"


def reason_of(cluster: Cluster, path: str) -> str:
    """The reason for the end of a run; empty while it has not ended."""
    conditions = cluster.request("GET", path).get("status", {}).get("conditions", [])
    return next((str(one["reason"]) for one in conditions if one["status"] != "Unknown"), "")
