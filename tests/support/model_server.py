"""A model of the API server and of Tekton: the rules that the operator's safety rests on.

Unique names, growing resource versions, guarded writes, finalizers, phases that never go back; and
runs that end, are cancelled and stop as Tekton's do. Every change is kept as a watch event.
"""

import copy
from datetime import datetime, timedelta
from typing import Any, Final

from builders import NOW, raw_execution, raw_spec
from workflowexecution.api.fields import format_time
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.core import names
from workflowexecution.kube import errors

EXECUTIONS: Final = "executions"
RUNS: Final = "runs"
Raw = dict[str, Any]


class Server:
    """All objects, and the history of their changes."""

    def __init__(self) -> None:
        self.now: datetime = NOW
        self.objects: dict[str, dict[str, Raw]] = {EXECUTIONS: {}, RUNS: {}}
        self.history: dict[str, list[tuple[str, Raw]]] = {EXECUTIONS: [], RUNS: []}
        self.active_tasks: dict[str, str] = {}  # by UID of the run: the target it works on
        self._version = 0

    # What an operator asks for.

    def get(self, kind: str, name: str) -> Raw:
        found = self.objects[kind].get(name)
        if found is None:
            raise errors.NotFoundError(f"{name} not found", status=404)
        return copy.deepcopy(found)

    def all(self, kind: str) -> list[Raw]:
        return copy.deepcopy(list(self.objects[kind].values()))

    def list_task_runs(self, run_name: str) -> list[Raw]:
        """The one TaskRun of a run while it is active; when it is over it tells nothing more."""
        active = [uid for uid in self.active_tasks if uid.startswith(f"{run_name}/")]
        return [{"metadata": {"name": f"{run_name}-task"}, "status": {}} for _ in active]

    def create_run(self, manifest: Raw) -> Raw:
        name = manifest["metadata"]["name"]
        if name in self.objects[RUNS]:
            raise errors.AlreadyExistsError(f"{name} exists", status=409)
        created = copy.deepcopy(manifest)
        meta = created["metadata"]
        meta["uid"] = f"{name}/{self._version}"
        meta["creationTimestamp"] = format_time(self.now)
        self.active_tasks[meta["uid"]] = target_of(created)
        return self._store(RUNS, name, created, "ADDED")

    def cancel_run(self, name: str, uid: str) -> Raw:
        run = self._this_run(name, uid)
        run["spec"]["status"] = "Cancelled"
        return self._store(RUNS, name, run, "MODIFIED")

    def delete_run(self, name: str, uid: str) -> None:
        run = self._this_run(name, uid)
        run["metadata"]["deletionTimestamp"] = format_time(self.now)
        self._store(RUNS, name, run, "MODIFIED")

    def patch_status(self, name: str, version: str, patch: Raw) -> Raw:
        execution = self._this_version(name, version)
        was = execution.get("status", {}).get("phase")
        execution["status"] = merge(patch, execution.get("status"))
        phase = execution["status"].get("phase")
        if was in TERMINAL_PHASES and phase != was:
            raise errors.RejectedError("an ended execution never changes its phase", status=422)
        if was == "Running" and phase == "Pending":
            raise errors.RejectedError("a Running execution does not go back", status=422)
        return self._store(EXECUTIONS, name, execution, "MODIFIED")

    def patch_finalizers(self, name: str, version: str, finalizers: list[str]) -> Raw:
        execution = self._this_version(name, version)
        meta = execution["metadata"]
        is_deleting = "deletionTimestamp" in meta
        if is_deleting and set(finalizers) - set(meta.get("finalizers", ())):
            raise errors.RejectedError("no finalizers are added to what is deleted", status=422)
        meta["finalizers"] = finalizers
        if is_deleting and not finalizers:
            return self._remove(EXECUTIONS, name, execution)
        return self._store(EXECUTIONS, name, execution, "MODIFIED")

    # What users do.

    def create_execution(self, name: str, target: str, workflow_id: str) -> None:
        spec = raw_spec(target, workflow_id)
        raw = raw_execution(name, uid=f"{name}/{self._version}", spec=spec, finalizers=())
        self._store(EXECUTIONS, name, raw, "ADDED")

    def delete_execution(self, name: str) -> None:
        execution = self.get(EXECUTIONS, name)
        if not execution["metadata"].get("finalizers"):
            self._remove(EXECUTIONS, name, execution)
        elif "deletionTimestamp" not in execution["metadata"]:
            execution["metadata"]["deletionTimestamp"] = format_time(self.now)
            self._store(EXECUTIONS, name, execution, "MODIFIED")

    def remove_run(self, name: str) -> None:
        """Somebody deletes a run; its tasks go on until they are stopped."""
        self._remove(RUNS, name, self.get(RUNS, name))

    # What Tekton does.

    def report(self, name: str) -> None:
        """Say that a run goes on."""
        run = self.get(RUNS, name)
        if succeeded(run) == "Unknown":
            self._tell(name, run, "Unknown", "Running")

    def end_run(self, name: str, verdict: str) -> None:
        """End a run; where it failed its tasks may still be active."""
        run = self.get(RUNS, name)
        if succeeded(run) == "Unknown":
            if verdict == "True":
                self.active_tasks.pop(run["metadata"]["uid"], None)
            self._tell(name, run, verdict, "Succeeded" if verdict == "True" else "Failed")

    def obey(self, name: str) -> None:
        """Call a run cancelled, or delete it, as was asked; its tasks may still be active."""
        run = self.get(RUNS, name)
        if "deletionTimestamp" in run["metadata"]:
            self.active_tasks.pop(run["metadata"]["uid"], None)
            self._remove(RUNS, name, run)
        elif run["spec"].get("status") == "Cancelled" and succeeded(run) == "Unknown":
            self._tell(name, run, "False", "Cancelled")

    def stop_tasks(self) -> None:
        """Stop the tasks of all runs that have ended or are gone."""
        alive = {
            run["metadata"]["uid"]
            for run in self.objects[RUNS].values()
            if succeeded(run) == "Unknown"
        }
        for uid in self.active_tasks.keys() - alive:
            del self.active_tasks[uid]

    def unfinished_runs(self, target: str) -> list[str]:
        """Runs on a target that have not ended, or something of which still executes."""
        return [
            name
            for name, run in self.objects[RUNS].items()
            if target_of(run) == target
            and (succeeded(run) == "Unknown" or run["metadata"]["uid"] in self.active_tasks)
        ]

    def idle_runs(self) -> list[str]:
        """Runs that have ended and of which nothing executes."""
        busy = {name for target in self.targets() for name in self.unfinished_runs(target)}
        return [name for name in self.objects[RUNS] if name not in busy]

    def targets(self) -> set[str]:
        """Targets of all runs."""
        return {target_of(run) for run in self.objects[RUNS].values()}

    def _tell(self, name: str, run: Raw, verdict: str, reason: str) -> None:
        condition = {"type": "Succeeded", "status": verdict, "reason": reason, "message": ""}
        run["status"] = {"conditions": [condition], "startTime": format_time(self.now)}
        if verdict != "Unknown":
            run["status"]["completionTime"] = format_time(self.now)
        self._store(RUNS, name, run, "MODIFIED")

    def _this_run(self, name: str, uid: str) -> Raw:
        run = self.get(RUNS, name)
        if run["metadata"]["uid"] != uid:
            raise errors.ConflictError("another run has this name", status=409)
        return run

    def _this_version(self, name: str, version: str) -> Raw:
        execution = self.get(EXECUTIONS, name)
        if execution["metadata"]["resourceVersion"] != version:
            raise errors.ConflictError("the execution has changed", status=409)
        return execution

    def _store(self, kind: str, name: str, raw: Raw, event: str) -> Raw:
        self._version += 1
        raw["metadata"]["resourceVersion"] = str(self._version)
        self.objects[kind][name] = raw
        self.history[kind].append((event, copy.deepcopy(raw)))
        return copy.deepcopy(raw)

    def _remove(self, kind: str, name: str, raw: Raw) -> Raw:
        stored = self._store(kind, name, raw, "DELETED")
        del self.objects[kind][name]
        return stored


def merge(patch: Any, current: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(value, result.get(key))
    return result


def succeeded(run: Raw) -> str:
    """The status of a run's condition."""
    return str(run["status"]["conditions"][0]["status"]) if "status" in run else "Unknown"


def target_of(run: Raw) -> str:
    """The target a run works on."""
    return str(run["metadata"]["annotations"][names.KEY_TARGET])


def owner_of(run: Raw) -> str:
    """UID of the execution a run was made for."""
    return str(run["metadata"]["annotations"][names.KEY_EXECUTION_UID])


STEP: Final = timedelta(seconds=1)
