"""Tables from Tekton's reasons to the reasons of the API.

Source: the reason constants of Tekton Pipelines 1.0 to 1.15, for PipelineRuns, TaskRuns and
CustomRuns. Each is in exactly one table, even a reason that does not show a cause.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.facts.pod import DEADLINE, STOPPED, PodEnd

_CONFIGURATION: Final = FailureReason.CONFIGURATION_ERROR

# Tekton also gives a run this reason where a task failed; the cause is then that failure.
RESULT_MISSING: Final = "CouldntGetPipelineResult"
NO_PIPELINE: Final = "CouldntGetPipeline"
RUN_REASONS: Final = {
    "PipelineRunTimeout": FailureReason.DEADLINE_EXCEEDED,
    RESULT_MISSING: _CONFIGURATION,
    NO_PIPELINE: _CONFIGURATION,
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
    # Each other problem with the creation of a pod is in the fields of the task or run: a
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
_EXPLAINED_BELOW: Final = "it says that something failed; the tasks and steps below it say what"
_ENDED_BY_OTHERS: Final = (
    "it was ended by a person or a program, which Tekton does not name; kubectl wfe cancel notes "
    "who it was"
)
# Reasons that do not show the cause of a failure, each with the explanation.
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
    "Failed": _EXPLAINED_BELOW,
    "StepFailed": _EXPLAINED_BELOW,
    "Cancelled": _ENDED_BY_OTHERS,
    "TaskRunCancelled": _ENDED_BY_OTHERS,
    "CustomRunCancelled": _ENDED_BY_OTHERS,
    "TaskRunStopSidecarFailed": "all steps worked; Tekton could not end a sidecar beside them",
    "ConditionCheckFailed": "no version of Tekton since 1.0 sets it",
}
# Ends that follow from another failure or from a request, and so are never its cause.
COLLATERAL: Final = ("TaskRunCancelled", "CustomRunCancelled", "FailureIgnored")
# Reasons that Tekton gives before it looks at the steps, of which one may have failed by itself.
OF_SIDECARS: Final = ("SidecarOOM", "SidecarFailed")
# Reasons that Tekton also gives where Kubernetes has ended the pod, without saying so.
OF_ANY_END: Final = ("Failed", "StepFailed", "InitContainerFailed", *OF_SIDECARS)
# Reasons of Kubernetes for ending a pod, other than its deadline; all others give "Unknown".
NO_ROOM: Final = re.compile(r"Evicted|Preempt|OutOf")
TIMED_OUT: Final = ("PipelineRunTimeout", "TaskRunTimeout")
# Tekton deletes the pod of a task that it ends itself, so there is no log.
POD_IS_GONE: Final = ("TaskRunTimeout", "TaskRunCancelled", "PodEvicted", "TaskRunImagePullFailed")
# Tekton only says that there is a cause; the node's text has the cause itself.
EXPLAINED_BY_THE_NODE: Final = ("CreateContainerConfigError", "PodCreationFailed")
# Exit codes of Tekton's entrypoint, and of shells, for a step that a signal ended.
BY_SIGNAL: Final = (255, 137, 143)
# The exit code of the entrypoint for its own failure.
BY_TEKTON: Final = 1
# A step with one of these ends has not failed, even if its exit code is not 0.
HARMLESS_STEPS: Final = ("Continued", "Skipped", "Completed")

# Reasons of failed fetches, and of objects that the API server refused: the message shows the
# kind.
_OF_FETCHING: Final = (
    NO_PIPELINE,
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


# The credentials for the bundle have to be corrected.
OF_CREDENTIALS: Final = (Cause.REGISTRY_REFUSES, Cause.LOGIN_WRONG, Cause.LOGIN_EXPIRED)


class Class(NamedTuple):
    """The class of a failure; ``cause`` is set if its reason has causes with different advice."""

    reason: FailureReason
    cause: Cause | None = None


def class_of_run(reason: str, message: str) -> Class | None:
    """Class of a run's own reason; None where that does not show the cause."""
    return _class_of(RUN_REASONS, reason, message)


def class_of_task(reason: str, message: str) -> Class | None:
    """Class of the reason of a run's child; None where that does not show the cause."""
    return _class_of(TASK_REASONS, reason, message)


def class_of_pod_end(end: PodEnd) -> Class:
    """Class of the reason for which Kubernetes ended a pod."""
    if end.reason == DEADLINE:
        return Class(FailureReason.DEADLINE_EXCEEDED, Cause.POD_DEADLINE)
    if NO_ROOM.match(end.reason):
        return Class(FailureReason.RESOURCE_EXHAUSTED)
    return Class(FailureReason.UNKNOWN, None if end.reason == STOPPED else Cause.POD_ENDED)


def _class_of(table: Mapping[str, FailureReason], reason: str, message: str) -> Class | None:
    if reason not in table:
        return None
    found = None
    if reason in _OF_FETCHING:
        found = class_of_fetch(message)
    elif reason in _OF_CREATING:
        found = class_of_refusal(message)
    return found or Class(table[reason], _CAUSES.get(reason))


# Tekton puts these before an error of the registry, and before one of its request for a bundle.
_FROM_REGISTRY: Final = "cannot retrieve the oci image: "
_FROM_RESOLVER: Final = re.compile(r'error requesting remote resource: |error getting "')
_REFUSED: Final = re.compile(r": (?:UNAUTHORIZED|DENIED)\b|unexpected status code 40[13]\b")
# In the words of Docker Hub, Quay, Harbor, GitLab, JFrog, DigitalOcean and the large clouds.
_LOGIN_EXPIRED: Final = re.compile(r"\b(?:has|have|is|token|password) expired\b", re.IGNORECASE)
_LOGIN_WRONG: Final = re.compile(
    r"\b(?:incorrect|invalid|wrong|bad) (?:[a-z]+ (?:or|and) )?(?:user ?name|password|credentials?|"
    r"login|token)\b|password was incorrect|unable to authenticate|authentication failed"
    r"|could not find robot",
    re.IGNORECASE,
)
# Without statuses that may be temporary, and without those of credentials.
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
# A missing source of a volume, in the text of the node and of the scheduler.
_NOT_THERE: Final = re.compile(
    r'Mount.*\b(?:secret|configmap)s? "[^"]*" not found|persistentvolumeclaim "[^"]*" not found'
    r"|references non-existent (?:config|secret) key"
)
# Tekton's own webhook checks objects: its refusal means a mistake in the object, not a policy.
_POLICY: Final = re.compile(
    r"(?:Validating|Mutating)AdmissionPolicy '.*' with binding '.*' denied request"
    r'|admission webhook "(?![^"]*\.pipeline\.tekton\.dev")[^"]*" denied the request',
    re.DOTALL,
)


def class_of_fetch(message: str) -> Class | None:
    """Class of a bundle that could not be fetched; None where the request itself is wrong."""
    _, is_of_registry, said = message.partition(_FROM_REGISTRY)
    if is_of_registry:
        return _class_of_answer(said)
    if _FROM_RESOLVER.search(message) and _PASSING.search(message):
        return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.RESOLVER_SILENT)
    return class_of_refusal(message)


def _class_of_answer(said: str) -> Class | None:
    """Class of an error of a registry or its network; a mistake only where the text says so."""
    if _REFUSED.search(said):
        return Class(FailureReason.IMAGE_PULL_BACK_OFF, _cause_of_refusal(said))
    if _MISTAKEN.search(said):
        return None
    return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.REGISTRY_SILENT)


def _cause_of_refusal(said: str) -> Cause:
    """The problem with the credentials, where the registry names it; many do not."""
    if _LOGIN_EXPIRED.search(said):
        return Cause.LOGIN_EXPIRED
    return Cause.LOGIN_WRONG if _LOGIN_WRONG.search(said) else Cause.REGISTRY_REFUSES


def class_of_refusal(message: str) -> Class | None:
    """Class of an object that the API server refused; None for neither quota nor policy."""
    if _QUOTA.search(message):
        return Class(FailureReason.RESOURCE_EXHAUSTED)
    if _POLICY.search(message):
        return Class(FailureReason.FORBIDDEN, Cause.POLICY_REFUSES)
    return None


def results_missing(message: str) -> str:
    """The missing results of the pipeline, as an introduction to Tekton's own text."""
    found = _RESULTS.search(message)
    named = ", ".join(map(repr, dict.fromkeys(found[1].split()))) if found else "one it names"
    return f"all tasks ended well, but the workflow did not write its result {named}: "


def class_of_wait(message: str) -> Class | None:
    """Class by the cause of a run's wait; None where the text shows no cause."""
    if _NOT_THERE.search(message):
        return Class(FailureReason.CONFIGURATION_ERROR)
    return class_of_refusal(message)


def is_passing(message: str) -> bool:
    """Whether a 403 is temporary: a new quota has to be counted first."""
    return bool(_QUOTA_NOT_COUNTED.search(message))
