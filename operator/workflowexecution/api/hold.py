"""The spec of a WorkflowHold, with which a person stops new launches, and its CRD."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from workflowexecution.api import identity, target
from workflowexecution.api.crd import definition, root, structural
from workflowexecution.api.fields import Model, Time, cel, parse_model

_NAMES_SOMETHING: Final = (
    "say what is held: everything: true and nothing else, or at least one of namespace, "
    "targetResource and workflowId"
)
_COLUMNS: Final = (
    ("Everything", "boolean", ".spec.everything", 0),
    ("For-Namespace", "string", ".spec.namespace", 0),
    ("Target", "string", ".spec.targetResource", 0),
    ("Workflow", "string", ".spec.workflowId", 0),
    ("Held-By", "string", ".spec.heldBy", 0),
    ("Until", "string", ".spec.expiresAt", 0),
    ("Reason", "string", ".spec.reason", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
)


class WorkflowHoldSpec(Model):
    """Launch nothing new of what is named here; what runs goes on."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "(has(self.everything) && self.everything) "
            "!= (has(self.namespace) || has(self.targetResource) || has(self.workflowId))",
            _NAMES_SOMETHING,
        )
    )

    everything: bool | None = Field(
        default=None, description="Whether every launch is held; then nothing else is named."
    )
    namespace: str | None = Field(
        default=None,
        min_length=1,
        max_length=63,
        description="Hold what is asked for in this namespace, or would change something in it.",
    )
    target_resource: Annotated[str, AfterValidator(target.check_target)] | None = Field(
        default=None,
        min_length=1,
        max_length=target.MAX_LENGTH,
        description="Hold what would change this target; the case of its kind does not matter.",
        json_schema_extra=cel(*target.RULE),
    )
    workflow_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="Hold this workflow. What is named together has to apply together.",
    )
    reason: str = Field(
        min_length=1, max_length=1024, description="Why, for people who wait for a launch."
    )
    held_by: str = Field(
        min_length=1,
        max_length=256,
        description="User who holds it, by the name the cluster knows.",
    )
    expires_at: Time | None = Field(
        default=None,
        description="From when on nothing is held any more; absent: until it is deleted.",
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        names = (self.namespace, self.target_resource, self.workflow_id)
        if bool(self.everything) == any(names):
            raise ValueError(_NAMES_SOMETHING)
        return self


def build_hold_crd() -> dict[str, Any]:
    """Build the CRD manifest of holds: ``apiextensions.k8s.io/v1``, one version, no status."""
    names = {
        "kind": identity.HOLD_KIND,
        "listKind": identity.HOLD_LIST_KIND,
        "plural": identity.HOLD_PLURAL,
        "singular": identity.HOLD_SINGULAR,
        "shortNames": [identity.HOLD_SHORT_NAME],
    }
    spec = structural(WorkflowHoldSpec)
    spec["x-kubernetes-validations"] = [
        *spec["x-kubernetes-validations"],
        {
            "rule": "self == oldSelf",
            "message": "a hold is not changed; delete it and create another",
        },
    ]
    schema = root("WorkflowHold keeps new workflows from being launched.", spec=spec)
    return definition(names, _COLUMNS, schema)


def parse_hold_spec(raw: Mapping[str, Any]) -> tuple[WorkflowHoldSpec | None, str]:
    """Read ``spec`` of a WorkflowHold; returns what ``parse_model`` returns."""
    return parse_model(WorkflowHoldSpec, raw)
