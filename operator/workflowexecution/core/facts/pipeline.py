"""The pipeline of a run as Tekton resolved it, and its results.

It shows without a request which runs have children other than TaskRuns, and which may have pods
that still run after the run has succeeded.

Results are the only text that steps can put into Tekton's objects: about what they found and did,
and why they failed. Six names of results have a meaning here. All others belong to the workflow
and are not shown.
"""

import difflib
import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

from workflowexecution.api import reading
from workflowexecution.api.inputs import RESERVED_PARAMETER
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import FailureReason

FAILURE_REASON: Final = "failure-reason"
FAILURE_MESSAGE: Final = "failure-message"
# A step writes ``false`` where its task has changed nothing so far; any other value says nothing.
CHANGED: Final = "changed"
_UNCHANGED: Final = "false"
# Results of a successful pipeline, in the order of the message.
SHOWN_RESULTS: Final = ("before", "after", "found")
# Maximum length of one result: a step writes at most 4096 bytes, a condition holds 32768.
_LONGEST: Final = 1024
# Undeclared parameters that a text names, and declared ones that it names or compares them with:
# an execution can give 256 parameters, whose names may be long, and a pipeline can declare more.
_NAMED: Final = 20
_COMPARED: Final = 100
_REASONS: Final = frozenset(reason.value for reason in FailureReason)


@dataclass(frozen=True, slots=True)
class ChildKinds:
    """The kinds of children that a run can have; all kinds, where the pipeline is not known.

    may_outlast: whether a pod may still run when the run has succeeded: a pod with a sidecar, of
        an attempt or a task whose failure did not count, or of a task that is not shown.
    custom_runs: whether a task is a custom task.
    runs: whether a task is a pipeline.
    """

    may_outlast: bool = True
    custom_runs: bool = True
    runs: bool = True


ANY_CHILDREN: Final = ChildKinds()
_NONE: Final = ChildKinds(may_outlast=False, custom_runs=False, runs=False)


class Undeclared(NamedTuple):
    """Parameters that a workflow was given and does not declare; both sorted, without duplicates.

    names: at least one.
    declared: all that it declares, without the one that the operator sets.
    """

    names: Sequence[str]
    declared: Sequence[str]

    def describe(self) -> str:
        """The parameters in words, with similar names that are declared.

        Whether a value has an effect is not known: Tekton also inserts undeclared parameters into
        tasks that the pipeline contains.
        """
        named = [f"{name}{self._hint(name)}" for name in self.names[:_NAMED]]
        said = f"the workflow declares no parameter {_listed(named, len(self.names))}"
        declares = _listed(self.declared[:_NAMED], len(self.declared)) or "none"
        return f"{said}; it declares {declares}"

    def _hint(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.declared[:_COMPARED], n=1)
        return f" (did you mean {close[0]}?)" if close else ""


class Pipeline(NamedTuple):
    """The resolved pipeline of a run; its fields are empty before.

    task_names: of its tasks, then of its finally tasks.
    undeclared: parameters of the run that it does not declare; None where there are none.
    """

    children: ChildKinds
    task_names: tuple[str, ...] = ()
    has_finally: bool = False
    undeclared: Undeclared | None = None


def parse_pipeline(raw: Raw, *, has_failed: bool) -> Pipeline:
    """Read the pipeline of a run; one that failed before it was resolved has no children."""
    spec = reading.mapping(raw, "status", "pipelineSpec")
    if not spec:
        return Pipeline(_NONE if has_failed else ANY_CHILDREN)
    finally_tasks = reading.mappings(spec, "finally")
    tasks = [*reading.mappings(spec, "tasks"), *finally_tasks]
    return Pipeline(
        children=ChildKinds(
            may_outlast=any(map(_may_outlast, tasks)),
            custom_runs=any(map(_is_custom, tasks)),
            runs=any(map(_is_pipeline, tasks)),
        ),
        task_names=tuple(name for task in tasks if (name := reading.text(task, "name"))),
        has_finally=bool(finally_tasks),
        undeclared=undeclared_among(
            (reading.text(item, "name") for item in reading.mappings(raw, "spec", "params")),
            declared_in(raw),
        ),
    )


def declared_in(raw: Raw) -> frozenset[str]:
    """The parameters that the resolved pipeline of a run declares; none until it is resolved."""
    declared = reading.mappings(raw, "status", "pipelineSpec", "params")
    return frozenset(reading.text(item, "name") for item in declared)


def undeclared_among(given: Iterable[str], declared: Set[str]) -> Undeclared | None:
    """The given names that are not declared; None where there are none."""
    own = {RESERVED_PARAMETER, ""}
    names = sorted({*given} - declared - own)
    return Undeclared(tuple(names), tuple(sorted(declared - own))) if names else None


def _listed(names: Sequence[str], count: int) -> str:
    more = count - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _may_outlast(task: Raw) -> bool:
    has_sidecars = bool(reading.mappings(task, "taskSpec", "sidecars"))
    is_elsewhere = bool(task.get("taskRef")) and not _is_custom(task)
    may_fail = bool(task.get("retries")) or task.get("onError") == "continue"
    return has_sidecars or is_elsewhere or may_fail or _is_pipeline(task)


def _is_custom(task: Raw) -> bool:
    """Whether Tekton makes a CustomRun of it: it has both a kind and the version of that kind."""
    forms = (reading.mapping(task, "taskRef"), reading.mapping(task, "taskSpec"))
    return any(form.get("apiVersion") and form.get("kind") for form in forms)


def _is_pipeline(task: Raw) -> bool:
    return "pipelineRef" in task or "pipelineSpec" in task


def text_of_results(raw: Raw) -> str:
    """The text of a PipelineRun's results, as ``before: …; after: …``; else empty."""
    found = _texts(reading.mapping(raw, "status"))
    return "; ".join(f"{name}: {found[name]}" for name in SHOWN_RESULTS if found.get(name))


def failure_of(status: Raw) -> tuple[FailureReason | None, str]:
    """The class and text that a TaskRun's steps gave for their failure; empty without any."""
    found = _texts_of_steps(status) | _texts(status)
    given = found.get(FAILURE_REASON, "")
    reason = FailureReason(given) if given in _REASONS else None
    return reason, found.get(FAILURE_MESSAGE, "")


def says_unchanged(step: Raw) -> bool:
    """Whether a step, as in a TaskRun's status, said at its end that its task changed nothing."""
    written = _written(reading.text(step, "terminated", "message"))
    found = {reading.text(item, "key"): reading.text(item, "value") for item in written}
    return found.get(CHANGED, "").strip() == _UNCHANGED


def _texts(status: Raw) -> dict[str, str]:
    """Results by name, each on one line; arrays and objects are left out."""
    return {
        reading.text(item, "name"): _on_one_line(reading.text(item, "value"))
        for item in reading.mappings(status, "results")
    }


def _texts_of_steps(status: Raw) -> dict[str, str]:
    """The results in the messages of ended steps; of a TaskRun that it ends, Tekton copies none."""
    found = {}
    for step in reading.mappings(status, "steps"):
        for item in _written(reading.text(step, "terminated", "message")):
            found[reading.text(item, "key")] = _on_one_line(reading.text(item, "value"))
    return found


def _written(message: str) -> list[Raw]:
    """The results in a container's last message; empty where it is other text."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return []
    return reading.mappings({"said": said}, "said")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
