"""The actions of people and of Tekton in the model, at any time."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from model_store import EXECUTIONS, RUNS, Raw, path_of, uid_of
from model_world import SOURCES, WORKFLOWS, World
from workflowexecution.core import names

# Few, so that names are used again.
NAMES = ("fix", "mend")
index = st.integers(0, 7)
target_index = st.integers(0, 1)


class People(World):
    """Executions come and go; runs, pods and statuses are changed by others than the operators."""

    @rule(
        target_index=target_index,
        workflow=st.sampled_from(WORKFLOWS),
        source=st.sampled_from(SOURCES),
        name=st.sampled_from(NAMES),
    )
    def create_execution(self, target_index: int, workflow: str, source: str, name: str) -> None:
        if f"{source}/{name}" in self.server.objects[EXECUTIONS]:
            name = f"{name}-{len(self.created)}"
        target = self.text_of(target_index)
        path = self.server.create_execution(name, target, workflow, namespace=source)
        self.created.append(path)

    @precondition(lambda self: self.server.objects[EXECUTIONS])
    @rule(number=index)
    def delete_execution(self, number: int) -> None:
        path = self.pick([*self.server.objects[EXECUTIONS]], number)
        self.delete(path)

    def delete(self, path: str) -> None:
        if path in self.server.objects[EXECUTIONS]:
            execution = self.server.get(EXECUTIONS, path)
            if not self.is_last_trace(execution) and self.may_be_changed(execution):
                self.server.delete_execution(path)

    def may_be_changed(self, execution: Raw) -> bool:
        """Whether its status is not all that tells of a run."""
        return True

    @precondition(lambda self: self.server.objects[EXECUTIONS])
    @rule(number=index, past=st.integers(-1, 5))
    def somebody_writes_a_status_back(self, number: int, past: int) -> None:
        """As a restore from a copy does: an earlier status, or none at all."""
        path = self.pick([*self.server.objects[EXECUTIONS]], number)
        execution = self.server.get(EXECUTIONS, path)
        is_counted = self.is_last_trace(execution) or not self.may_be_changed(execution)
        if is_counted or self.creates_on(execution["spec"]["targetResource"]):
            return
        uid = uid_of(execution)
        had = [raw for _, raw in self.server.history[EXECUTIONS] if uid_of(raw) == uid]
        status: dict[str, Any] = self.pick(had, past).get("status", {}) if past >= 0 else {}
        self.server.write_status(path, status)

    @precondition(lambda self: self.server.objects[EXECUTIONS])
    @rule(number=index)
    def somebody_writes_an_end(self, number: int) -> None:
        path = self.pick([*self.server.objects[EXECUTIONS]], number)
        execution = self.server.get(EXECUTIONS, path)
        status = {**execution.get("status", {}), "phase": "Failed"}
        if "completionTime" not in status and self.may_be_changed(execution):
            self.ended_by_hand.add(uid_of(execution))
            self.server.write_status(path, status)

    @precondition(lambda self: self.server.objects[RUNS])
    @rule(number=index)
    def somebody_runs_it_again(self, number: int) -> None:
        """Under a name of its own, on a target that may be busy."""
        path = self.pick([*self.server.objects[RUNS]], number)
        run = self.server.get(RUNS, path)
        if self.is_watched(run):
            self.server.run_by_hand(run, f"{run['metadata']['name']}-r-{self.server.version}")

    @precondition(lambda self: self.gone_runs())
    @rule(number=index)
    def somebody_restores_a_run(self, number: int) -> None:
        """Under the name it had, which has a run number."""
        run = self.pick(self.gone_runs(), number)
        if self.is_watched(run):
            self.server.run_by_hand(run, run["metadata"]["name"])

    def gone_runs(self) -> list[Raw]:
        """Runs that were deleted and of which nothing is left."""
        gone = [raw for event, raw in self.server.history[RUNS] if event == "DELETED"]
        busy = {path_of(work.run) for work in self.tekton.work.values()}
        return [
            raw
            for raw in gone
            if names.parse_run_name(raw["metadata"]["name"]) and path_of(raw) not in busy
        ]

    def is_watched(self, run: Raw) -> bool:
        return True

    @precondition(lambda self: self.server.objects[RUNS] and not self.is_history_kept)
    @rule(number=index)
    def somebody_deletes_a_run(self, number: int) -> None:
        self.lose_run(self.pick([*self.server.objects[RUNS]], number))

    def lose_run(self, path: str) -> None:
        """Delete a run that everybody knows of: its name is free again, its pods go on."""
        born = self.server.judge.born[uid_of(self.server.get(RUNS, path))]
        is_known = all(one.seen[RUNS] > born for one in self.operators)
        if is_known and self.may_remove(RUNS, path):
            self.server.lose_run(path)

    @precondition(lambda self: any(work.has_pod for work in self.tekton.work.values()))
    @rule(number=index)
    def somebody_deletes_a_pod(self, number: int) -> None:
        with_pods = [uid for uid, work in self.tekton.work.items() if work.has_pod]
        self.tekton.lose_pod(self.pick(with_pods, number))

    @precondition(lambda self: self.server.objects[RUNS])
    @rule(number=index, what=st.sampled_from(["report", "obey", "stop", "pods", "True", "False"]))
    def tekton_acts(self, number: int, what: str) -> None:
        path = self.pick([*self.server.objects[RUNS]], number)
        match what:
            case "report":
                self.tekton.report(path)
            case "obey":
                self.tekton.obey(path)
            case "stop":
                self.tekton.stop_tasks()
            case "pods":
                self.tekton.stop_pods()
            case verdict:
                self.tekton.end_run(path, verdict, lingers=True)
