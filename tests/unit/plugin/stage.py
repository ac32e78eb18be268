"""A cluster with all that commands show: executions, runs, holds, and an operator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from builders import (
    make_policy,
    raw_execution,
    raw_hold,
    raw_run,
    raw_spec,
    raw_task_run,
    run_status,
    step,
)
from unit.plugin.played import Object, Server
from unit.plugin.scripted import group_list
from workflowexecution.api import identity
from workflowexecution.api.crd import build_crd
from workflowexecution.api.reading import format_duration, format_time
from workflowexecution.client.paths import (
    TEKTON_INFO,
    execution_path,
    holds_path,
    run_path,
    settings_path,
)
from workflowexecution.core import names
from workflowexecution.core.policy import Published, settings_of

TARGET, OTHER = "payment/Deployment/payment-api", "payment/Deployment/checkout"
RUNS, OPERATORS = identity.DEFAULT_EXECUTION_NAMESPACE, identity.DEFAULT_OPERATOR_NAMESPACE
ACCOUNT = "workflowexecution-controller"
_OUTCOMES = {0: ("True", "Succeeded"), 7: ("False", "Failed")}
OURS = f"/apis/{identity.GROUP}/{identity.VERSION}"
TEKTON = "/apis/tekton.dev/v1"
# Holds are as old as the kept answers say, on every day.
_HELD_FOR = timedelta(days=331, hours=12)


def staged() -> Server:
    """Executions: one runs, one was skipped for it, one failed, and one waits for a hold."""
    server, now = Server(), datetime.now(UTC)
    put_discovery(server)
    put_installation(server, now)
    put_settings(server)
    put_execution(server, "running", _running(TARGET, now))
    put_execution(server, "skipped", skipped("running", now), spec=raw_spec(TARGET, "scale"))
    put_execution(server, "failed", failed(OTHER, now), spec=raw_spec(OTHER))
    put_execution(server, "held", {"phase": "Pending"}, spec=raw_spec("shop/Deployment/cart"))
    put_run(server, "running", TARGET, run_status(started_at=now - timedelta(minutes=1)))
    ended = run_status("False", "Failed", completed_at=now - timedelta(minutes=1))
    put_run(server, "failed", OTHER, ended)
    put_hold(server, "freeze", namespace="shop")
    return server


def put_execution(
    server: Server,
    name: str,
    status: Object,
    *,
    spec: Any = None,
    age: timedelta = timedelta(minutes=2),
) -> None:
    """Have an execution of namespace team-a on the server."""
    item = raw_execution(name, status=status, spec=spec)
    item["metadata"]["creationTimestamp"] = format_time(datetime.now(UTC) - age)
    server.objects[execution_path("team-a", name)] = item


def put_run(server: Server, owner: str, target: str, status: Object, *, exit_code: int = 7) -> None:
    """Have the run of an execution on the server, with one TaskRun and its pod.

    Its step has ended with ``exit_code`` if the run has ended, else it runs.
    """
    item = raw_run(owner, target=target, name_target=target, status=status)
    name, began, ended = (
        item["metadata"]["name"],
        status.get("startTime"),
        status.get("completionTime"),
    )
    server.objects[run_path(RUNS, name)] = item
    task = raw_task_run("change", *_OUTCOMES[exit_code] if ended else ("Unknown", "Running"))
    if began:
        task["status"]["startTime"] = began
    if ended:
        one = step("apply", exit_code=exit_code)
        one["terminated"] |= {"startedAt": began or ended, "finishedAt": ended}
        task["status"] |= {"steps": [one], "completionTime": ended}
    else:
        task["status"]["steps"] = [step("apply", running={"startedAt": began})]
    owners = [{"kind": "PipelineRun", "uid": item["metadata"]["uid"], "controller": True}]
    labels = {**task["metadata"]["labels"], "tekton.dev/pipelineRun": name}
    task["metadata"] |= {"name": f"{name}-change", "namespace": RUNS, "labels": labels}
    task["metadata"]["ownerReferences"] = owners
    server.objects[f"{TEKTON}/namespaces/{RUNS}/taskruns/{name}-change"] = task
    log = f"/api/v1/namespaces/{RUNS}/pods/run-change-pod/log"
    server.answers["GET", log] = (200, "cannot change it\n")


def put_hold(server: Server, name: str, **spec: Any) -> None:
    """Have a hold on the server."""
    item = raw_hold(name, **spec)
    item["metadata"]["namespace"] = RUNS
    item["metadata"]["creationTimestamp"] = format_time(datetime.now(UTC) - _HELD_FOR)
    server.objects[f"{holds_path(RUNS)}/{name}"] = item


def _running(target: str, now: datetime) -> Object:
    return {
        "phase": "Running",
        "startTime": format_time(now - timedelta(minutes=1)),
        "pipelineRunRef": {"name": names.run_name(target, 1)},
        "conditions": [_succeeded("Unknown", "Running", "PipelineRun is running")],
    }


def skipped(because_of: str, now: datetime) -> Object:
    """The status of an execution that was skipped because of another one."""
    said = f"target {TARGET} is being changed by WorkflowExecution team-a/{because_of}"
    blocker = {"namespace": "team-a", "name": because_of, "workflowId": "restart"}
    return {
        "phase": "Skipped",
        "completionTime": format_time(now - timedelta(minutes=1)),
        "conditions": [_succeeded("False", "ResourceBusy", said)],
        "skipDetails": {
            "reason": "ResourceBusy",
            "message": said,
            "skippedAt": format_time(now - timedelta(minutes=1)),
            "conflictingWorkflow": blocker,
        },
    }


def failed(target: str, now: datetime) -> Object:
    """The status of an execution that failed."""
    return {
        "phase": "Failed",
        "startTime": format_time(now - timedelta(minutes=2)),
        "completionTime": format_time(now - timedelta(minutes=1)),
        "duration": "1m0s",
        "pipelineRunRef": {"name": names.run_name(target, 1)},
        "conditions": [_succeeded("False", "TaskFailed", "it failed")],
        "failureDetails": {
            "reason": "TaskFailed",
            "failedTaskName": "change",
            "failedStepName": "apply",
            "wasExecutionFailure": True,
            "naturalLanguageSummary": "Workflow restart failed: step 'apply' ended with 7.",
        },
    }


def completed(target: str, began: datetime, ended: datetime) -> Object:
    """The status of an execution that completed."""
    told = "before: 2 of 2 pods ready; after: 2 of 2 pods ready, restarted 2026-01-02T12:00:00Z"
    return {
        "phase": "Completed",
        "startTime": format_time(began),
        "completionTime": format_time(ended),
        "duration": format_duration(ended - began),
        "pipelineRunRef": {"name": names.run_name(target, 1), "namespace": RUNS},
        "conditions": [_succeeded("True", "Completed", told)],
    }


def _succeeded(status: str, reason: str, message: str) -> Object:
    return {"type": "Succeeded", "status": status, "reason": reason, "message": message}


def put_discovery(server: Server) -> None:
    """Have the kinds served, and versions told."""
    resources = {
        OURS: (identity.PLURAL, f"{identity.PLURAL}/status", "workflowholds", "workflowclaims"),
        TEKTON: ("pipelineruns", "taskruns"),
    }
    for path, kinds in resources.items():
        server.objects[path] = {"resources": [{"name": kind} for kind in kinds]}
    server.objects["/api"] = {"items": []}
    server.objects["/apis"] = group_list("apps", "deployments", "Deployment")
    server.objects["/version"] = {"gitVersion": "v1.36.3"}
    server.objects[TEKTON_INFO] = {"data": {"version": "v1.15.0"}}
    crd = f"{identity.PLURAL}.{identity.GROUP}"
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}"
    server.objects[path] = build_crd()


def put_settings(server: Server, **policy: Any) -> None:
    """Have the operator publish that it decides by its defaults, but for these."""
    entry = Published(
        shard=names.Shard(),
        version="1.2.3",
        written_at=datetime.now(UTC) - timedelta(minutes=1, seconds=30),
        written_by="pod-1",
        settings=settings_of(make_policy(**policy), timedelta(minutes=10)),
    )
    data = {names.settings_key(entry.shard): entry.to_text()}
    server.objects[settings_path(RUNS)] = {"data": data}


def put_installation(server: Server, now: datetime) -> None:
    """Have an operator that leads, and what it and its runs need."""
    for name in (RUNS, OPERATORS):
        server.objects[f"/api/v1/namespaces/{name}"] = {"metadata": {"name": name}}
    for namespace, account in ((RUNS, identity.DEFAULT_SERVICE_ACCOUNT), (OPERATORS, ACCOUNT)):
        server.objects[f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}"] = {}
    variables = [{"name": "WFE_LEADER_ELECTION", "value": "true"}]
    pod = {"containers": [{"image": "registry.example/operator", "env": variables}]}
    labels = {"app.kubernetes.io/name": ACCOUNT}
    deployment = {
        "metadata": {"name": ACCOUNT, "namespace": OPERATORS, "labels": labels},
        "spec": {"replicas": 1, "template": {"spec": pod}},
        "status": {"readyReplicas": 1},
    }
    server.objects[f"/apis/apps/v1/namespaces/{OPERATORS}/deployments/{ACCOUNT}"] = deployment
    resolver = "tekton-pipelines-remote-resolvers"
    place = f"/apis/apps/v1/namespaces/{resolver}/deployments/{resolver}"
    server.objects[place] = {
        "metadata": {"name": resolver, "namespace": resolver},
        "status": {"readyReplicas": 1},
    }
    lease = {
        "spec": {"holderIdentity": "pod-1", "renewTime": format_time(now + timedelta(hours=1))}
    }
    place = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATORS}/leases/{ACCOUNT}"
    server.objects[place] = lease
    runner = {"kind": "ServiceAccount", "namespace": RUNS, "name": identity.DEFAULT_SERVICE_ACCOUNT}
    binding = {
        "metadata": {"name": "runner", "namespace": "payment"},
        "roleRef": {"name": "kubernaut-workflow-runner"},
        "subjects": [runner],
    }
    place = "/apis/rbac.authorization.k8s.io/v1/namespaces/payment/rolebindings/runner"
    server.objects[place] = binding
    webhook = {
        "name": "webhook.pipeline.tekton.dev",
        "rules": [{"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"]}],
        "clientConfig": {
            "caBundle": "x",
            "service": {"namespace": "tekton-pipelines", "name": "webhook"},
        },
    }
    kinds = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    server.objects[f"{kinds}/tekton"] = {"metadata": {"name": "tekton"}, "webhooks": [webhook]}
    slices = "/apis/discovery.k8s.io/v1/namespaces/tekton-pipelines/endpointslices"
    server.objects[f"{slices}/webhook"] = {
        "metadata": {"labels": {"kubernetes.io/service-name": "webhook"}},
        "endpoints": [{"conditions": {"ready": True}}],
    }
