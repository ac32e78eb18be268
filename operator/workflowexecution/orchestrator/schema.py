"""The JSON Schema of the API, for editors, code generators and checks without a cluster."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from workflowexecution.api import identity
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.api.status_model import WorkflowExecutionStatus

_REFERENCE: Final = "#/$defs/{model}"


class _WithoutNulls(GenerateJsonSchema):
    """A field without a value is absent in this API, never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def build_json_schema() -> dict[str, Any]:
    """Build the JSON Schema (2020-12) of a whole WorkflowExecution.

    A spec must not have unknown fields, as with ``kubectl``. A status may have them, since newer
    operators may add fields. Rules that JSON Schema cannot express are
    ``x-kubernetes-validations`` of their fields.
    """
    spec, spec_defs = _parts(WorkflowExecutionSpec)
    status, status_defs = _parts(WorkflowExecutionStatus)
    closed = {name: _closed(part) for name, part in spec_defs.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": identity.KIND,
        "description": "Run one workflow on one target resource.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": identity.API_VERSION},
            "kind": {"const": identity.KIND},
            "metadata": {"type": "object"},
            "spec": _closed(spec),
            "status": status,
        },
        "$defs": {**closed, **status_defs},
    }


def _parts(model: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a model, and the schemas of the models that it refers to, by name."""
    schema = model.model_json_schema(ref_template=_REFERENCE, schema_generator=_WithoutNulls)
    cleaned = _cleaned(schema)
    definitions = cleaned.pop("$defs", {})
    return cleaned, definitions


def _cleaned(node: Any) -> Any:
    """The schema without generated titles and without defaults that are null."""
    if isinstance(node, list):
        return [_cleaned(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _cleaned(item) for key, item in node.items() if not _is_noise(key, item)}
    return kept


def _is_noise(key: str, item: Any) -> bool:
    return (key == "title" and isinstance(item, str)) or (key == "default" and item is None)


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    return {**node, "additionalProperties": False} if "properties" in node else node
