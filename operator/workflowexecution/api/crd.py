"""The CRDs of executions and claims, generated from the models, so that both always agree.

They include the rules by which the API server refuses a change of a spec. A rule compares the
meaning, not the spelling: a client with its own types writes an object back in its own spelling.
Go, for example, writes ``30m`` as ``30m0s`` and leaves out empty fields. Each field has one rule,
made from the models, so that no field is forgotten.
"""

import types
import typing
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from workflowexecution.api import identity
from workflowexecution.api.fields import Model, cel
from workflowexecution.api.spec import DURATION_FIELDS, WorkflowExecutionSpec
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.api.status_model import WorkflowExecutionStatus

# Heading, type, path, and priority: 0 is always shown, 1 only with ``-o wide``.
Column = tuple[str, str, str, int]

_DROPPED: Final = ("title", "$defs", "additionalProperties")
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
_CLAIM_COLUMNS: Final = (
    ("Execution-Namespace", "string", ".spec.executionNamespace", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
)


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
            {"jsonPath": ".status.phase"},
        ],
    }
    return definition(names, _COLUMNS, _schema(), more)


def definition(
    names: dict[str, Any],
    columns: Iterable[Column],
    schema: dict[str, Any],
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The definition of a namespaced kind; ``more`` are further fields of its only version."""
    version = {
        "name": identity.VERSION,
        "served": True,
        "storage": True,
        **(more or {}),
        "additionalPrinterColumns": [_column(*column) for column in columns],
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{identity.GROUP}"},
        "spec": {
            "group": identity.GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    """A column; the API server drops a priority of 0, which Argo CD would take for a change."""
    more = {"priority": priority} if priority else {}
    return {"name": name, "type": kind, "jsonPath": path, **more}


def root(description: str, **parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole object; ``parts`` are its spec and, where it has one, its status."""
    return {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the API."},
            "kind": {"type": "string", "description": "Kind of the object."},
            "metadata": {"type": "object"},
            **parts,
        },
    }


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


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """Turn a model's JSON Schema into a structural schema: references inlined, nulls dropped."""
    schema = model.model_json_schema(
        by_alias=True, mode="validation", schema_generator=GenerateJsonSchema
    )
    result = _inline(schema, schema.get("$defs", {}))
    assert isinstance(result, dict)
    return result


def _inline(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolve(node, defs)
    kept = {key: _inline(value, defs) for key, value in node.items() if key not in _DROPPED}
    if "properties" in node:
        kept["properties"] = {
            key: _inline(value, defs) for key, value in node["properties"].items()
        }
    elif node.get("type") == "object" and isinstance(node.get("additionalProperties"), dict):
        kept["additionalProperties"] = _inline(node["additionalProperties"], defs)
    if kept.get("default", ...) is None:
        del kept["default"]
    kept.pop("const", None)
    # The message of a rule explains more than a bare pattern does.
    if "x-kubernetes-validations" in kept:
        kept.pop("pattern", None)
    return kept


def _resolve(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference and choose the branch of an optional that is not null."""
    if "anyOf" in node:
        branch = next(item for item in node["anyOf"] if item.get("type") != "null")
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return _resolve({**branch, **rest}, defs)
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _resolve({**defs[node["$ref"].rsplit("/", 1)[1]], **rest}, defs)
    return node


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


class WorkflowClaimSpec(Model):
    """Executions of the claim's namespace are served by one installation, and by no other."""

    execution_namespace: str = Field(
        min_length=1,
        max_length=63,
        description="Where the runs of the installation are that serves this namespace.",
        json_schema_extra=cel(
            "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')", "must be the name of a namespace"
        ),
    )


def build_claim_crd() -> dict[str, Any]:
    """Build the CRD manifest of claims: ``apiextensions.k8s.io/v1``, one version, no status."""
    names = {
        "kind": identity.CLAIM_KIND,
        "listKind": identity.CLAIM_LIST_KIND,
        "plural": identity.CLAIM_PLURAL,
        "singular": identity.CLAIM_SINGULAR,
        "shortNames": [identity.CLAIM_SHORT_NAME],
    }
    spec = structural(WorkflowClaimSpec)
    spec["x-kubernetes-validations"] = [
        {
            "rule": "self == oldSelf",
            "message": "a claim is not changed; delete it, once its installation is stopped",
        }
    ]
    schema = root("WorkflowClaim says which installation serves a namespace.", spec=spec)
    schema["x-kubernetes-validations"] = [
        {
            "rule": f"self.metadata.name == '{identity.CLAIM_NAME}'",
            "message": f"metadata.name: must be {identity.CLAIM_NAME}: a namespace has one claim",
        }
    ]
    return definition(names, _CLAIM_COLUMNS, schema)
