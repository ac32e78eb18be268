"""The schema for editors of `workflow.yaml` has the fields of this Tekton, and ours for names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from localcluster import Cluster
from workflowexecution.bundles.folder import EDITOR_SCHEMA, TEMPLATE

TEKTON = Path(__file__).parents[2] / "tekton"
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}.tekton.dev"
Schema = dict[str, Any]


def test_the_shipped_schema_is_made_from_the_definitions_of_tekton(tekton_cluster: Cluster) -> None:
    """With WFE_CAPTURE set, it is written again."""
    made = editor_schema(*(_served(tekton_cluster, plural) for plural in ("pipelines", "tasks")))
    if os.environ.get("WFE_CAPTURE"):
        EDITOR_SCHEMA.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    assert json.loads(EDITOR_SCHEMA.read_text()) == made


@pytest.mark.parametrize(
    "path",
    [*TEKTON.glob("*/workflow.yaml"), TEMPLATE / "workflow.yaml"],
    ids=lambda p: p.parent.name,
)
def test_our_own_workflows_satisfy_it(path: Path) -> None:
    assert _problems(yaml.safe_load(path.read_text())) == []


def test_a_misspelt_field_is_found_in_a_step() -> None:
    pipeline = yaml.safe_load((TEMPLATE / "workflow.yaml").read_text())
    task = pipeline["spec"]["tasks"][0]["taskSpec"]
    task["stepTemplate"]["computeResource"] = task["stepTemplate"].pop("computeResources")
    pipeline["metadata"]["name"] = "other"
    assert sorted(problem.partition(" ")[0] for problem in _problems(pipeline)) == [
        "'workflow'",
        "Additional",
    ]


def _problems(pipeline: Any) -> list[str]:
    validator = Draft202012Validator(json.loads(EDITOR_SCHEMA.read_text()))
    return [error.message for error in validator.iter_errors(pipeline)]


def _served(cluster: Cluster, plural: str) -> Schema:
    versions = cluster.request("GET", CRD.format(plural))["spec"]["versions"]
    (found,) = [item["schema"]["openAPIV3Schema"] for item in versions if item["name"] == "v1"]
    spec: Schema = found["properties"]["spec"]
    return spec


def editor_schema(pipeline: Schema, task: Schema) -> Schema:
    """The schema of a workflow, from those of a Pipeline's and a Task's spec."""
    meta = {"type": "object", "properties": {"name": {"const": "workflow"}}, "required": ["name"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The Pipeline of a workflow bundle",
        "type": "object",
        "properties": {
            "apiVersion": {"const": "tekton.dev/v1"},
            "kind": {"const": "Pipeline"},
            "metadata": meta,
            "spec": {"$ref": "#/$defs/pipelineSpec"},
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "$defs": {"pipelineSpec": _strict(pipeline), "taskSpec": _strict(task)},
    }


def _strict(part: Any) -> Any:
    """A part of a definition, in which a field that it does not name is a mistake."""
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    is_schema = isinstance(part.get("type"), str) or "x-kubernetes-int-or-string" in part
    made = {
        key: _strict(value)
        for key, value in part.items()
        if not (isinstance(value, str) and key == "description") and not key.startswith("x-")
    }
    for name in ("pipelineSpec", "taskSpec"):
        if is_schema and name in made.get("properties", {}):
            made["properties"][name] = {"$ref": f"#/$defs/{name}"}
    if is_schema and "properties" in made and "x-kubernetes-preserve-unknown-fields" not in part:
        made["additionalProperties"] = False
    return made
