"""From Tekton's reasons to ours.

Source: the reason constants of Tekton Pipelines 1.0 to 1.15, for PipelineRuns, TaskRuns and
CustomRuns. Each stands in exactly one table, also one that says nothing of a cause.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.facts.pod import DEADLINE, PodEnd

_CONFIGURATION: Final = FailureReason.CONFIGURATION_ERROR

# Tekton gives a run this reason also where a task failed whose failure then is the cause.
RESULT_MISSING: Final = "CouldntGetPipelineResult"
RUN_REASONS: Final = {
    "PipelineRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    RESULT_MISSING: _CONFIGURATION,
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
    "CreateRunFailed": _CONFIGURATION,
    "CouldntCreateWorkspacePVC": _CONFIGURATION,
    "ReasonCouldntCreateOrUpdateAffinityAssistantStatefulSet": _CONFIGURATION,
}
TASK_REASONS: Final = {
    "TaskRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    "StepOOM": FailureReason.OOM_KILLED,
    "SidecarOOM": FailureReason.OOM_KILLED,
    "InitContainerOOM": FailureReason.OOM_KILLED,
    "SidecarFailed": FailureReason.TASK_FAILED,
    "InitContainerFailed": _CONFIGURATION,
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
    "CustomRunTimedOut": FailureReason.DEADLINE_EXCEEDED,
    "CustomRunWorkspaceNotSupported": _CONFIGURATION,
}
_GOES_ON: Final = "what has this reason has not ended"
_HAS_WORKED: Final = "what has this reason has not failed"
_TOLD_BELOW: Final = "it says that something failed; the tasks and steps below it say what"
_ENDED_BY_OTHERS: Final = "it was ended by a person or a program, which Tekton does not name"
# Reasons that say nothing of the cause of a failure, each with why that is so.
WITHOUT_CLASS: Final = {
    "Started": _GOES_ON,
    "Running": _GOES_ON,
    "Pending": _GOES_ON,
    "PipelineRunPending": _GOES_ON,
    "PipelineRunStopping": _GOES_ON,
    "PipelineRunTimeoutRunningFinally": _GOES_ON,
    "CancelledRunningFinally": _GOES_ON,
    "StoppedRunningFinally": _GOES_ON,
    "PipelineRunCouldntCancel": "Tekton could not end the tasks of a cancelled run, and tries on",
    "PipelineRunCouldntTimeOut": "Tekton could not end the tasks of a late run, and tries on",
    "ResolvingPipelineRef": _GOES_ON,
    "ResolvingTaskRef": _GOES_ON,
    "ResolvingStepActionRef": _GOES_ON,
    "TaskRunPending": _GOES_ON,
    "ToBeRetried": _GOES_ON,
    "Succeeded": _HAS_WORKED,
    "Completed": _HAS_WORKED,
    "FailureIgnored": "the pipeline goes on after a failure of this task",
    "Failed": _TOLD_BELOW,
    "StepFailed": _TOLD_BELOW,
    "Cancelled": _ENDED_BY_OTHERS,
    "TaskRunCancelled": _ENDED_BY_OTHERS,
    "CustomRunCancelled": _ENDED_BY_OTHERS,
    "TaskRunStopSidecarFailed": "all steps worked; Tekton could not end a sidecar beside them",
    "ConditionCheckFailed": "no version of Tekton since 1.0 sets it",
}
# Ends that follow from another failure or from an order, and so are never its cause.
COLLATERAL: Final = ("TaskRunCancelled", "CustomRunCancelled", "FailureIgnored")
# What Tekton says before it looks at the steps, of which one may have failed by itself.
OF_SIDECARS: Final = ("SidecarOOM", "SidecarFailed")
# Reasons that Tekton also gives where Kubernetes has ended the pod, of which it says nothing.
OF_ANY_END: Final = ("Failed", "StepFailed", "InitContainerFailed", *OF_SIDECARS)
# What Kubernetes ended a pod for, other than its deadline; all else is "Unknown".
NO_ROOM: Final = re.compile(r"Evicted|Preempt|OutOf")
TIMED_OUT: Final = ("PipelineRunTimeout", "TaskRunTimeout")
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

# Reasons of what could not be fetched, and of what the API server did not take: of which kind, the
# message tells.
_OF_FETCHING: Final = (
    "CouldntGetPipeline",
    "CouldntGetTask",
    "PipelineValidationFailed",
    "TaskRunResolutionFailed",
)
_OF_CREATING: Final = (
    "CreateRunFailed",
    "CouldntCreateWorkspacePVC",
    "PodCreationFailed",
    "ReasonCouldntCreateOrUpdateAffinityAssistantStatefulSet",
)


_CAUSES: Final = {
    RESULT_MISSING: Cause.RESULT_NOT_WRITTEN,
    "InitContainerFailed": Cause.POD_NOT_PREPARED,
}


class Class(NamedTuple):
    """What a failure is classed as; ``cause`` where that reason has causes with other advice."""

    reason: FailureReason
    cause: Cause | None = None


def class_of_run(reason: str, message: str) -> Class | None:
    """Class of a run's own reason; None where that says nothing of the cause."""
    return _class_of(RUN_REASONS, reason, message)


def class_of_task(reason: str, message: str) -> Class | None:
    """Class of the reason of a run's child; None where that says nothing of the cause."""
    return _class_of(TASK_REASONS, reason, message)


def class_of_pod_end(end: PodEnd) -> Class:
    """Class of what Kubernetes says that it ended a pod for."""
    if end.reason == DEADLINE:
        return Class(FailureReason.DEADLINE_EXCEEDED, Cause.POD_DEADLINE)
    if NO_ROOM.match(end.reason):
        return Class(FailureReason.RESOURCE_EXHAUSTED)
    return Class(FailureReason.UNKNOWN, Cause.POD_ENDED)


def _class_of(table: Mapping[str, FailureReason], reason: str, message: str) -> Class | None:
    if reason not in table:
        return None
    told = None
    if reason in _OF_FETCHING:
        told = class_of_fetch(message)
    elif reason in _OF_CREATING:
        told = class_of_refusal(message)
    return told or Class(table[reason], _CAUSES.get(reason))


# What Tekton puts before the words of others, where it fetches a bundle and where it asks for that.
_FROM_REGISTRY: Final = "cannot retrieve the oci image: "
_FROM_RESOLVER: Final = re.compile(r'error requesting remote resource: |error getting "')
_REFUSED: Final = re.compile(r": (?:UNAUTHORIZED|DENIED)\b|unexpected status code 40[13]\b")
# Statuses that can pass by themselves, and those of credentials, are not among them.
_MISTAKEN: Final = re.compile(
    r": (?:BLOB|DIGEST|MANIFEST|MANIFEST_BLOB|NAME|SIZE|TAG)_(?:INVALID|UNKNOWN|UNVERIFIED)\b"
    r"|: UNSUPPORTED\b"
    r"|unexpected status code 4(?!0[1378]|25|29)\d\d"
    r"|unparseable image reference|unsupported MediaType|no child with platform"
    r"|does not match requested digest"
)
_PASSING: Final = re.compile(
    r"resolution took longer than|context deadline exceeded|i/o timeout|TLS handshake timeout"
    r"|dial tcp|connection re(?:fused|set)|\bEOF\b|failed calling webhook|etcdserver: "
    r"|Internal error occurred|currently unable to handle the request"
)
_QUOTA: Final = re.compile(r"is forbidden: (?:exceeded quota|status unknown for quota): ")
_QUOTA_NOT_COUNTED: Final = re.compile(r"is forbidden: status unknown for quota: ")
_RESULTS: Final = re.compile(r"invalid pipelineresults \[([^\]]+)\]")
# What a volume is of, in the words of the node and of the scheduler.
_NOT_THERE: Final = re.compile(
    r'Mount.*\b(?:secret|configmap)s? "[^"]*" not found|persistentvolumeclaim "[^"]*" not found'
    r"|references non-existent (?:config|secret) key"
)
# Tekton's own webhook checks objects: what it refuses is a mistake in the object, no policy.
_POLICY: Final = re.compile(
    r"(?:Validating|Mutating)AdmissionPolicy '.*' with binding '.*' denied request"
    r'|admission webhook "(?![^"]*\.pipeline\.tekton\.dev")[^"]*" denied the request',
    re.DOTALL,
)


def class_of_fetch(message: str) -> Class | None:
    """Class of a bundle that could not be fetched; None where the request is the mistake."""
    _, is_of_registry, said = message.partition(_FROM_REGISTRY)
    if is_of_registry:
        return _class_of_answer(said)
    if _FROM_RESOLVER.search(message) and _PASSING.search(message):
        return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.RESOLVER_SILENT)
    return class_of_refusal(message)


def _class_of_answer(said: str) -> Class | None:
    """Class of what a registry, or the way to it, has answered: a mistake only where it says so."""
    if _REFUSED.search(said):
        return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.REGISTRY_REFUSES)
    if _MISTAKEN.search(said):
        return None
    return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.REGISTRY_SILENT)


def class_of_refusal(message: str) -> Class | None:
    """Class of an object that the API server did not take; None where neither quota nor policy."""
    if _QUOTA.search(message):
        return Class(FailureReason.RESOURCE_EXHAUSTED)
    if _POLICY.search(message):
        return Class(FailureReason.FORBIDDEN, Cause.POLICY_REFUSES)
    return None


def results_missing(message: str) -> str:
    """Which results of the pipeline nobody wrote, ready to stand before Tekton's own words."""
    found = _RESULTS.search(message)
    named = ", ".join(map(repr, dict.fromkeys(found[1].split()))) if found else "one it names"
    return f"all tasks ended well, but the workflow did not write its result {named}: "


def class_of_wait(message: str) -> Class | None:
    """Class of what a run waited for in vain; None where the words tell only that it waited."""
    if _NOT_THERE.search(message):
        return Class(FailureReason.CONFIGURATION_ERROR)
    return class_of_refusal(message)


def is_passing(message: str) -> bool:
    """Whether a 403 will go by itself: a quota that is new has to be counted first."""
    return bool(_QUOTA_NOT_COUNTED.search(message))
