"""Facts for tests: executions, runs, TaskRuns and snapshots with sensible defaults.

``raw_…`` gives the object as the API server would; ``make_…`` gives what is parsed from it. What
could never be seen is refused, so that no test proves something about an impossible world.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import FailureReason, Phase
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.cache.store import Store
from workflowexecution.cli.commands import policy_of
from workflowexecution.core import names
from workflowexecution.core.decision import Snapshot
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, parse_hold
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun, parse_task_run
from workflowexecution.core.guards import Guards
from workflowexecution.core.policy import Policy
from workflowexecution.settings import Settings

NOW: Final = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
TARGET: Final = "payment/Deployment/payment-api"
NAMESPACE: Final = "team-a"
RUN_NAMESPACE: Final = identity.DEFAULT_EXECUTION_NAMESPACE
IMAGE: Final = "registry.example/workflows/restart:v1"
DIGEST: Final = "sha256:" + "a" * 64
NO_GUARDS: Final = Guards()


class ImpossibleError(AssertionError):
    """A test asked for facts that no cluster could show."""


def ago(**duration: float) -> datetime:
    """A moment before NOW."""
    return NOW - timedelta(**duration)


def raw_spec(
    target: object = TARGET, workflow_id: object = "restart", **fields: object
) -> dict[str, Any]:
    """A spec that can be run; a keyword names a field of the spec as JSON has it."""
    ref = {"workflowId": workflow_id, "version": "v1", "containerImage": IMAGE}
    return {
        "remediationRequestRef": {"name": "request-1"},
        "workflowRef": ref,
        "targetResource": target,
        **fields,
    }


def raw_execution(
    name: str = "mine",
    *,
    uid: str = "",
    namespace: str = NAMESPACE,
    spec: object = None,
    status: object = None,
    version: int | str = 1,
    finalizers: Sequence[str] = (),
    deleted_at: datetime | None = None,
) -> dict[str, Any]:
    """A WorkflowExecution as the API server shows it."""
    meta: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": uid or f"uid-of-{name}",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": format_time(ago(hours=1)),
    }
    if finalizers:
        meta["finalizers"] = list(finalizers)
    if deleted_at:
        meta["deletionTimestamp"] = format_time(deleted_at)
    raw = {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": meta,
        "spec": raw_spec() if spec is None else spec,
    }
    return raw if status is None else {**raw, "status": status}


def make_execution(
    name: str = "mine",
    *,
    phase: Phase | None = None,
    number: int | None = None,
    started_at: datetime | None = None,
    completed_at: datetime | None = None,
    target: str = TARGET,
    workflow_id: str = "restart",
    **meta: Any,
) -> Execution:
    """An execution as the cache keeps it; ``number`` is that of the run its status names."""
    is_terminal = phase is not None and phase.is_terminal
    _refuse(completed_at is not None and not is_terminal, "an active execution has not completed")
    _refuse(is_terminal and completed_at is None, "an ended execution has a completion time")
    _refuse(phase is Phase.SKIPPED and number is not None, "a skipped execution has no run")
    _refuse(phase is Phase.COMPLETED and number is None, "a completed execution had a run")
    _refuse(
        completed_at is not None and started_at is not None and completed_at < started_at,
        "nothing ends before it starts",
    )
    status: dict[str, Any] = {"phase": phase} if phase else {}
    if number is not None:
        name_of_run = names.run_name(target, number)
        status["pipelineRunRef"] = {"name": name_of_run, "namespace": RUN_NAMESPACE}
    for key, moment in (("startTime", started_at), ("completionTime", completed_at)):
        if moment is not None:
            status[key] = format_time(moment)
    spec = raw_spec(target, workflow_id)
    return parse_execution(raw_execution(name, spec=spec, status=status, **meta))


def failed_execution(
    name: str = "failed",
    *,
    had_begun: bool | None = True,
    count: object = None,
    cleared: str | None = None,
    completed_at: datetime = NOW - timedelta(minutes=10),
    number: int | None = None,
    **given: Any,
) -> Execution:
    """An execution that has failed, at work or before; ``cleared`` is what a person has noted."""
    known = make_execution(
        name, phase=Phase.FAILED, completed_at=completed_at, number=number, **given
    )
    raw = {**known.raw, "status": {**known.raw["status"]}, "metadata": {**known.raw["metadata"]}}
    if had_begun is not None:
        raw["status"]["failureDetails"] = {"wasExecutionFailure": had_begun}
    if count is not None:
        raw["status"]["consecutiveFailures"] = count
    if cleared is not None:
        raw["metadata"]["annotations"] = {identity.CLEAR_ANNOTATION: cleared}
    return replace(known, raw=raw)


def raw_run(
    owner: str | None = "other",
    *,
    number: int = 1,
    target: str | None = TARGET,
    name_target: str = TARGET,
    workflow_id: str | None = "restart",
    uid: str = "",
    version: int | str = 1,
    created_at: datetime = NOW - timedelta(minutes=10),
    spec: Mapping[str, Any] | None = None,
    status: object = None,
    deleted_at: datetime | None = None,
    name: str = "",
) -> dict[str, Any]:
    """A PipelineRun as the API server shows it, under a run number of ``name_target``."""
    name = name or names.run_name(name_target, number)
    told = {
        names.KEY_EXECUTION: owner,
        names.KEY_EXECUTION_UID: f"uid-of-{owner}" if owner else None,
        names.KEY_SOURCE_NAMESPACE: NAMESPACE if owner else None,
        names.KEY_WORKFLOW_ID: workflow_id,
        names.KEY_TARGET: target,
    }
    meta: dict[str, Any] = {
        "name": name,
        "namespace": RUN_NAMESPACE,
        "uid": uid or f"uid-of-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": format_time(created_at),
        "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY},
        "annotations": {key: value for key, value in told.items() if value is not None},
    }
    if deleted_at:
        meta["deletionTimestamp"] = format_time(deleted_at)
    raw = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta}
    raw["spec"] = dict(spec or {})
    return raw if status is None else {**raw, "status": status}


def run_status(
    succeeded: str = "Unknown",
    reason: str = "Running",
    message: str = "",
    *,
    started_at: datetime | None = None,
    completed_at: datetime | None = None,
    tasks: Sequence[str] = (),
    final_tasks: Sequence[str] = (),
) -> dict[str, Any]:
    """The status Tekton writes on a PipelineRun."""
    condition = {"type": "Succeeded", "status": succeeded, "reason": reason, "message": message}
    status: dict[str, Any] = {"conditions": [condition]}
    if started_at:
        status["startTime"] = format_time(started_at)
    if completed_at:
        status["completionTime"] = format_time(completed_at)
    if tasks or final_tasks or succeeded == "True":
        status["pipelineSpec"] = {
            "tasks": [{"name": name} for name in tasks],
            "finally": [{"name": name} for name in final_tasks],
        }
    return status


def make_run(
    owner: str | None = "other",
    *,
    succeeded: str = "Unknown",
    reason: str = "Running",
    message: str = "",
    started_at: datetime | None = None,
    completed_at: datetime | None = None,
    tasks: Sequence[str] = (),
    has_stopped: bool = False,
    is_gone: bool = False,
    has_started: bool | None = None,
    **meta: Any,
) -> Run:
    """A run as the cache keeps it; one that has succeeded, or not said, has not "stopped"."""
    has_ended = succeeded in ("True", "False")
    _refuse(completed_at is not None and not has_ended, "an active run has not completed")
    is_over = succeeded == "False" or is_gone or bool(meta.get("deleted_at"))
    _refuse(has_stopped and not is_over, "only a run that failed or is deleted is waited for")
    status = run_status(
        succeeded,
        reason,
        message,
        started_at=started_at,
        completed_at=completed_at,
        tasks=tasks,
    )
    run = parse_run(raw_run(owner, status=status, **meta))
    assert run is not None
    return replace(run, has_stopped=has_stopped, is_gone=is_gone, has_started=has_started)


def finished_run(owner: str | None = "other", **given: Any) -> Run:
    """A run that succeeded ten minutes ago, unless told otherwise."""
    ended = {"succeeded": "True", "reason": "Succeeded", "completed_at": ago(minutes=10)}
    created = {"created_at": ago(minutes=20)}
    return make_run(owner, **{**created, **ended, **given})


def step(
    name: str = "main",
    exit_code: int | None = None,
    reason: str = "",
    termination: str = "",
    **state: Any,
) -> dict[str, Any]:
    """One step of a TaskRun: ended with this exit code, or in the state given."""
    known = {"name": name, "container": f"step-{name}"}
    if exit_code is None:
        return {**known, **state}
    said = reason or ("Error" if exit_code else "Completed")
    ended = {"exitCode": exit_code, "reason": said, "startedAt": format_time(ago(minutes=3))}
    return {**known, "terminated": ended, "terminationReason": termination}


def raw_task_run(
    task: str = "change",
    succeeded: str = "False",
    reason: str = "Failed",
    message: str = "it failed",
    *,
    steps: Sequence[Mapping[str, Any]] = (),
    completed_at: datetime | None = NOW - timedelta(minutes=2),
    pod_name: str | None = None,
) -> dict[str, Any]:
    """A TaskRun as Tekton writes it."""
    condition = {"type": "Succeeded", "status": succeeded, "reason": reason, "message": message}
    pod = f"run-{task}-pod" if pod_name is None else pod_name
    status: dict[str, Any] = {"conditions": [condition], "podName": pod}
    status["steps"] = [dict(item) for item in steps]
    if completed_at and succeeded != "Unknown":
        status["completionTime"] = format_time(completed_at)
    meta = {"name": f"run-{task}", "labels": {"tekton.dev/pipelineTask": task}}
    return {"metadata": meta, "status": status}


def make_task_run(*args: Any, **given: Any) -> TaskRun:
    """A TaskRun as diagnosis reads it."""
    return parse_task_run(raw_task_run(*args, **given))


def make_snapshot(
    execution: Execution | None = None,
    *,
    runs: Sequence[Run] = (),
    others: Sequence[Execution] = (),
    problem: str = "",
    cooldown: timedelta = timedelta(minutes=5),
    deadline_grace: timedelta = timedelta(minutes=5),
    holds: Sequence[Hold] = (),
    guards: Guards = NO_GUARDS,
    now: datetime = NOW,
) -> Snapshot:
    """The facts of one decision, as a cache that has seen all of these gathers them."""
    execution = execution or make_execution()
    keys = {one.target_key for one in (execution, *others)}
    _refuse(len(keys) > 1, "another target's execution")
    _refuse(any(other.uid == execution.uid for other in others), "the execution beside itself")
    _refuse(len({run.name for run in runs}) < len(runs), "two runs of one name")
    _refuse(now.tzinfo is None or cooldown < timedelta(0), "a naive now, or a cooldown below zero")
    store = Store(RUN_NAMESPACE, keeps_endings=guards.are_on)
    for item in (execution, *others):
        store.observe_execution(item, now=now)
    for run in runs:
        store.observe_run(run, now=now)
    return store.snapshot(
        execution,
        problem=problem,
        cooldown=cooldown,
        deadline_grace=deadline_grace,
        holds=holds,
        guards=guards,
        now=now,
    )


def raw_hold(
    name: str = "freeze", *, version: int = 1, deleted_at: datetime | None = None, **spec: Any
) -> dict[str, Any]:
    """A WorkflowHold as the API server shows it; without fields of its spec it holds everything."""
    meta = {
        "name": name,
        "namespace": RUN_NAMESPACE,
        "uid": f"uid-of-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": format_time(ago(hours=1)),
        **({"deletionTimestamp": format_time(deleted_at)} if deleted_at else {}),
    }
    names_something = {"namespace", "targetResource", "workflowId"} & spec.keys()
    told = {} if names_something else {"everything": True}
    return {"metadata": meta, "spec": {"reason": "release", "heldBy": "jane", **told, **spec}}


def make_failure(*, has_begun: bool = False) -> FailureDetails:
    """The failure of an execution with a mistake; ``has_begun`` is whether a step had begun."""
    return FailureDetails(
        failed_task_index=0,
        failed_task_name="",
        reason=FailureReason.CONFIGURATION_ERROR,
        message="wrong",
        failed_at=NOW,
        execution_time_before_failure=timedelta(0),
        natural_language_summary="It is wrong. Correct it.",
        was_execution_failure=has_begun,
    )


def make_hold(name: str = "freeze", **spec: Any) -> Hold:
    """A hold as decisions use it."""
    return parse_hold(raw_hold(name, **spec))


def make_policy(**given: Any) -> Policy:
    """The policy of an operator without settings."""
    policy = policy_of(Settings())
    return replace(policy, **given)


def _refuse(is_impossible: bool, why: str) -> None:
    if is_impossible:
        raise ImpossibleError(why)
