"""A scenario is a pipeline that fails, and the report that is expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcluster.cluster import Object

RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One failure.

    tasks: the pipeline's; a bare image name is replaced by the cluster's own.
    spec: fields of the execution that differ from a plain one.
    ref: fields of the workflowRef that differ; an empty one is left out.
    deed: what somebody does to the run while it works: "", "cancel", "delete-pod" or "delete".
    leaves_pod: whether Tekton leaves a pod of it that would never stop.
    complaint: what the node says of that pod, in part; empty where it says nothing.
    has_pod: whether the pod that failed is there when that is reported.
    quota: hard limits of a ResourceQuota in the execution namespace; empty for none.
    expected: failureDetails without the times; `message` is a regular expression.
    """

    name: str
    tasks: Sequence[Object]
    expected: Mapping[str, Any]
    spec: Mapping[str, Any] = field(default_factory=dict)
    params: Sequence[Object] = ()
    ref: Mapping[str, str] = field(default_factory=dict)
    deed: str = ""
    leaves_pod: bool = False
    complaint: str = ""
    has_pod: bool = True
    quota: Mapping[str, str] = field(default_factory=dict)


def step(name: str, script: str, *, image: str = "busybox", **more: Any) -> Object:
    """One step under the restricted profile."""
    body = {"script": f"#!/bin/sh\n{script}\n"}
    return {"name": name, "image": image, "securityContext": RESTRICTED, **body, **more}


def task(name: str, *steps: Object, **more: Any) -> Object:
    """One task, written into the pipeline."""
    return {"name": name, "taskSpec": {"steps": list(steps)}, **more}


LOG = r"; see: kubectl logs -n \S+ \S+-{0}-pod -c step-{1}$"
TASK_RUN = r"; see: kubectl describe taskrun -n \S+ \S+-{0}$"
RUN = r"; see: kubectl describe pipelinerun -n \S+ wfe-[0-9a-f]{16}-1$"
AT_WORK = "at work"
SLEEP = step("sleep", f"echo {AT_WORK}; exec sleep 600")
WORK_FAILED = {
    "failedTaskIndex": 0,
    "failedTaskName": "work",
    "failedStepName": "work",
    "reason": "TaskFailed",
    "wasExecutionFailure": True,
}
GREEDY = step("grow", "tail /dev/zero", computeResources={"limits": {"memory": "24Mi"}})
OUT_OF_MEMORY = {
    "failedTaskIndex": 0,
    "failedTaskName": "fill",
    "failedStepName": "grow",
    "reason": "OOMKilled",
    "exitCode": 137,
    "wasExecutionFailure": True,
    "message": r"^task 'fill', step 'grow' ended with exit code 137: OOMKilled, it used "
    "more memory than its limit" + TASK_RUN.format("fill"),
}


def not_configured(name: str, said: str, **step_fields: Any) -> Scenario:
    """A task whose container the node cannot make: its pod waits for ever."""
    return Scenario(
        name=name,
        leaves_pod=True,
        complaint=said,
        tasks=[task("wait", step("wait", "exit 0", **step_fields))],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "wait",
            "reason": "ConfigurationError",
            "wasExecutionFailure": False,
            "message": rf"^task 'wait'.*CreateContainerConfigError.*{said}",
        },
    )
