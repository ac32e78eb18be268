"""The two resources that keep launches away: their specs and CRDs.

With a WorkflowHold a person stops new launches. With a WorkflowClaim an installation keeps the
executions of a namespace to itself.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from workflowexecution.api import identity
from workflowexecution.api.fields import Model, Time, cel, definition, parse_model, root, structural
from workflowexecution.api.inputs import TARGET_MAX, TARGET_RULE, check_target

_NAMES_SOMETHING: Final = (
    "say what is held: everything: true and nothing else, or at least one of namespace, "
    "targetResource and workflowId"
)
_HOLD_COLUMNS: Final = (
    ("Everything", "boolean", ".spec.everything", 0),
    ("For-Namespace", "string", ".spec.namespace", 0),
    ("Target", "string", ".spec.targetResource", 0),
    ("Workflow", "string", ".spec.workflowId", 0),
    ("Held-By", "string", ".spec.heldBy", 0),
    ("Until", "string", ".spec.expiresAt", 0),
    ("Reason", "string", ".spec.reason", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
)
_CLAIM_COLUMNS: Final = (
    ("Execution-Namespace", "string", ".spec.executionNamespace", 0),
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
    target_resource: Annotated[str, AfterValidator(check_target)] | None = Field(
        default=None,
        min_length=1,
        max_length=TARGET_MAX,
        description="Hold what would change this target; the case of its kind does not matter.",
        json_schema_extra=cel(*TARGET_RULE),
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
    return definition(names, _HOLD_COLUMNS, schema)


def parse_hold_spec(raw: Mapping[str, Any]) -> tuple[WorkflowHoldSpec | None, str]:
    """Read ``spec`` of a WorkflowHold; returns what ``parse_model`` returns."""
    return parse_model(WorkflowHoldSpec, raw)


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
