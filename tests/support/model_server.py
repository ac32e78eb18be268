"""A model of the API server: the rules that the operator's safety rests on.

Unique names, growing resource versions, guarded writes, finalizers, phases that never go back.
"""

from collections.abc import Sequence
from typing import Any

from builders import raw_execution, raw_spec
from model_judge import Judge, what_of
from model_store import (
    EXECUTIONS,
    RUNS,
    Raw,
    Store,
    clone,
    is_alive,
    object_of,
    path_of,
    target_of,
    uid_of,
)
from model_tekton import Tekton, Work
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.core import names
from workflowexecution.kube import errors


class Server(Store):
    """All objects, what operators and people ask for, and the judge of what they do."""

    def __init__(self) -> None:
        super().__init__()
        self.holds: dict[str, Raw] = {}
        self.judge = Judge(self)
        self.tekton = Tekton(self)

    # What an operator asks for.

    def list_task_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        """TaskRuns while they are active; when they are over they tell nothing more."""
        found = self._work_in(namespace)
        return [work.task_run() for work in found if work.has_task and _is_of(work, run_names)]

    def list_pods(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        found = self._work_in(namespace)
        return [work.pod() for work in found if work.has_pod and _is_of(work, run_names)]

    def list_active_pods(self, namespace: str) -> list[Raw]:
        return [work.pod() for work in self._work_in(namespace) if work.has_pod]

    def delete_pod(self, uid: str) -> None:
        """End a pod; Tekton starts none in its place once its run has ended."""
        if uid not in self.tekton.work or not self.tekton.work[uid].has_pod:
            raise errors.NotFoundError("no such pod", status=404)
        self.judge.about_to_change()
        del self.tekton.work[uid]

    def create_run(self, manifest: Raw, known: int = 0) -> Raw:
        """Create a run; ``known`` is how many events of runs the one who asks was told of."""
        if path_of(manifest) in self.objects[RUNS]:
            raise errors.AlreadyExistsError(f"{path_of(manifest)} exists", status=409)
        self.judge.about_to_change()
        self.judge.launched(manifest, known)
        return self._begin(manifest)

    def cancel_run(self, path: str, uid: str, asked: str) -> Raw:
        run = self.of_uid(RUNS, path, uid)
        run["spec"]["status"] = asked
        return self.put(RUNS, run)

    def delete_run(self, path: str, uid: str) -> None:
        run = self.of_uid(RUNS, path, uid)
        self.judge.about_to_change()
        self.judge.lost[uid_of(run)] = what_of(run)
        run["metadata"]["deletionTimestamp"] = format_time(self.now)
        self.put(RUNS, run)

    def remove_run(self, path: str, uid: str) -> None:
        """Delete history, as retention does."""
        run = self.of_uid(RUNS, path, uid)
        self.judge.about_to_change()
        self.drop(RUNS, run)

    def remove_execution(self, path: str, uid: str) -> None:
        """Delete history, as retention does."""
        self.of_uid(EXECUTIONS, path, uid)
        self.delete_execution(path)

    def patch_status(self, path: str, version: str, patch: Raw) -> Raw:
        execution = self.of_version(EXECUTIONS, path, version)
        was = clone(execution)
        execution["status"] = merge(patch, execution.get("status"))
        self.judge.status_written(was, execution, patch)
        _refuse_to_go_back(was, execution)
        return self.put(EXECUTIONS, execution)

    def patch_finalizers(self, path: str, version: str, finalizers: list[str]) -> Raw:
        execution = self.of_version(EXECUTIONS, path, version)
        meta = execution["metadata"]
        is_deleting = "deletionTimestamp" in meta
        if is_deleting and set(finalizers) - set(meta.get("finalizers", ())):
            raise errors.RejectedError("no finalizers are added to what is deleted", status=422)
        meta["finalizers"] = finalizers
        if is_deleting and not finalizers:
            return self.drop(EXECUTIONS, execution)
        return self.put(EXECUTIONS, execution)

    # What people do.

    def create_execution(
        self, name: str, target: str, workflow_id: str, *, namespace: str = "team-a", **given: Any
    ) -> str:
        """Create an execution and return its path."""
        uid = f"{namespace}.{name}.{self.version}"
        spec = raw_spec(target, workflow_id)
        raw = raw_execution(name, namespace=namespace, uid=uid, spec=spec, **given)
        return path_of(self.put(EXECUTIONS, raw, "ADDED"))

    def delete_execution(self, path: str) -> None:
        execution = self.get(EXECUTIONS, path)
        if not execution["metadata"].get("finalizers"):
            self.drop(EXECUTIONS, execution)
        elif "deletionTimestamp" not in execution["metadata"]:
            execution["metadata"]["deletionTimestamp"] = format_time(self.now)
            self.put(EXECUTIONS, execution)

    def write_status(self, path: str, status: Raw) -> bool:
        """Somebody replaces a status; say whether the rules of the definition let it."""
        execution = self.get(EXECUTIONS, path)
        was = clone(execution)
        execution["status"] = clone(status)
        try:
            _refuse_to_go_back(was, execution)
        except errors.RejectedError:
            return False
        self.put(EXECUTIONS, execution)
        return True

    def lose_run(self, path: str) -> None:
        """Somebody deletes a run; its tasks go on until they are stopped."""
        run = self.get(RUNS, path)
        self.judge.about_to_change()
        self.judge.lost[uid_of(run)] = what_of(run)
        self.drop(RUNS, run)

    def run_by_hand(self, like: Raw, name: str) -> None:
        """Somebody runs what was run before, as dashboards do, or restores it from a copy."""
        manifest = clone(like)
        manifest["metadata"]["name"] = name
        manifest["spec"].pop("status", None)
        manifest["metadata"].pop("deletionTimestamp", None)
        manifest.pop("status", None)
        if path_of(manifest) in self.objects[RUNS]:
            return
        self.judge.about_to_change()
        self.judge.by_hand.add(uid_of(self._begin(manifest)))

    def unfinished(self) -> list[Raw]:
        """The runs on targets that have not ended, and those of which something executes."""
        found = {uid: work.run for uid, work in self.tekton.work.items() if work.is_active}
        for run in self.objects[RUNS].values():
            if is_alive(run) and uid_of(run) in self.judge.born:
                found[uid_of(run)] = run
        return list(found.values())

    def is_busy(self, target: str) -> bool:
        return any(target_of(run) == object_of(target) for run in self.unfinished())

    def next_number(self, target: str) -> int:
        """The number that an operator counts on with which knows what there is, and no more."""
        named = [run["metadata"]["name"] for run in self.objects[RUNS].values()]
        for execution in self.objects[EXECUTIONS].values():
            named.append(execution.get("status", {}).get("pipelineRunRef", {}).get("name", ""))
        numbered = filter(None, map(names.parse_run_name, named))
        own = [number for key, number in numbered if key == names.target_key(target)]
        return max(own, default=0) + 1

    def _begin(self, manifest: Raw) -> Raw:
        created: Raw = clone(manifest)
        created["metadata"]["uid"] = f"{created['metadata']['name']}.{self.version}"
        created["metadata"]["creationTimestamp"] = format_time(self.now)
        self.judge.born[uid_of(created)] = len(self.history[RUNS])
        stored = self.put(RUNS, created, "ADDED")
        self.tekton.take_up(created)
        return stored

    def _work_in(self, namespace: str) -> list[Work]:
        found = self.tekton.work.values()
        return [work for work in found if work.run["metadata"]["namespace"] == namespace]


def _is_of(work: Work, run_names: Sequence[str]) -> bool:
    return work.run["metadata"]["name"] in run_names


def _refuse_to_go_back(was: Raw, now: Raw) -> None:
    before, phase = was.get("status", {}).get("phase"), now["status"].get("phase")
    if before in TERMINAL_PHASES and phase != before:
        raise errors.RejectedError("an ended execution never changes its phase", status=422)
    if before == "Running" and phase == "Pending":
        raise errors.RejectedError("a Running execution does not go back", status=422)


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
