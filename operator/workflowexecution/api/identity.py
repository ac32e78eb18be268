"""Group, version, kind and names of the resource, and the finalizer that guards its end."""

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
FINALIZER: Final = f"{GROUP}/workflowexecution-cleanup"

DEFAULT_TIMEOUT: Final = "30m"
DEFAULT_SERVICE_ACCOUNT: Final = "kubernaut-workflow-runner"
DEFAULT_EXECUTION_NAMESPACE: Final = "kubernaut-workflows"
