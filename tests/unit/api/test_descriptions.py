"""Every field of the definition says what it is: ``kubectl explain`` shows nothing else."""

from collections.abc import Iterator
from typing import Any

from workflowexecution.api.crd import build_crd, unchanged_spec
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.settings import Settings


def fields(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in node.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    if "items" in node:
        yield from fields(node["items"], f"{path}[]")


def schema() -> dict[str, Any]:
    version = build_crd()["spec"]["versions"][0]
    return dict(version["schema"]["openAPIV3Schema"])


def test_every_field_has_a_description() -> None:
    found = dict(fields(schema()))
    assert len(found) > 60
    # Of metadata the API server takes no description but its own.
    assert [path for path, field in found.items() if not field.get("description")] == [".metadata"]


def test_no_description_begins_with_a_question_word() -> None:
    words = ("What ", "How ", "Who ", "Whose ")
    described = {path: field.get("description", "") for path, field in fields(schema())}
    described |= {name: flag.description or "" for name, flag in Settings.model_fields.items()}
    assert [path for path, said in described.items() if said.startswith(words)] == []


def test_every_text_of_the_spec_is_bounded() -> None:
    spec = schema()["properties"]["spec"]
    unbounded = [
        path
        for path, field in fields(spec)
        if field.get("type") == "string" and "maxLength" not in field and "pattern" not in field
    ]
    assert unbounded == []


def test_the_rule_of_the_immutable_spec_names_every_field() -> None:
    rule = unchanged_spec()
    for path, field in fields(schema()["properties"]["spec"]):
        if "properties" not in field:
            written = path.replace(".namespace", ".__namespace__")
            assert f"self{written}" in rule
            assert f"oldSelf{written}" in rule
    assert len(WorkflowExecutionSpec.model_fields) == 7
