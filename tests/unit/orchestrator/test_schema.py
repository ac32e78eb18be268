"""The JSON Schema that is exported: of the whole API, and what ``wfe schema`` prints."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflowexecution.api.crd import build_crd
from workflowexecution.cli.commands import main
from workflowexecution.orchestrator import build_json_schema

SCHEMA = build_json_schema()
SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a schema."""
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(item)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    name = node.get("$ref", "").removeprefix("#/$defs/")
    return {**SCHEMA["$defs"][name], **node} if name else node


def fields_of(node: dict[str, Any]) -> dict[str, Any]:
    """Names and kinds of all fields, whichever way the schema is put together."""
    node = resolved(node)
    if "items" in node:
        return {"[]": fields_of(node["items"])}
    required = node.get("required", [])
    return {
        f"{name}*" if name in required else name: fields_of(field)
        for name, field in node.get("properties", {}).items()
    } or {"type": node.get("type"), "enum": node.get("enum")}


@pytest.mark.parametrize("part", ["spec", "status"])
def test_it_has_the_fields_of_the_definition_in_the_cluster(part: str) -> None:
    (version,) = build_crd()["spec"]["versions"]
    crd = version["schema"]["openAPIV3Schema"]["properties"][part]
    assert fields_of(SCHEMA["properties"][part]) == fields_of(crd)


def test_every_reference_leads_somewhere() -> None:
    references = {node["$ref"] for node in nodes(SCHEMA) if isinstance(node.get("$ref"), str)}
    assert {name.removeprefix("#/$defs/") for name in references} == set(SCHEMA["$defs"])


def test_no_field_may_be_null() -> None:
    assert not [node for node in nodes(SCHEMA) if node.get("type") == "null" or "anyOf" in node]
    assert "null" not in json.dumps(SCHEMA)


@pytest.mark.parametrize("name", ["WorkflowRef", "ExecutionConfig", "ObjectReference"])
def test_a_spec_is_closed(name: str) -> None:
    assert SCHEMA["$defs"][name]["additionalProperties"] is False
    assert SCHEMA["properties"]["spec"]["additionalProperties"] is False


@pytest.mark.parametrize("name", ["FailureDetails", "SkipDetails", "Condition"])
def test_a_status_is_open(name: str) -> None:
    assert "additionalProperties" not in SCHEMA["$defs"][name]
    assert "additionalProperties" not in SCHEMA["properties"]["status"]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*-*.yaml")), ids=lambda path: path.stem)
def test_the_samples_keep_to_it(path: Path) -> None:
    for sample in yaml.safe_load_all(path.read_text()):
        assert set(SCHEMA["required"]) <= set(sample)
        _keeps_to(sample["spec"], SCHEMA["properties"]["spec"])


def _keeps_to(given: dict[str, Any], node: dict[str, Any]) -> None:
    node = resolved(node)
    assert set(node.get("required", [])) <= set(given) <= set(node["properties"])
    for name, said in given.items():
        field = resolved(node["properties"][name])
        if "properties" in field:
            _keeps_to(said, field)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
