"""The objects that benchmarks write: executions, runs as the operator makes them, statuses.

What a run's status holds was recorded from real runs; the resolved pipeline in it is that of the
bundles in tekton/, repeated until the status is as large as asked for.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.executions import IMAGE, execution
from harness.tekton import succeeded
from workflowexecution.core import names
from workflowexecution.settings import Settings

Object = dict[str, Any]

_REPOSITORY = Path(__file__).parents[2]
_RECORDED = _REPOSITORY / "tests/recorded/exit-code-in-second-step.json"
_BUNDLES = ("restart-workload", "inspect-workload", "wait")
_VERSION = re.compile(rb'"resourceVersion":"([0-9]+)"')
_RATIONALE = (
    "The workload's memory has grown steadily since its last rollout and its pods were killed "
    "three times within the hour; a restart has resolved the same signature in nine of ten cases. "
)


def now() -> str:
    """The present instant as Kubernetes writes it."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """An instant as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def target_of(name: str) -> str:
    """The target of the execution of this name, where each has its own."""
    return f"payment/Deployment/{name}"


_SECURITY_CONTEXT = Settings.model_fields["run_security_context"].default
_PARAMETERS = {"ROLLOUT_TIMEOUT": "300", "SEVERITY": "critical", "TEAM": "payment"}


def execution_body(name: str, namespace: str, target: str, **spec: Any) -> Object:
    """An execution as an orchestrator writes it; `spec` replaces fields."""
    fields = {
        "parameters": _PARAMETERS,
        "confidence": 0.92,
        "rationale": _RATIONALE * 2,
        **spec,
    }
    return execution(target, name=name, namespace=namespace, **fields)


def run_body(owner: str, owner_uid: str, source: str, target: str, namespace: str) -> Object:
    """Byte for byte the run that the operator makes of `execution_body`, for the floors."""
    shared = {
        names.KEY_EXECUTION: owner,
        names.KEY_EXECUTION_UID: owner_uid,
        names.KEY_SOURCE_NAMESPACE: source,
        names.KEY_WORKFLOW_ID: "restart",
    }
    request = {names.KEY_REQUEST: "request-1"}
    labels = {
        **shared,
        **request,
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.KEY_TARGET: names.label_value(target),
        names.KEY_TARGET_HASH: names.target_hash(target),
    }
    account = "kubernaut-workflow-runner"
    bundle = {"bundle": IMAGE, "name": "workflow", "kind": "pipeline", "serviceAccount": account}
    parameters = {**_PARAMETERS, "TARGET_RESOURCE": target}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": names.run_name(target, 1),
            "namespace": namespace,
            "labels": labels,
            "annotations": {
                **shared,
                **request,
                names.KEY_REQUEST_NAMESPACE: source,
                names.KEY_TARGET: target,
            },
        },
        "spec": {
            "pipelineRef": {
                "resolver": "bundles",
                "params": [{"name": key, "value": value} for key, value in bundle.items()],
            },
            "params": [{"name": key, "value": value} for key, value in parameters.items()],
            "timeouts": {"pipeline": "40m0s", "tasks": "30m0s", "finally": "10m0s"},
            "taskRunTemplate": {
                "serviceAccountName": account,
                "podTemplate": {"securityContext": _SECURITY_CONTEXT},
            },
        },
    }


def execution_status(run: str, run_namespace: str, phase: str) -> Object:
    """A status as the operator writes it, for the floors: `Running` or `Completed`."""
    has_ended = phase == "Completed"
    at = now()
    flags = {
        "Succeeded": "True" if has_ended else "Unknown",
        "PipelineRunCreated": "True",
        "Reconciling": "False" if has_ended else "True",
        "Stalled": "False",
        "TektonPipelineCreated": "True",
    }
    if has_ended:
        flags |= {"TektonPipelineRunning": "True", "TektonPipelineComplete": "True"}
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": phase,
            "message": f"PipelineRun {run_namespace}/{run} is {phase.lower()}",
            "lastTransitionTime": at,
            "observedGeneration": 1,
        }
        for kind, status in flags.items()
    ]
    status: Object = {
        "phase": phase,
        "observedGeneration": 1,
        "startTime": at,
        "pipelineRunRef": {"name": run, "namespace": run_namespace},
        "pipelineRunStatus": {"status": "True" if has_ended else "Unknown", "reason": phase},
        "conditions": conditions,
    }
    if has_ended:
        status |= {"completionTime": at, "duration": "0s"}
    return {"status": status}


def event_body(owner: str, owner_uid: str, namespace: str, reason: str) -> Object:
    """An Event as the operator records it, for the floors."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": names.event_name(owner, owner_uid, reason), "namespace": namespace},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": "Normal",
        "reason": reason,
        "action": "Run",
        "note": f"PipelineRun of {namespace}/{owner}: {reason}",
        "reportingController": names.MANAGED_BY,
        "reportingInstance": "benchmark",
        "regarding": {
            "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
            "kind": "WorkflowExecution",
            "namespace": namespace,
            "name": owner,
            "uid": owner_uid,
        },
    }


def run_status(run: str, step: int, steps: int, size: int) -> Object:
    """The status that Tekton has written on a run at one of `steps` moments of its life (from 1).

    Args:
        run: its name.
        step: the last one ends the run, the first of several comes before the pipeline is known.
        steps: how many there are.
        size: least size of the status in bytes, once the pipeline is known.
    """
    started = now()
    if step == 1 and steps > 1:
        return _status(started, succeeded("Unknown", "ResolvingPipelineRef", "resolving"))
    tasks, rest = _resolved(size)
    total = len(tasks)
    ended = total if step == steps else total * (step - 2) // max(steps - 2, 1)
    children = [
        {
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "name": f"{run}-{task['name']}",
            "pipelineTaskName": task["name"],
        }
        for task in tasks[: ended + 1]
    ]
    said = f"Tasks Completed: {ended} (Failed: 0, Cancelled 0)"
    # A pipeline declares what its run is given: else each execution costs an Event that warns.
    declared = [{"name": name} for name in (*_PARAMETERS, "TARGET_RESOURCE")]
    pipeline = {"params": declared, "tasks": tasks}
    fields = {**rest, "pipelineSpec": pipeline, "childReferences": children}
    if step < steps:
        said = f"{said}, Incomplete: {total - ended}, Skipped: 0"
        return _status(started, succeeded("Unknown", "Running", said), **fields)
    condition = succeeded("True", "Succeeded", f"{said}, Skipped: 0")
    return _status(started, condition, completionTime=started, **fields)


def run_update(namespace: str, run: str, version: str, status: Object) -> Object:
    """The body with which Tekton puts a status in the place of the one before.

    Args:
        version: the run's resource version, see `version_in`.
        status: see `run_status`.
    """
    meta = {"name": run, "namespace": namespace, "resourceVersion": version}
    return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta, **status}


def version_in(text: bytes) -> str:
    """The resource version of the one object in an answer, or in a line of a watch."""
    found = _VERSION.search(text)
    assert found, text[:200]
    return found[1].decode()


def _status(started: str, condition: Object, **fields: Any) -> Object:
    return {"status": {"startTime": started, "conditions": [condition], **fields}}


@cache
def _resolved(size: int) -> tuple[list[Object], Object]:
    """The tasks of a resolved pipeline, and what else a recorded status holds of it."""
    recorded = json.loads(_RECORDED.read_text())["pipelineRun"]["status"]
    rest = {"provenance": recorded["provenance"]}
    known = recorded["pipelineSpec"]["tasks"] if size < 4000 else _tasks_of_bundles()
    tasks: list[Object] = []
    while not tasks or len(json.dumps([tasks, rest])) + 150 * len(tasks) < size:
        task = known[len(tasks) % len(known)]
        tasks.append({**task, "name": f"{task['name']}-{len(tasks) + 1}"})
    return tasks, rest


def _tasks_of_bundles() -> list[Object]:
    pipelines = [
        yaml.safe_load((_REPOSITORY / f"tekton/{name}/workflow.yaml").read_text())
        for name in _BUNDLES
    ]
    return [task for pipeline in pipelines for task in pipeline["spec"]["tasks"]]
