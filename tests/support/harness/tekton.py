"""Tekton, played: writes on PipelineRuns and TaskRuns what Tekton 1.x writes in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from harness.executions import name_of
from harness.objects import Objects
from localcluster.cluster import Cluster, Object

TASKS = ("check", "change")
_WORK: Object = {"steps": [{"name": "work", "image": "registry.example/work"}]}
# A custom task, of a kind that nobody here has a controller for.
APPROVAL = {"apiVersion": "approvals.example.dev/v1", "kind": "Approval", "name": "change-window"}
PIPELINE: list[Object] = [{"name": name, "taskSpec": _WORK} for name in TASKS]


def now() -> str:
    """The present instant as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Tekton:
    """Plays every part of a run's life, one step at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self.runs = Objects(cluster, "pipelineruns")
        self.task_runs = Objects(cluster, "taskruns")
        self.custom_runs = Objects(cluster, "customruns")
        self.pods = Objects(cluster, "pods")
        self._accounts = Objects(cluster, "serviceaccounts")

    def accept(self, run: Object) -> Object:
        """See the run and begin to fetch its bundle."""
        return self._write(run, "Unknown", "ResolvingPipelineRef", "resolving", startTime=now())

    def begin(
        self,
        run: Object,
        *,
        steps: bool = True,
        tasks: Sequence[Object] = PIPELINE,
        declares: Sequence[str] = (),
    ) -> Object:
        """Resolve the pipeline, of these tasks, and start the first: a TaskRun, or a CustomRun.

        declares: names of its parameters.
        """
        # Before that of its task, as Tekton does; told to the second, the two may differ.
        started = run.get("status", {}).get("startTime") or now()
        name = tasks[0]["name"]
        kind = "CustomRun" if "apiVersion" in tasks[0].get("taskRef", {}) else "TaskRun"
        if kind == "CustomRun":
            self.custom_runs.create(self.child(run, kind, name, {"customRef": tasks[0]["taskRef"]}))
        else:
            self._create_task_run(run, name, _active_steps() if steps else {})
        message = "Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 2, Skipped: 0"
        return self._write(
            run,
            "Unknown",
            "Running",
            message,
            startTime=started,
            pipelineSpec={"params": [{"name": name} for name in declares], "tasks": [*tasks]},
            childReferences=[_reference(run, kind, name)],
        )

    def child(self, run: Object, kind: str, task: str, spec: Object) -> Object:
        """A child of a run as Tekton makes it, with what it takes over of its parent."""
        meta = run["metadata"]
        labels = {
            **meta["labels"],
            "tekton.dev/pipelineRun": meta["name"],
            "tekton.dev/pipelineRunUID": meta["uid"],
            "tekton.dev/pipelineTask": task,
        }
        return {
            "apiVersion": "tekton.dev/v1beta1" if kind == "CustomRun" else "tekton.dev/v1",
            "kind": kind,
            "metadata": {
                "name": f"{meta['name']}-{task}",
                "namespace": meta["namespace"],
                "labels": labels,
                "annotations": meta["annotations"],
                "ownerReferences": [_owner(run)],
            },
            "spec": spec,
        }

    def answer(self, run: Object, task: str, status: str, reason: str, message: str) -> Object:
        """End a custom task, as its own controller does; returns it."""
        found = self.custom_runs.get(run["metadata"]["namespace"], f"{name_of(run)}-{task}")
        assert found is not None, task
        body = {"conditions": [succeeded(status, reason, message)], "completionTime": now()}
        return self.custom_runs.patch(found, {"status": body}, "status")

    def advance(self, run: Object) -> Object:
        """Finish the first task."""
        message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0"
        return self._write(run, "Unknown", "Running", message)

    def succeed(self, run: Object, completed_at: str = "") -> Object:
        """End well."""
        self._end_task_run(run, TASKS[0], succeeded("True", "Succeeded", "done"), exit_code=0)
        message = "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0"
        seen = self.runs.get(run["metadata"]["namespace"], name_of(run)) or run
        pipeline = seen.get("status", {}).get("pipelineSpec") or {"tasks": PIPELINE}
        return self._end(run, "True", "Succeeded", message, completed_at, pipelineSpec=pipeline)

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

    def leave_pod(self, run: Object, *others: str, **states: Object) -> Object:
        """Make a pod of the run's first task, as one is that waits for a Secret for ever.

        others: containers beside its step, by name. With ``states``, by container, it runs.
        """
        namespace = run["metadata"]["namespace"]
        if self._accounts.get(namespace, "default") is None:
            # Made by a controller that is not part of every cluster of these tests.
            self._accounts.create({"metadata": {"name": "default", "namespace": namespace}})
        own = {
            "tekton.dev/pipelineRun": name_of(run),
            "tekton.dev/pipelineRunUID": run["metadata"]["uid"],
            "tekton.dev/taskRun": f"{name_of(run)}-{TASKS[0]}",
        }
        pod = self.pods.create(
            {
                "metadata": {
                    "name": f"{name_of(run)}-{TASKS[0]}-pod",
                    "namespace": namespace,
                    "labels": {**run["metadata"]["labels"], **own},
                    "annotations": run["metadata"]["annotations"],
                },
                "spec": {
                    "containers": [
                        {"name": name, "image": "registry.example/work"}
                        for name in ("step-work", *others)
                    ]
                },
            }
        )
        return self.tell_of_pod(pod, "Running", **states) if states else pod

    def tell_of_pod(self, pod: Object, phase: str, /, **states: Object) -> Object:
        """Write a pod's status as the kubelet does; of each container a part of its state."""
        containers = [
            {
                "name": name.replace("_", "-"),
                "image": "",
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": state,
            }
            for name, state in states.items()
        ]
        status = {"phase": phase, "containerStatuses": containers}
        return self.pods.patch(pod, {"status": status}, "status")

    def _end(
        self,
        run: Object,
        status: str,
        reason: str,
        message: str,
        completed_at: str = "",
        **fields: Any,
    ) -> Object:
        fields["completionTime"] = completed_at or now()
        return self._write(run, status, reason, message, **fields)

    def _write(self, run: Object, status: str, reason: str, message: str, **fields: Any) -> Object:
        body = {"conditions": [succeeded(status, reason, message)], **fields}
        return self.runs.patch(run, {"status": body}, "status")

    def _create_task_run(self, run: Object, task: str, status: Object) -> None:
        meta = run["metadata"]
        labels = {"tekton.dev/pipelineRun": meta["name"], "tekton.dev/pipelineTask": task}
        created = self.task_runs.create(
            {
                "apiVersion": "tekton.dev/v1",
                "kind": "TaskRun",
                "metadata": {
                    "name": f"{meta['name']}-{task}",
                    "namespace": meta["namespace"],
                    "labels": labels,
                    "ownerReferences": [_owner(run)],
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


def _owner(run: Object) -> Object:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "name": name_of(run),
        "uid": run["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _reference(run: Object, kind: str, task: str) -> Object:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": kind,
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
