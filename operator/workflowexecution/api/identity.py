"""Group, version, kind and names of the resource."""

from typing import Final

GROUP: Final = "workflowexecution.kubernaut.ai"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "WorkflowExecution"
LIST_KIND: Final = "WorkflowExecutionList"
PLURAL: Final = "workflowexecutions"
SINGULAR: Final = "workflowexecution"
SHORT_NAME: Final = "wfe"
CATEGORY: Final = "kubernaut"
# Earlier controllers put it on every execution; this operator only removes it.
OLD_FINALIZER: Final = f"{GROUP}/workflowexecution-cleanup"

DEFAULT_TIMEOUT: Final = "30m"
DEFAULT_SERVICE_ACCOUNT: Final = "kubernaut-workflow-runner"
DEFAULT_OPERATOR_NAMESPACE: Final = "kubernaut-system"
DEFAULT_EXECUTION_NAMESPACE: Final = "kubernaut-workflows"

HOLD_KIND: Final = "WorkflowHold"
HOLD_LIST_KIND: Final = "WorkflowHoldList"
HOLD_PLURAL: Final = "workflowholds"
HOLD_SINGULAR: Final = "workflowhold"
HOLD_SHORT_NAME: Final = "wfh"

CLAIM_KIND: Final = "WorkflowClaim"
CLAIM_LIST_KIND: Final = "WorkflowClaimList"
CLAIM_PLURAL: Final = "workflowclaims"
CLAIM_SINGULAR: Final = "workflowclaim"
CLAIM_SHORT_NAME: Final = "wfc"
# All claims have this name, so a namespace has at most one: a second create is refused.
CLAIM_NAME: Final = "workflowexecutions"

# An annotation of a failed execution or its run: a person has looked at it; it blocks no more.
CLEAR_ANNOTATION: Final = "kubernaut.ai/clear-execution-block"
# Annotations of a run that `kubectl wfe cancel` has cancelled: who, when (RFC 3339) and why.
CANCELLED_BY: Final = "kubernaut.ai/cancelled-by"
CANCELLED_AT: Final = "kubernaut.ai/cancelled-at"
CANCEL_REASON: Final = "kubernaut.ai/cancel-reason"
# The reason of the Event that reports a release: the hold itself is deleted. Its annotations have
# the hold as it was (JSON), and who released it.
RELEASED: Final = "WorkflowHoldReleased"
RELEASED_HOLD: Final = "kubernaut.ai/released-hold"
RELEASED_BY: Final = "kubernaut.ai/released-by"
