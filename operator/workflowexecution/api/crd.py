"""The CustomResourceDefinition, generated from the models so that the two cannot differ."""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from workflowexecution.api import identity
from workflowexecution.api.immutability import unchanged_spec
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.api.status import TERMINAL_PHASES, WorkflowExecutionStatus

# Heading, type, path, and 1 where it is shown only to who asks for more.
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
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "priority": priority}
            for name, kind, path, priority in columns
        ],
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


def root(description: str, **parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole object that has a spec; ``parts`` are spec, and status if any."""
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
    return {
        **root(
            "WorkflowExecution runs one workflow on one target resource.",
            spec=spec,
            status=structural(WorkflowExecutionStatus),
        ),
        # On the root, not on status: there a status set to null would escape the rules.
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
    # The API server's own answer to a broken rule says more than a bare pattern does.
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
