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
# Earlier controllers put it on every execution; it is only ever taken off.
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
# A namespace has one claim, and of two who want to create it one is refused.
CLAIM_NAME: Final = "workflowexecutions"

# On an execution that failed, or on its run: a person has looked at it, and it blocks no more.
CLEAR_ANNOTATION: Final = "kubernaut.ai/clear-execution-block"
