"""The fields of each kind that a support bundle has; all others are left out."""

from typing import Final

from workflowexecution.plugin.support.redaction import Keep, Shape

_WHOLE: Final = Keep.WHOLE


def _all(*fields: str) -> dict[str, Shape]:
    return dict.fromkeys(fields, _WHOLE)


METADATA: Final[dict[str, Shape]] = {
    **_all("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"),
    **_all("deletionTimestamp", "finalizers", "ownerReferences"),
    "labels": Keep.KNOWN,
    "annotations": Keep.KNOWN,
}
_CONDITIONS: Final[dict[str, Shape]] = {
    **_all("type", "status", "reason", "lastTransitionTime", "observedGeneration"),
    "message": Keep.TEXT,
}
_OBJECT: Final[dict[str, Shape]] = {**_all("apiVersion", "kind"), "metadata": METADATA}
EXECUTION: Final[dict[str, Shape]] = {
    **_OBJECT,
    "spec": {
        "remediationRequestRef": _all("apiVersion", "kind", "name", "namespace", "uid"),
        **_all("workflowRef", "targetResource", "confidence", "executionConfig"),
        "parameters": Keep.KEYS,
        "rationale": Keep.TEXT,
    },
    "status": {
        **_all("observedGeneration", "phase", "startTime", "completionTime", "duration"),
        **_all("pipelineRunRef", "failureReason", "skipDetails", "consecutiveFailures"),
        **_all("nextAllowedExecution"),
        "pipelineRunStatus": {
            **_all("status", "reason", "completedTasks", "totalTasks"),
            "message": Keep.TEXT,
        },
        "failureDetails": {
            **_all("failedTaskIndex", "failedTaskName", "failedStepName", "reason", "exitCode"),
            **_all("failedAt", "executionTimeBeforeFailure", "wasExecutionFailure"),
            "message": Keep.TEXT,
            "naturalLanguageSummary": Keep.TEXT,
        },
        "conditions": _CONDITIONS,
    },
}
RUN: Final[dict[str, Shape]] = {
    **_OBJECT,
    "spec": {
        **_all("status", "managedBy", "timeouts"),
        # The bundle, its name and kind, and the account: the operator writes them.
        "pipelineRef": {"resolver": _WHOLE, "params": _all("name", "value")},
        "params": {"name": _WHOLE},
        "taskRunTemplate": _all("serviceAccountName"),
    },
    "status": {
        **_all("startTime", "completionTime", "finallyStartTime"),
        "conditions": _CONDITIONS,
        "childReferences": _all("apiVersion", "kind", "name", "pipelineTaskName"),
        "skippedTasks": _all("name", "reason"),
        "provenance": {"refSource": _all("digest")},
        "results": {"name": _WHOLE},
    },
}
_STATE: Final[dict[str, Shape]] = {
    "waiting": {"reason": _WHOLE, "message": Keep.TEXT},
    "running": _all("startedAt"),
    "terminated": {
        **_all("exitCode", "signal", "reason", "startedAt", "finishedAt"),
        "message": Keep.TEXT,
    },
}
TASK_RUN: Final[dict[str, Shape]] = {
    **_OBJECT,
    "spec": _all("serviceAccountName", "timeout", "retries", "status"),
    "status": {
        **_all("podName", "startTime", "completionTime"),
        "conditions": _CONDITIONS,
        "steps": {**_all("name", "container", "terminationReason"), **_STATE},
    },
}
_CONTAINER_STATUS: Final[dict[str, Shape]] = {
    **_all("name", "ready", "restartCount", "image", "imageID", "started"),
    "state": _STATE,
    "lastState": _STATE,
}
POD: Final[dict[str, Shape]] = {
    **_OBJECT,
    "spec": {
        **_all("nodeName", "serviceAccountName", "priorityClassName", "nodeSelector"),
        "containers": _all("name", "image", "resources"),
        "imagePullSecrets": _all("name"),
    },
    "status": {
        **_all("phase", "reason", "startTime", "qosClass"),
        "message": Keep.TEXT,
        "conditions": _CONDITIONS,
        "initContainerStatuses": _CONTAINER_STATUS,
        "containerStatuses": _CONTAINER_STATUS,
    },
}
_SELECTED: Final[dict[str, Shape]] = {
    "containers": {**_all("name", "image", "resources"), "env": _all("name")},
    **_all("serviceAccountName", "priorityClassName", "nodeSelector", "tolerations"),
}
DEPLOYMENT: Final[dict[str, Shape]] = {
    **_OBJECT,
    "spec": {**_all("replicas", "strategy"), "template": {"spec": _SELECTED}},
    "status": {
        **_all("replicas", "readyReplicas", "updatedReplicas", "unavailableReplicas"),
        "conditions": _CONDITIONS,
    },
}
HOLD: Final[dict[str, Shape]] = {
    **_OBJECT,
    "spec": {
        **_all("everything", "namespace", "targetResource", "workflowId", "heldBy", "expiresAt"),
        "reason": Keep.TEXT,
    },
}
EVENT: Final[dict[str, Shape]] = {
    "metadata": _all("name", "namespace", "creationTimestamp"),
    **_all("type", "reason", "action", "eventTime", "firstTimestamp", "lastTimestamp", "count"),
    **_all("reportingComponent", "reportingInstance", "source"),
    "involvedObject": _all("apiVersion", "kind", "namespace", "name", "uid"),
    "related": _all("apiVersion", "kind", "namespace", "name"),
    "message": Keep.TEXT,
}
