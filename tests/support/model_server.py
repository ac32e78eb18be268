"""A model of the API server and of Tekton: the rules that the operator's safety rests on.

Unique names, growing resource versions, guarded writes, finalizers, phases that never go back; and
runs that end, are cancelled and leave pods as Tekton's do. Every change is kept as a watch event.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from builders import NOW, raw_execution, raw_spec
from workflowexecution.api.fields import format_time, parse_time
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.core import names
from workflowexecution.core.facts.taskrun import LABEL_PIPELINE_RUN, LABEL_RUN_UID
from workflowexecution.kube import errors

COOLDOWN: Final = timedelta(minutes=5)
# The API server tells its time in whole seconds.
CLOCK_ERROR: Final = timedelta(seconds=3)
EXECUTIONS: Final = "executions"
RUNS: Final = "runs"
Raw = dict[str, Any]


@dataclass(slots=True)
class Work:
    """What executes of a run: its one TaskRun and that one's pod, each until it has stopped."""

    run: Raw
    has_task: bool = True
    has_pod: bool = True

    @property
    def is_active(self) -> bool:
        return self.has_task or self.has_pod

    def labels(self) -> Raw:
        """The labels that Tekton gives to a TaskRun and a pod: those of the run, and its own."""
        meta = self.run["metadata"]
        own = {LABEL_PIPELINE_RUN: meta["name"], LABEL_RUN_UID: meta["uid"]}
        return {**meta.get("labels", {}), **own}

    def task_run(self) -> Raw:
        return {"metadata": {"name": "task", "labels": self.labels()}, "status": {}}

    def pod(self) -> Raw:
        meta = self.run["metadata"]
        return {
            "metadata": {
                "name": f"{meta['name']}-pod",
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "labels": self.labels(),
                "annotations": meta["annotations"],
                "creationTimestamp": meta["creationTimestamp"],
            },
            "status": {"phase": "Running"},
        }


class Server:
    """All objects, and the history of their changes."""

    def __init__(self) -> None:
        self.now: datetime = NOW
        # How far Tekton's clock is ahead of the API server's.
        self.tekton_ahead = timedelta(0)
        self.objects: dict[str, dict[str, Raw]] = {EXECUTIONS: {}, RUNS: {}}
        self.history: dict[str, list[tuple[str, Raw]]] = {EXECUTIONS: [], RUNS: []}
        self.work: dict[str, Work] = {}  # by UID of the run
        self.ends: list[tuple[str, datetime]] = []  # UID of a run, and when it really ended
        self.too_early: list[str] = []  # runs that began within a cooldown
        self.misattributed: list[str] = []  # executions that claimed the run of another
        self._version = 0

    # What an operator asks for.

    def get(self, kind: str, name: str) -> Raw:
        found = self.objects[kind].get(name)
        if found is None:
            raise errors.NotFoundError(f"{name} not found", status=404)
        return copy.deepcopy(found)

    def all(self, kind: str) -> list[Raw]:
        return copy.deepcopy(list(self.objects[kind].values()))

    def list_task_runs(self, run_names: Sequence[str]) -> list[Raw]:
        """TaskRuns while they are active; when they are over they tell nothing more."""
        return [work.task_run() for work in self._work_of(run_names) if work.has_task]

    def list_pods(self, run_names: Sequence[str]) -> list[Raw]:
        return [work.pod() for work in self._work_of(run_names) if work.has_pod]

    def list_active_pods(self) -> list[Raw]:
        return [work.pod() for work in self.work.values() if work.has_pod]

    def delete_pod(self, uid: str) -> None:
        """End a pod; Tekton starts none in its place once its run has ended."""
        if uid not in self.work or not self.work[uid].has_pod:
            raise errors.NotFoundError("no such pod", status=404)
        del self.work[uid]

    def create_run(self, manifest: Raw) -> Raw:
        name = manifest["metadata"]["name"]
        if name in self.objects[RUNS]:
            raise errors.AlreadyExistsError(f"{name} exists", status=409)
        self._note_if_too_early(manifest)
        created = copy.deepcopy(manifest)
        meta = created["metadata"]
        meta["uid"] = f"{name}/{self._version}"
        meta["creationTimestamp"] = format_time(self.now)
        stored = self._store(RUNS, name, created, "ADDED")
        self.work[meta["uid"]] = Work(copy.deepcopy(created))
        return stored

    def _note_if_too_early(self, manifest: Raw) -> None:
        """Hold a new run against all of its workflow that ended there and are still there."""
        present = {run["metadata"]["uid"]: run for run in self.objects[RUNS].values()}
        for uid, ended_at in self.ends:
            same = uid in present and _what(present[uid]) == _what(manifest)
            if same and self.now - ended_at < COOLDOWN - CLOCK_ERROR:
                self.too_early.append(manifest["metadata"]["name"])

    def _work_of(self, run_names: Sequence[str]) -> list[Work]:
        return [work for work in self.work.values() if work.run["metadata"]["name"] in run_names]

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
        self._note_if_of_another(execution, patch)
        phase = execution["status"].get("phase")
        if was in TERMINAL_PHASES and phase != was:
            raise errors.RejectedError("an ended execution never changes its phase", status=422)
        if was == "Running" and phase == "Pending":
            raise errors.RejectedError("a Running execution does not go back", status=422)
        return self._store(EXECUTIONS, name, execution, "MODIFIED")

    def _note_if_of_another(self, execution: Raw, patch: Raw) -> None:
        """Hold a run that a status newly names against the execution that the run names."""
        run = self.objects[RUNS].get((patch.get("pipelineRunRef") or {}).get("name", ""))
        if run is not None and owner_of(run) != execution["metadata"]["uid"]:
            self.misattributed.append(execution["metadata"]["name"])

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

    def rerun(self, name: str) -> None:
        """Somebody runs a run once more, under a name of their own, as dashboards do."""
        manifest = self.get(RUNS, name)
        manifest["metadata"]["name"] = f"{name}-r-abc{self._version}"
        manifest["spec"].pop("status", None)
        manifest["metadata"].pop("deletionTimestamp", None)
        manifest.pop("status", None)
        before = [*self.too_early]
        self.create_run(manifest)
        # A person may do so whenever they like.
        self.too_early = before

    # What Tekton does.

    def report(self, name: str) -> None:
        """Say that a run goes on."""
        run = self.get(RUNS, name)
        if succeeded(run) == "Unknown":
            self._tell(name, run, "Unknown", "Running")

    def end_run(self, name: str, verdict: str) -> None:
        """End a run; where it failed its tasks and pods may still be active."""
        run = self.get(RUNS, name)
        if succeeded(run) == "Unknown":
            if verdict == "True":
                self.work.pop(run["metadata"]["uid"], None)
            self._tell(name, run, verdict, "Succeeded" if verdict == "True" else "Failed")

    def obey(self, name: str) -> None:
        """Call a run cancelled, or delete it, as was asked; its tasks may still be active."""
        run = self.get(RUNS, name)
        if "deletionTimestamp" in run["metadata"]:
            self.work.pop(run["metadata"]["uid"], None)
            self._remove(RUNS, name, run)
        elif run["spec"].get("status") == "Cancelled" and succeeded(run) == "Unknown":
            self._tell(name, run, "False", "Cancelled")

    def stop_tasks(self) -> None:
        """Stop the tasks of all runs that have ended or are gone, and leave their pods."""
        alive = self._alive()
        for uid, work in self.work.items():
            work.has_task = work.has_task and uid in alive

    def stop_pods(self) -> None:
        """Stop the pods of all tasks that have stopped."""
        for uid in [uid for uid, work in self.work.items() if not work.has_task]:
            del self.work[uid]

    def _alive(self) -> set[str]:
        return {run["metadata"]["uid"] for run in self.objects[RUNS].values() if is_alive(run)}

    def unfinished_runs(self, target: str) -> list[str]:
        """UIDs of what is on a target: runs that have not ended, and what executes of any."""
        runs = [run for run in self.objects[RUNS].values() if is_alive(run)]
        runs += [work.run for work in self.work.values() if work.is_active]
        return list({run["metadata"]["uid"]: 1 for run in runs if target_of(run) == target})

    def unfinished_names(self, target: str) -> list[str]:
        """Names of the runs on a target that Tekton has not ended."""
        return [
            name
            for name, run in self.objects[RUNS].items()
            if target_of(run) == target and succeeded(run) == "Unknown"
        ]

    def idle_runs(self) -> list[str]:
        """Runs that have ended and of which nothing executes."""
        busy = {uid for target in self.targets() for uid in self.unfinished_runs(target)}
        return [
            name for name, run in self.objects[RUNS].items() if run["metadata"]["uid"] not in busy
        ]

    def targets(self) -> set[str]:
        """Targets of all runs."""
        return {target_of(run) for run in self.objects[RUNS].values()}

    def _tell(self, name: str, run: Raw, verdict: str, reason: str) -> None:
        condition = {"type": "Succeeded", "status": verdict, "reason": reason, "message": ""}
        by_tekton = format_time(self.now + self.tekton_ahead)
        created_at = parse_time(run["metadata"]["creationTimestamp"])
        taken_up = {"startTime": format_time(created_at + self.tekton_ahead)}
        run["status"] = {**taken_up, **run.get("status", {}), "conditions": [condition]}
        if verdict != "Unknown":
            run["status"]["completionTime"] = by_tekton
            self.ends.append((run["metadata"]["uid"], self.now))
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


def _what(run: Raw) -> tuple[str, str]:
    told = run["metadata"]["annotations"]
    return told[names.KEY_TARGET], told[names.KEY_WORKFLOW_ID]


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


def is_alive(run: Raw) -> bool:
    """Whether Tekton may start something for a run; for one that is being deleted it does not."""
    return succeeded(run) == "Unknown" and "deletionTimestamp" not in run["metadata"]


def target_of(run: Raw) -> str:
    """The target a run works on."""
    return str(run["metadata"]["annotations"][names.KEY_TARGET])


def owner_of(run: Raw) -> str:
    """UID of the execution a run was made for."""
    return str(run["metadata"]["annotations"][names.KEY_EXECUTION_UID])


STEP: Final = timedelta(seconds=1)
