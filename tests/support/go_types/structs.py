"""The Go structs of a status: JSON names, types, requiredness and enums.

Optional fields are those with ``omitempty``. What we add to the structs is in EXTRAS and nowhere
else: Go's decoder passes over fields that it does not know.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Kind(Enum):
    """A JSON type, and the Go type that reads it."""

    STRING = auto()
    BOOL = auto()
    INT32 = auto()
    INT64 = auto()
    TIME = auto()  # metav1.Time: RFC 3339 in UTC, whole seconds
    DURATION = auto()  # a string that time.ParseDuration reads


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `kind` is a Kind, or the name of a struct. `many` makes it a list of them.

    A string must be one of `enum` and match the whole of `pattern`, where they are given.
    """

    kind: Kind | str
    required: bool = False
    many: bool = False
    enum: tuple[str, ...] = ()
    pattern: str = ".*"


_STRING: Final = Field(Kind.STRING)
_TEXT: Final = Field(Kind.STRING, required=True)
_COUNT: Final = Field(Kind.INT32)
_TIME: Final = Field(Kind.TIME)
_INSTANT: Final = Field(Kind.TIME, required=True)
_DURATION: Final = Field(Kind.DURATION)

_REQUEST: Final = Field("ObjectReference")

PHASES: Final = ("Pending", "Running", "Completed", "Failed", "Skipped")
SKIP_REASONS: Final = (
    "ResourceBusy",
    "RecentlyRemediated",
    "ExhaustedRetries",
    "PreviousExecutionFailed",
)
FAILURE_REASONS: Final = (
    "OOMKilled",
    "DeadlineExceeded",
    "Forbidden",
    "ResourceExhausted",
    "ConfigurationError",
    "ImagePullBackOff",
    "TaskFailed",
    "Unknown",
)
TRUTH: Final = ("True", "False", "Unknown")

STRUCTS: Final[dict[str, dict[str, Field]]] = {
    "WorkflowExecutionStatus": {
        "observedGeneration": Field(Kind.INT64),
        "phase": Field(Kind.STRING, enum=PHASES),
        "startTime": _TIME,
        "completionTime": _TIME,
        "duration": _DURATION,
        "pipelineRunRef": Field("LocalObjectReference"),
        "pipelineRunStatus": Field("PipelineRunStatusSummary"),
        "failureReason": _STRING,
        "failureDetails": Field("FailureDetails"),
        "skipDetails": Field("SkipDetails"),
        "consecutiveFailures": _COUNT,
        "nextAllowedExecution": _TIME,
        "conditions": Field("Condition", many=True),
    },
    "LocalObjectReference": {"name": _STRING},
    "PipelineRunStatusSummary": {
        "status": _TEXT,
        "reason": _STRING,
        "message": _STRING,
        "completedTasks": _COUNT,
        "totalTasks": _COUNT,
    },
    "FailureDetails": {
        "failedTaskIndex": Field(Kind.INT32, required=True),
        "failedTaskName": _TEXT,
        "failedStepName": _STRING,
        "reason": Field(Kind.STRING, required=True, enum=FAILURE_REASONS),
        "message": _TEXT,
        "exitCode": _COUNT,
        "failedAt": _INSTANT,
        "executionTimeBeforeFailure": Field(Kind.DURATION, required=True),
        "naturalLanguageSummary": _TEXT,
        "wasExecutionFailure": Field(Kind.BOOL),
    },
    "SkipDetails": {
        "reason": Field(Kind.STRING, required=True, enum=SKIP_REASONS),
        "message": _TEXT,
        "skippedAt": _INSTANT,
        "conflictingWorkflow": Field("ConflictingWorkflowRef"),
        "recentRemediation": Field("RecentRemediationRef"),
    },
    "ConflictingWorkflowRef": {
        "name": _TEXT,
        "workflowId": _TEXT,
        "startedAt": _INSTANT,
        "targetResource": _TEXT,
    },
    "RecentRemediationRef": {
        "name": _TEXT,
        "workflowId": _TEXT,
        "completedAt": _INSTANT,
        "outcome": _TEXT,
        "targetResource": _TEXT,
        "cooldownRemaining": _DURATION,
    },
    # corev1.ObjectReference, as in the spec.
    "ObjectReference": {
        "name": _STRING,
        "namespace": _STRING,
        "uid": _STRING,
        "kind": _STRING,
        "apiVersion": _STRING,
        "resourceVersion": _STRING,
        "fieldPath": _STRING,
    },
    "Condition": {
        "type": Field(Kind.STRING, required=True, pattern="[A-Za-z][A-Za-z0-9]{0,315}"),
        "status": Field(Kind.STRING, required=True, enum=TRUTH),
        "observedGeneration": Field(Kind.INT64),
        "lastTransitionTime": _INSTANT,
        "reason": Field(Kind.STRING, required=True, pattern="[A-Za-z][A-Za-z0-9]{0,1023}"),
        "message": Field(Kind.STRING, required=True, pattern=".{0,32768}"),
    },
}

EXTRAS: Final[dict[str, dict[str, Field]]] = {
    "LocalObjectReference": {"namespace": _STRING},
    "ConflictingWorkflowRef": {"namespace": _STRING, "remediationRequestRef": _REQUEST},
    "RecentRemediationRef": {"namespace": _STRING, "remediationRequestRef": _REQUEST},
}
