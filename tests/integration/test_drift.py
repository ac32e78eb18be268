"""Definition, samples and bindings that are shipped agree with what the operator does."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.executions import name_of
from harness.world import World
from localcluster import Cluster
from localcluster.cluster import Object
from localcluster.objects import read
from localcluster.overlays import MANIFESTS
from workflowexecution.api.spec import parse_spec

SAMPLES = sorted(path for path in (MANIFESTS / "samples").glob("*.yaml") if "kust" not in path.name)


def test_roles_are_bound_where_the_operator_works() -> None:
    where = {
        (item["kind"], item["metadata"].get("namespace", ""))
        for item in read(MANIFESTS / "rbac" / "controller.yaml")
    }
    assert ("RoleBinding", "kubernaut-workflows") in where
    assert ("ClusterRoleBinding", "") in where


def test_the_definition_is_the_generated_one() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "workflowexecution", "crd"], capture_output=True, check=True
    )
    assert printed.stdout == (MANIFESTS / "crd" / "workflowexecutions.yaml").read_bytes()


def test_the_server_stores_the_definition_as_it_is_written(bare_cluster: Cluster) -> None:
    """Nothing in it is dropped or filled in differently: it is what it says."""
    (wanted,) = read(MANIFESTS / "crd" / "workflowexecutions.yaml")
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name_of(wanted)}"
    stored = bare_cluster.request("GET", path)
    conditions = {one["type"]: one["status"] for one in stored["status"]["conditions"]}

    assert conditions["Established"] == conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert without_none(stored["spec"]["versions"][0]) == without_none(
        wanted["spec"]["versions"][0]
    )


def without_none(version: Object) -> Object:
    """A version with `priority: 0` of columns left out, as the server leaves it out."""
    columns = [
        {key: value for key, value in column.items() if value != 0}
        for column in version["additionalPrinterColumns"]
    ]
    return {**version, "additionalPrinterColumns": columns}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_taken_and_run(world: World, path: Path) -> None:
    (sample,) = yaml.safe_load_all(path.read_text())
    spec, problem = parse_spec(sample)
    assert spec is not None, problem
    sample["metadata"]["namespace"] = world.source
    item = world.executions.create(sample, fieldValidation="Strict")

    assert (
        world.run_of(item)["metadata"]["annotations"]["kubernaut.ai/target-resource"]
        == (sample["spec"]["targetResource"])
    )


def test_an_object_as_a_go_client_writes_it_is_taken(world: World, target: str) -> None:
    """Go leaves out zero values, sends its status as an empty struct and a null creation time."""
    item = {
        "kind": "WorkflowExecution",
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
        "metadata": {
            "name": "from-go",
            "namespace": world.source,
            "creationTimestamp": None,
            "labels": {"kubernaut.ai/remediation-request": "rr-1"},
            "ownerReferences": [
                {
                    "apiVersion": "remediation.kubernaut.ai/v1alpha1",
                    "kind": "RemediationRequest",
                    "name": "rr-1",
                    "uid": "7a6dbd1e-0000-4000-8000-000000000000",
                    "controller": True,
                }
            ],
        },
        "spec": {
            "remediationRequestRef": {
                "kind": "RemediationRequest",
                "namespace": "default",
                "name": "rr-1",
                "uid": "7a6dbd1e-0000-4000-8000-000000000000",
                "apiVersion": "remediation.kubernaut.ai/v1alpha1",
            },
            "workflowRef": {
                "workflowId": "restart",
                "version": "v1.0.0",
                "containerImage": "registry.example/workflows/restart:v1.0.0",
            },
            "targetResource": target,
            "parameters": {"REPLICAS": "3"},
            "confidence": 0.92,
            "executionConfig": {},
        },
        "status": {},
    }
    created = world.executions.create(item, fieldValidation="Strict")
    world.run_of(created)
    status = world.in_phase(created, "Running")["status"]
    assert set(status) >= {"phase", "startTime", "pipelineRunRef", "conditions"}


def test_a_go_client_can_read_what_is_written(world: World, target: str) -> None:
    """Every struct that Go declares by value is whole, every optional one whole or absent."""
    item, run = world.launched(target)
    world.tekton.begin(run)
    world.tekton.fail(run)
    status = world.ended(item, "Failed")["status"]
    assert status["failureDetails"].keys() >= {
        "failedTaskIndex",
        "failedTaskName",
        "reason",
        "message",
        "failedAt",
        "executionTimeBeforeFailure",
        "naturalLanguageSummary",
    }
    assert None not in status.values()
    assert "skipDetails" not in status
    for condition in status["conditions"]:
        assert condition.keys() == {
            "type",
            "status",
            "reason",
            "message",
            "lastTransitionTime",
            "observedGeneration",
        }
