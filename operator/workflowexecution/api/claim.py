"""The spec of a WorkflowClaim, which names the operator of a namespace, and its definition."""

from typing import Any, Final

from pydantic import Field

from workflowexecution.api import identity
from workflowexecution.api.crd import definition, root, structural
from workflowexecution.api.fields import Model, cel

_COLUMNS: Final = (
    ("Execution-Namespace", "string", ".spec.executionNamespace", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
)


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
    return definition(names, _COLUMNS, schema)
