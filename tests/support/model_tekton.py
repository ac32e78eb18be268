"""Tekton in the model: runs that end or are cancelled, and what of them still executes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from model_store import RUNS, Raw, clone, is_alive, succeeded, uid_of
from workflowexecution.api.reading import format_time, parse_time
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN
from workflowexecution.core.facts.taskrun import LABEL_RUN_UID

if TYPE_CHECKING:
    from model_server import Server


@dataclass(slots=True)
class Work:
    """The parts of a run that execute: its TaskRun and the pod of that, until each has stopped."""

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
                "annotations": clone(meta["annotations"]),
                "creationTimestamp": meta["creationTimestamp"],
            },
            "status": {"phase": "Running"},
        }


class Tekton:
    """Acts on the runs of a server. ``ahead`` is how far its clock is ahead of the server's."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.ahead = timedelta(0)
        self.work: dict[str, Work] = {}  # by UID of the run

    def take_up(self, run: Raw) -> None:
        self.work[uid_of(run)] = Work(run)

    def report(self, path: str) -> None:
        """Say that a run goes on."""
        run = self.server.get(RUNS, path)
        if succeeded(run) == "Unknown":
            self._tell(run, "Unknown", "Running")

    def end_run(self, path: str, verdict: str, *, lingers: bool = False) -> None:
        """End a run; where it failed its tasks and pods may still be active.

        Of one that succeeds a pod that ``lingers`` has a sidecar that goes on.
        """
        run = self.server.get(RUNS, path)
        if succeeded(run) == "Unknown":
            self.server.judge.about_to_change()
            if verdict == "True" and lingers and uid_of(run) in self.work:
                self.work[uid_of(run)].has_task = False
            elif verdict == "True":
                self.work.pop(uid_of(run), None)
            self._tell(run, verdict, "Succeeded" if verdict == "True" else "Failed")

    def obey(self, path: str) -> None:
        """Call a run cancelled, or delete it, as was asked; its tasks may still be active."""
        run = self.server.objects[RUNS][path]
        if "deletionTimestamp" in run["metadata"]:
            self.server.judge.about_to_change()
            self.work.pop(uid_of(run), None)
            self.server.drop(RUNS, run)
        elif run["spec"].get("status") == "Cancelled" and succeeded(run) == "Unknown":
            self._tell(clone(run), "False", "Cancelled")

    def stop_tasks(self) -> None:
        """Stop the tasks of all runs that have ended or are gone, and leave their pods."""
        self.server.judge.about_to_change()
        alive = {uid_of(run) for run in self.server.objects[RUNS].values() if is_alive(run)}
        for uid, work in self.work.items():
            work.has_task = work.has_task and uid in alive

    def stop_pods(self) -> None:
        """Stop the pods of all tasks that have stopped."""
        self.server.judge.about_to_change()
        for uid in [uid for uid, work in self.work.items() if not work.has_task]:
            del self.work[uid]

    def lose_pod(self, uid: str) -> None:
        """Somebody deletes a pod: its task has failed, of which the run is told later."""
        self.server.judge.about_to_change()
        del self.work[uid]

    def _tell(self, run: Raw, verdict: str, reason: str) -> None:
        condition = {"type": "Succeeded", "status": verdict, "reason": reason, "message": ""}
        created_at = parse_time(run["metadata"]["creationTimestamp"])
        taken_up = {"startTime": format_time(created_at + self.ahead)}
        run["status"] = {**taken_up, **run.get("status", {}), "conditions": [condition]}
        if verdict != "Unknown":
            run["status"]["completionTime"] = format_time(self.server.now + self.ahead)
            self.server.judge.run_ended(run)
        self.server.put(RUNS, run)
