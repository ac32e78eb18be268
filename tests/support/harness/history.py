"""Records all changes of executions and runs, and checks that each was right at its moment.

It is judged by what the API server has stored, one version after the other, and not by what any
operator says.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from harness.executions import name_of, phase_of
from harness.objects import path_of
from harness.observer import Observer
from localcluster.cluster import Cluster, Object

UID = "kubernaut.ai/workflow-execution-uid"
TARGET = "kubernaut.ai/target-resource"
WORKFLOW = "kubernaut.ai/workflow-id"
EXECUTIONS, RUNS, TASK_RUNS = "workflowexecutions", "pipelineruns", "taskruns"
TERMINAL = ("Completed", "Failed", "Skipped")
_NEXT = {
    "": {"", "Pending", "Running", *TERMINAL},
    "Pending": {"Pending", "Running", *TERMINAL},
    "Running": {"Running", "Completed", "Failed"},
    **{phase: {phase} for phase in TERMINAL},
}
# Times in statuses are whole seconds.
_STEP = timedelta(seconds=1)
# Who has launched what another has just skipped learns of it with the next write.
_NOTICED_WITHIN = timedelta(seconds=3)


@dataclass(slots=True)
class Life:
    """One object: what it was last, and whether it is gone."""

    last: Object
    is_gone: bool = False
    phases: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Step:
    """One version of one object."""

    version: int
    plural: str
    is_gone: bool
    item: Object


class History:
    """Records the executions of some namespaces, and runs and TaskRuns of another."""

    def __init__(
        self, cluster: Cluster, execution_namespace: str, sources: tuple[str, ...]
    ) -> None:
        self._steps: list[_Step] = []
        self._lock = threading.Lock()
        paths = {
            EXECUTIONS: [path_of(EXECUTIONS, source) for source in sources],
            RUNS: [path_of(RUNS, execution_namespace)],
            TASK_RUNS: [path_of(TASK_RUNS, execution_namespace)],
        }
        self.observer = Observer(cluster, paths, self._on_event)
        self.observer.start()

    def close(self) -> None:
        """Stop recording."""
        self.observer.close()

    def executions(self) -> dict[str, Life]:
        """Every execution there has been, by UID."""
        return self._lives(EXECUTIONS)

    def runs(self) -> dict[str, Life]:
        """Every run there has been, by UID."""
        return self._lives(RUNS)

    def double_runs(self) -> list[tuple[str, str, str]]:
        """Pairs of runs that were unfinished at once: target and the names of both.

        A run is finished when Tekton says so and none of its TaskRuns is active, or it is gone.
        """
        return _Doubles().judge(self._in_order())

    def changes_on(self, target: str) -> str:
        """One line for each version of what was written on a target, to see how it came about."""
        runs = {name_of(life.last) for life in self.runs().values() if _is_on(life.last, target)}
        return "\n".join(
            _told(step)
            for step in self._in_order()
            if _is_on(step.item, target)
            or step.item["metadata"].get("labels", {}).get("tekton.dev/pipelineRun") in runs
        )

    def wrong_steps(self) -> list[str]:
        """Phases that executions must not have gone from or to."""
        return [
            f"{name_of(life.last)}: {before or 'none'} to {after or 'none'}"
            for life in self.executions().values()
            for before, after in zip(["", *life.phases], life.phases, strict=False)
            if after not in _NEXT[before]
        ]

    def wrong_ends(self, cooldown: timedelta) -> list[str]:
        """Executions whose end does not go with what became of their runs."""
        runs: dict[str, list[Object]] = defaultdict(list)
        for life in self.runs().values():
            runs[_annotation(life.last, UID)].append(life.last)
        found = [
            f"{name_of(life.last)}: {problem}"
            for uid, life in self.executions().items()
            if (problem := _problem_of(life.last, runs[uid]))
        ]
        return found + self._cooled_too_little(cooldown)

    def called_back(self) -> list[str]:
        """Skipped executions for which a run was made all the same, and cancelled if not over."""
        runs = {_annotation(life.last, UID): life.last for life in self.runs().values()}
        return [
            name_of(life.last)
            for uid, life in self.executions().items()
            if phase_of(life.last) == "Skipped"
            and uid in runs
            and _is_called_back(runs[uid], life.last)
        ]

    def lost(self) -> list[str]:
        """Executions that are there and have no end."""
        return [
            f"{name_of(life.last)} is {phase_of(life.last) or 'not told of'}"
            for life in self.executions().values()
            if not life.is_gone and phase_of(life.last) not in TERMINAL
        ]

    def _cooled_too_little(self, cooldown: timedelta) -> list[str]:
        by_what: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for life in self.runs().values():
            what = (_annotation(life.last, TARGET), _annotation(life.last, WORKFLOW))
            by_what[what].append(life.last)
        found = []
        for some in by_what.values():
            some.sort(key=lambda run: run["metadata"]["creationTimestamp"])
            for first, second in pairwise(some):
                ended = first.get("status", {}).get("completionTime")
                began = second["metadata"]["creationTimestamp"]
                if ended and _time(began) - _time(ended) + _STEP < cooldown:
                    found.append(f"{name_of(second)} began at {began}, cooling since {ended}")
        return found

    def _on_event(self, plural: str, kind: str, item: Object) -> None:
        meta = item["metadata"]
        meta.pop("managedFields", None)
        step = _Step(int(meta["resourceVersion"]), plural, kind == "DELETED", item)
        with self._lock:
            self._steps.append(step)

    def _in_order(self) -> list[_Step]:
        with self._lock:
            return sorted(self._steps, key=lambda step: step.version)

    def _lives(self, plural: str) -> dict[str, Life]:
        found: dict[str, Life] = {}
        for step in self._in_order():
            if step.plural != plural:
                continue
            life = found.setdefault(step.item["metadata"]["uid"], Life(step.item))
            life.last, life.is_gone = step.item, step.is_gone
            life.phases.append(phase_of(step.item))
        return found


class _Doubles:
    """Goes through a history and notes which runs were unfinished at once on one target."""

    def __init__(self) -> None:
        self._runs: dict[str, Object] = {}
        self._active_tasks: dict[str, set[str]] = defaultdict(set)
        self._found: dict[tuple[str, str, str], None] = {}

    def judge(self, steps: list[_Step]) -> list[tuple[str, str, str]]:
        for step in steps:
            if step.plural == TASK_RUNS:
                self._take_in_task(step)
            elif step.plural == RUNS:
                self._take_in_run(step)
        return list(self._found)

    def _take_in_task(self, step: _Step) -> None:
        run = step.item["metadata"].get("labels", {}).get("tekton.dev/pipelineRun", "")
        if step.is_gone or _has_ended(step.item):
            self._active_tasks[run].discard(name_of(step.item))
        else:
            self._active_tasks[run].add(name_of(step.item))

    def _take_in_run(self, step: _Step) -> None:
        name = name_of(step.item)
        if step.is_gone:
            self._runs.pop(name, None)
            return
        self._runs[name] = step.item
        target = _annotation(step.item, TARGET)
        if not self._is_unfinished(step.item):
            return
        for other, run in self._runs.items():
            is_rival = other != name and _annotation(run, TARGET) == target
            if is_rival and self._is_unfinished(run):
                first, second = sorted((other, name))
                self._found[target, first, second] = None

    def _is_unfinished(self, run: Object) -> bool:
        return not _has_ended(run) or bool(self._active_tasks[name_of(run)])


def _has_ended(item: Object) -> bool:
    return _succeeded(item) in ("True", "False")


def _succeeded(item: Object) -> str:
    conditions = item.get("status", {}).get("conditions") or []
    return next((str(one["status"]) for one in conditions if one["type"] == "Succeeded"), "")


def _problem_of(execution: Object, runs: list[Object]) -> str:
    status: dict[str, Any] = execution.get("status", {})
    phase, name = phase_of(execution), (status.get("pipelineRunRef") or {}).get("name")
    if len(runs) > 1:
        return f"{len(runs)} runs were made for it"
    if phase == "Skipped" and runs and not _is_called_back(runs[0], execution):
        made, skipped = runs[0]["metadata"]["creationTimestamp"], status["skipDetails"]
        return f"Skipped at {skipped['skippedAt']}, but {name_of(runs[0])} was made at {made}"
    if phase == "Completed" and (not runs or _succeeded(runs[0]) != "True"):
        return "Completed without a run that succeeded"
    if phase == "Failed" and runs and _succeeded(runs[0]) == "True":
        return "Failed, and its run succeeded"
    if phase in ("Completed", "Running") and runs and name != name_of(runs[0]):
        return f"names run {name}, not {name_of(runs[0])}"
    return ""


def _is_called_back(run: Object, skipped: Object) -> bool:
    """Whether a run was cancelled, or had ended by itself before anybody could do so."""
    ended = run.get("status", {}).get("completionTime")
    noticed = _time(skipped["status"]["skipDetails"]["skippedAt"]) + _NOTICED_WITHIN
    has_ended_before = ended is not None and _time(ended) <= noticed
    return bool(run["spec"].get("status") == "Cancelled") or has_ended_before


def _is_on(item: Object, target: str) -> bool:
    return target in (_annotation(item, TARGET), item.get("spec", {}).get("targetResource"))


def _told(step: _Step) -> str:
    item, meta = step.item, step.item["metadata"]
    status: dict[str, Any] = item.get("status", {})
    ref = (status.get("pipelineRunRef") or {}).get("name", "")
    by = (meta.get("managedFields") or [{}])[-1].get("time", "")
    words = (
        *(step.version, by, step.plural, name_of(item), meta["uid"][:8]),
        "deleted" if step.is_gone else "",
        "deleting" if meta.get("deletionTimestamp") else "",
        f"phase={phase_of(item)} run={ref}" if step.plural == EXECUTIONS else "",
        f"succeeded={_succeeded(item)}" if step.plural != EXECUTIONS else "",
        f"asked={item['spec'].get('status', '')}" if step.plural == RUNS else "",
        _annotation(item, UID)[:8],
    )
    return " ".join(str(word) for word in words if word)


def _annotation(item: Object, key: str) -> str:
    return str(item["metadata"].get("annotations", {}).get(key, ""))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
