"""The CRD and the JSON Schema of executions, generated from the models, so that all agree.

The CRD includes the rules by which the API server refuses a change of a spec. A rule compares the
meaning, not the spelling: a client with its own types writes an object back in its own spelling.
Go, for example, writes ``30m`` as ``30m0s`` and leaves out empty fields. Each field has one rule,
made from the models, so that no field is forgotten.
"""

import types
import typing
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from workflowexecution.api import identity
from workflowexecution.api.fields import definition, root, structural
from workflowexecution.api.spec import DURATION_FIELDS, WorkflowExecutionSpec
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.api.status_model import WorkflowExecutionStatus

_COLUMNS: Final = (
    ("Phase", "string", ".status.phase", 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Succeeded")].reason', 0),
    ("WorkflowID", "string", ".spec.workflowRef.workflowId", 0),
    ("Target", "string", ".spec.targetResource", 0),
    ("Duration", "string", ".status.duration", 0),
    ("PipelineRun", "string", ".status.pipelineRunRef.name", 1),
    ("Blocker", "string", ".status.skipDetails['conflictingWorkflow','recentRemediation'].name", 1),
    ("Age", "date", ".metadata.creationTimestamp", 0),
)
# A reserved word of CEL.
_ESCAPED = {"namespace": "__namespace__"}
_EMPTY = {str: "''", float: "0.0"}
_REFERENCE: Final = "#/$defs/{model}"


def build_crd() -> dict[str, Any]:
    """Build the CRD manifest: ``apiextensions.k8s.io/v1``, one served and stored version."""
    names = {
        "kind": identity.KIND,
        "listKind": identity.LIST_KIND,
        "plural": identity.PLURAL,
        "singular": identity.SINGULAR,
        "shortNames": [identity.SHORT_NAME],
        "categories": [identity.CATEGORY],
    }
    more = {
        "subresources": {"status": {}},
        "selectableFields": [
            {"jsonPath": ".spec.targetResource"},
            {"jsonPath": ".spec.workflowRef.workflowId"},
            {"jsonPath": ".spec.remediationRequestRef.name"},
            {"jsonPath": ".status.phase"},
        ],
    }
    return definition(names, _COLUMNS, _schema(), more)


def _schema() -> dict[str, Any]:
    spec = structural(WorkflowExecutionSpec)
    spec["x-kubernetes-validations"] = [
        {"rule": unchanged_spec(), "message": "spec is immutable; create a new WorkflowExecution"}
    ]
    # Without this, kstatus takes an execution that no operator has seen for one that has ended.
    unseen = {"default": {"observedGeneration": -1}}
    return {
        **root(
            "WorkflowExecution runs one workflow on one target resource.",
            spec=spec,
            status=structural(WorkflowExecutionStatus) | unseen,
        ),
        # On the root: a rule on the status would not be checked for a status that is null.
        "x-kubernetes-validations": _phase_rules(),
    }


def _phase_rules() -> list[dict[str, str]]:
    terminal = ", ".join(f"'{phase}'" for phase in TERMINAL_PHASES)
    was = "has(oldSelf.status) && has(oldSelf.status.phase)"
    stays = "has(self.status) && has(self.status.phase) && self.status.phase"
    return [
        {
            "rule": f"!({was} && oldSelf.status.phase in [{terminal}]) "
            f"|| ({stays} == oldSelf.status.phase)",
            "message": "a Completed, Failed or Skipped execution never changes its phase",
        },
        {
            "rule": f"!({was} && oldSelf.status.phase == 'Running') || ({stays} != 'Pending')",
            "message": "a Running execution does not go back",
        },
    ]


def unchanged_spec() -> str:
    """A CEL expression over ``self`` and ``oldSelf``, both specs, true where they mean the same."""
    return " && ".join(_same(WorkflowExecutionSpec, "self", "oldSelf"))


def _same(model: type[BaseModel], new: str, old: str) -> list[str]:
    return [_same_field(name, field, new, old) for name, field in model.model_fields.items()]


def _same_field(name: str, field: FieldInfo, new: str, old: str) -> str:
    alias = _ESCAPED.get(name, field.alias or name)
    kind = _type_of(field)
    a, b = f"{new}.{alias}", f"{old}.{alias}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner = " && ".join(_same(kind, a, b))
        if field.is_required():
            return inner
        return f"(has({a}) ? (has({b}) && {inner}) : !has({b}))"
    if typing.get_origin(kind) is dict:
        return (
            f"(has({a}) && size({a}) > 0 ? (has({b}) && {a} == {b}) "
            f": (!has({b}) || size({b}) == 0))"
        )
    if name in DURATION_FIELDS:
        same = f"duration({a}) <= duration({b}) && duration({a}) >= duration({b})"
        return f"(has({a}) ? (has({b}) && {same}) : !has({b}))"
    if field.is_required():
        return f"{a} == {b}"
    empty = _EMPTY[kind]
    # The API server estimates the cost of a rule from the lengths of its fields. It does not know
    # the length of a value that an expression chooses, and refuses such a rule.
    return (
        f"(has({a}) && {a} != {empty} ? (has({b}) && {a} == {b}) : (!has({b}) || {b} == {empty}))"
    )


def _type_of(field: FieldInfo) -> typing.Any:
    """The type of a field, without the None of an optional one."""
    kind = field.annotation
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kind = next(item for item in typing.get_args(kind) if item is not type(None))
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind


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
