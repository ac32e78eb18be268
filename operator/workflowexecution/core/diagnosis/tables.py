"""From Tekton's reasons to ours: the tables of diagnosis, and nothing else.

Source: the reason constants of Tekton Pipelines 1.15, for PipelineRuns and TaskRuns.
"""

import re
from typing import Final

from workflowexecution.api.status import FailureReason

_CONFIGURATION: Final = FailureReason.CONFIGURATION_ERROR

RUN_REASONS: Final = {
    "PipelineRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "CouldntGetPipelineResult": FailureReason.TASK_FAILED,
    "CouldntGetPipeline": _CONFIGURATION,
    "CouldntGetTask": _CONFIGURATION,
    "InvalidPipelineResourceBindings": _CONFIGURATION,
    "InvalidWorkspaceBindings": _CONFIGURATION,
    "InvalidTaskRunSpecs": _CONFIGURATION,
    "ParameterTypeMismatch": _CONFIGURATION,
    "ObjectParameterMissKeys": _CONFIGURATION,
    "ParamArrayIndexingInvalid": _CONFIGURATION,
    "ParameterMissing": _CONFIGURATION,
    "PipelineValidationFailed": _CONFIGURATION,
    "PipelineInvalidGraph": _CONFIGURATION,
    "InvalidMatrixParameterTypes": _CONFIGURATION,
    "InvalidTaskResultReference": _CONFIGURATION,
    "InvalidPipelineResultReference": _CONFIGURATION,
    "RequiredWorkspaceMarkedOptional": _CONFIGURATION,
    "ResourceVerificationFailed": _CONFIGURATION,
    "CELEvaluationFailed": _CONFIGURATION,
    "InvalidParamValue": _CONFIGURATION,
}
TASK_REASONS: Final = {
    "TaskRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "StepOOM": FailureReason.OOM_KILLED,
    "SidecarOOM": FailureReason.OOM_KILLED,
    "InitContainerOOM": FailureReason.OOM_KILLED,
    "SidecarFailed": FailureReason.TASK_FAILED,
    "InitContainerFailed": FailureReason.TASK_FAILED,
    "TaskRunResultLargerThanAllowedLimit": FailureReason.TASK_FAILED,
    "TaskRunImagePullFailed": FailureReason.IMAGE_PULL_BACK_OFF,
    "PullImageFailed": FailureReason.IMAGE_PULL_BACK_OFF,
    "TaskRunResolutionFailed": _CONFIGURATION,
    "TaskRunValidationFailed": _CONFIGURATION,
    "TaskValidationFailed": _CONFIGURATION,
    "ResourceVerificationFailed": _CONFIGURATION,
    "InvalidParamValue": _CONFIGURATION,
    "CreateContainerConfigError": _CONFIGURATION,
    # Whatever else keeps a pod from being created lies in what the task or the run asks for: a
    # ServiceAccount, a volume, a field of the pod template.
    "PodCreationFailed": _CONFIGURATION,
    "CouldntCreateWorkspacePVC": _CONFIGURATION,
    "PodAdmissionFailed": FailureReason.FORBIDDEN,
    "ExceededResourceQuota": FailureReason.RESOURCE_EXHAUSTED,
    "ExceededNodeResources": FailureReason.RESOURCE_EXHAUSTED,
    "PodEvicted": FailureReason.RESOURCE_EXHAUSTED,
}
# Ends that follow from another failure or from an order, and so are never its cause.
COLLATERAL: Final = ("TaskRunCancelled", "FailureIgnored")
# Tekton deletes the pod of a task that it ends itself: there is no log to point at.
POD_IS_GONE: Final = ("TaskRunTimeout", "TaskRunCancelled", "PodEvicted", "TaskRunImagePullFailed")
# Tekton says only that there is a reason; the node says which.
TOLD_BY_THE_NODE: Final = ("CreateContainerConfigError", "PodCreationFailed")
# What Tekton's entrypoint exits with for a step that a signal ended, and what shells do.
BY_SIGNAL: Final = (255, 137, 143)
# What it exits with when it fails itself.
BY_TEKTON: Final = 1
# A step that ended like this has not failed, whatever its exit code.
HARMLESS_STEPS: Final = ("Continued", "Skipped", "Completed")

# Refusals that the API server tells apart in words only.
_QUOTA: Final = re.compile(r"is forbidden: exceeded quota: ")
_QUOTA_NOT_COUNTED: Final = re.compile(r"is forbidden: status unknown for quota: ")
# Tekton gives one reason for a bundle that is not there and for a registry that does not answer.
_NO_REGISTRY: Final = re.compile(r"cannot retrieve the oci image: .*: dial tcp ", re.DOTALL)


def reason_of_run(reason: str, message: str) -> FailureReason | None:
    """Class of a run's own reason; None where that says nothing of the cause."""
    if reason == "CouldntGetPipeline" and _NO_REGISTRY.search(message):
        return FailureReason.IMAGE_PULL_BACK_OFF
    return RUN_REASONS.get(reason)


def is_passing(message: str) -> bool:
    """Whether a 403 will go by itself: a quota that is new has to be counted first."""
    return bool(_QUOTA_NOT_COUNTED.search(message))


def reason_of_refusal(message: str) -> FailureReason:
    """Class of a 403 answered to the creation of a run."""
    return FailureReason.RESOURCE_EXHAUSTED if _QUOTA.search(message) else FailureReason.FORBIDDEN
