"""Helpers that look at the TaskRuns, steps and pods of a run."""

from __future__ import annotations

from harness.executions import name_of
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

END_S = 90.0


def task_runs(world: World, run: Object) -> list[Object]:
    """All TaskRuns of a run."""
    selector = f"tekton.dev/pipelineRun={name_of(run)}"
    return world.tekton.task_runs.list(world.execution_namespace, labelSelector=selector)


def live_pods(world: World, run: Object) -> list[Object]:
    """Pods of a run that may still change something."""
    pods = world.cluster.request("GET", f"/api/v1/namespaces/{world.execution_namespace}/pods")
    return [
        pod
        for pod in pods["items"]
        if pod["metadata"]["labels"].get("tekton.dev/pipelineRun") == name_of(run)
        and pod["status"]["phase"] not in ("Succeeded", "Failed")
        and not _have_ended(pod)
    ]


def _have_ended(pod: Object) -> bool:
    """Whether all containers have: Tekton's are never started again, and the phase follows late."""
    told = pod["status"].get("containerStatuses", [])
    ended = [container for container in told if "terminated" in container["state"]]
    return len(ended) == len(pod["spec"]["containers"])


def until_a_step_runs(world: World, run: Object) -> None:
    """Wait until a container of the run really works."""

    def check() -> None:
        steps = [
            step
            for task_run in task_runs(world, run)
            for step in task_run.get("status", {}).get("steps", [])
        ]
        assert any("running" in step for step in steps), "no step runs yet"

    eventually(check, END_S, dump=world.dump)
