"""Tekton, played: writes on PipelineRuns and TaskRuns what Tekton 1.x writes in the same place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.executions import name_of
from harness.objects import Objects
from localcluster.cluster import Cluster, Object

TASKS = ("check", "change")


def now() -> str:
    """The present instant as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Tekton:
    """Plays every part of a run's life, one step at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self.runs = Objects(cluster, "pipelineruns")
        self.task_runs = Objects(cluster, "taskruns")
        self.pods = Objects(cluster, "pods")
        self._accounts = Objects(cluster, "serviceaccounts")

    def accept(self, run: Object) -> Object:
        """See the run and begin to fetch its bundle."""
        return self._write(run, "Unknown", "ResolvingPipelineRef", "resolving", startTime=now())

    def begin(self, run: Object, *, steps: bool = True) -> Object:
        """Resolve the pipeline and start its first task."""
        # Before that of its task, as Tekton does; told to the second, the two may differ.
        started = run.get("status", {}).get("startTime") or now()
        self._create_task_run(run, TASKS[0], _active_steps() if steps else {})
        message = "Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 2, Skipped: 0"
        return self._write(
            run,
            "Unknown",
            "Running",
            message,
            startTime=started,
            pipelineSpec={"tasks": [{"name": name, "taskRef": {"name": name}} for name in TASKS]},
            childReferences=[_child(run, TASKS[0])],
        )

    def advance(self, run: Object) -> Object:
        """Finish the first task."""
        message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0"
        return self._write(run, "Unknown", "Running", message)

    def succeed(self, run: Object, completed_at: str = "") -> Object:
        """End well."""
        self._end_task_run(run, TASKS[0], succeeded("True", "Succeeded", "done"), exit_code=0)
        message = "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0"
        return self._end(run, "True", "Succeeded", message, completed_at)

    def fail(self, run: Object, exit_code: int = 3, completed_at: str = "") -> Object:
        """End because a step ended with this exit code."""
        said = f'"step-work" exited with code {exit_code}'
        self._end_task_run(run, TASKS[0], succeeded("False", "Failed", said), exit_code=exit_code)
        message = "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1"
        return self._end(run, "False", "Failed", message, completed_at)

    def time_out(self, run: Object) -> Object:
        """End because of the run's own time limit."""
        message = f'PipelineRun "{name_of(run)}" failed to finish within "30m0s"'
        self._end_task_run(run, TASKS[0], succeeded("False", "TaskRunTimeout", "too long"))
        return self._end(run, "False", "PipelineRunTimeout", message)

    def refuse(self, run: Object, reason: str, message: str) -> Object:
        """End before anything was run, e.g. because there is no such bundle."""
        return self._end(run, "False", reason, message)

    def obey_cancel(self, run: Object) -> Object:
        """Call the run cancelled, as Tekton does before its pods have stopped."""
        message = f'PipelineRun "{name_of(run)}" was cancelled'
        return self._end(run, "False", "Cancelled", message)

    def stop_tasks(self, run: Object) -> None:
        """Let the pods of a cancelled run have stopped."""
        self._end_task_run(run, TASKS[0], succeeded("False", "TaskRunCancelled", "cancelled"))

    def leave_pod(self, run: Object) -> Object:
        """Make a pod of the run's first task, as one is that waits for a Secret for ever."""
        namespace = run["metadata"]["namespace"]
        if self._accounts.get(namespace, "default") is None:
            # Made by a controller that is not part of every cluster of these tests.
            self._accounts.create({"metadata": {"name": "default", "namespace": namespace}})
        own = {
            "tekton.dev/pipelineRun": name_of(run),
            "tekton.dev/pipelineRunUID": run["metadata"]["uid"],
            "tekton.dev/taskRun": f"{name_of(run)}-{TASKS[0]}",
        }
        return self.pods.create(
            {
                "metadata": {
                    "name": f"{name_of(run)}-{TASKS[0]}-pod",
                    "namespace": namespace,
                    "labels": {**run["metadata"]["labels"], **own},
                    "annotations": run["metadata"]["annotations"],
                },
                "spec": {"containers": [{"name": "step-work", "image": "registry.example/work"}]},
            }
        )

    def _end(
        self, run: Object, status: str, reason: str, message: str, completed_at: str = ""
    ) -> Object:
        return self._write(run, status, reason, message, completionTime=completed_at or now())

    def _write(self, run: Object, status: str, reason: str, message: str, **fields: Any) -> Object:
        body = {"conditions": [succeeded(status, reason, message)], **fields}
        return self.runs.patch(run, {"status": body}, "status")

    def _create_task_run(self, run: Object, task: str, status: Object) -> None:
        meta = run["metadata"]
        owner = {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        labels = {"tekton.dev/pipelineRun": meta["name"], "tekton.dev/pipelineTask": task}
        created = self.task_runs.create(
            {
                "apiVersion": "tekton.dev/v1",
                "kind": "TaskRun",
                "metadata": {
                    "name": f"{meta['name']}-{task}",
                    "namespace": meta["namespace"],
                    "labels": labels,
                    "ownerReferences": [owner],
                },
                "spec": {"taskRef": {"name": task}},
            }
        )
        self.task_runs.patch(created, {"status": status}, "status")

    def _end_task_run(
        self, run: Object, task: str, condition: Object, exit_code: int | None = None
    ) -> None:
        """End a TaskRun; there is none where the run never began."""
        meta = run["metadata"]
        found = self.task_runs.get(meta["namespace"], f"{meta['name']}-{task}")
        if found is None:
            return
        status: Object = {"conditions": [condition], "completionTime": now()}
        if exit_code is not None:
            status["steps"] = [_ended_step(exit_code)]
        self.task_runs.patch(found, {"status": status}, "status")


def succeeded(status: str, reason: str, message: str) -> Object:
    """The condition by which Tekton tells how far a run or a TaskRun is."""
    return {
        "type": "Succeeded",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": now(),
    }


def _child(run: Object, task: str) -> Object:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "name": f"{name_of(run)}-{task}",
        "pipelineTaskName": task,
    }


def _active_steps() -> Object:
    step = {"name": "work", "container": "step-work", "running": {"startedAt": now()}}
    return {
        "podName": "pod-of-the-run",
        "startTime": now(),
        "conditions": [succeeded("Unknown", "Running", "Not all Steps in the Task have finished")],
        "steps": [step],
    }


def _ended_step(exit_code: int) -> Object:
    return {
        "name": "work",
        "container": "step-work",
        "terminated": {
            "exitCode": exit_code,
            "reason": "Error" if exit_code else "Completed",
            "startedAt": now(),
            "finishedAt": now(),
        },
    }
