"""The children of a run, read after its end: their results, and the ends of their steps."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import FailureReason
from workflowexecution.core.facts.decoding import succeeded_condition
from workflowexecution.core.facts.pipeline import failure_of
from workflowexecution.core.facts.pod import PodEnd
from workflowexecution.core.facts.step import Step, has_denied_changes, parse_steps

LABEL_RUN_UID: Final = "tekton.dev/pipelineRunUID"
LABEL_TASK_RUN: Final = "tekton.dev/taskRun"
LABEL_PIPELINE_TASK: Final = "tekton.dev/pipelineTask"

# Facts that Tekton 1.15 writes only into its messages, in formats of its own.
_PREVIOUS: Final = re.compile(r"\nPrevious status: \[([A-Za-z]+)\] ")
_NAMED_CONTAINER: Final = re.compile(r'\Ainit container failed, "([^"]+)" exited ')
_NAMED_STEP: Final = re.compile(r'\A[Tt]he step "([^"]+)" in TaskRun "')
_NAMED_SIDECAR: Final = re.compile(r'\A[Tt]he sidecar "([^"]+)" in TaskRun "')
# A native sidecar waits like this between two starts, while the steps run.
_STARTS_AGAIN: Final = "CrashLoopBackOff"


class ChildKind(StrEnum):
    """The kinds of objects that Tekton creates for a pipeline's tasks."""

    TASK_RUN = "TaskRun"
    CUSTOM_RUN = "CustomRun"
    RUN = "PipelineRun"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One task of the pipeline: its last attempt and the earlier ones.

    A custom task and a pipeline that is a task have no steps here.

    was: its reason before Tekton ended it for another one; empty where there was none.
    named_step, named_sidecar: the cause in Tekton's message; empty where it names none.
    named_container: the container before the steps that it names as the cause; or empty.
    own_reason, own_message: the class and text that its steps gave for their failure, in results.
    says_unchanged: whether the last of its steps that began said that the task changed nothing.
    earlier: the attempts before the last, oldest first.
    within: its name in the pipeline that is the task ``task_name``; empty where it is that task.
    has_begun: whether it is a custom task that its controller has taken up.
    is_held: whether Tekton had not let its first step begin.
    awaits: the sidecars that were not ready; Tekton lets no step begin before they are.
    let_begin: whether Tekton had let its first step begin when the pod of the last attempt was last
        seen; None where that pod was never seen.
    is_pod_going: whether that pod was being deleted then.
    has_sidecars: whether it has any.
    pod_end: why Kubernetes ended the pod of the last attempt; None where that is not known.
    """

    name: str
    task_name: str
    succeeded: str
    reason: str
    message: str
    pod_name: str
    completed_at: datetime | None
    steps: tuple[Step, ...]
    was: str = ""
    named_step: str = ""
    named_container: str = ""
    named_sidecar: str = ""
    own_reason: FailureReason | None = None
    own_message: str = ""
    says_unchanged: bool = False
    kind: ChildKind = ChildKind.TASK_RUN
    namespace: str = ""
    uid: str = ""
    is_deleting: bool = False
    earlier: tuple["TaskRun", ...] = ()
    within: str = ""
    has_begun: bool = False
    is_held: bool = False
    awaits: tuple[str, ...] = ()
    let_begin: bool | None = None
    is_pod_going: bool = False
    has_sidecars: bool = False
    pod_end: PodEnd | None = None

    @property
    def called(self) -> str:
        """The task's name for people; in a nested pipeline, after that pipeline's task."""
        return f"{self.task_name}/{self.within}" if self.within else self.task_name

    @property
    def wait(self) -> str:
        """The sidecars that its steps wait for, for people; empty where there are none."""
        names = ", ".join(map(repr, self.awaits))
        return f"its steps wait until sidecar {names} is ready" if self.is_held and names else ""

    @property
    def is_active(self) -> bool:
        """Whether it may still execute."""
        return self.succeeded not in ("True", "False")

    @property
    def has_started(self) -> bool:
        """Whether it has begun in any attempt, so that something may have been changed."""
        return self.has_begun or self.has_steps_that_started or self.started_before

    @property
    def has_steps_that_started(self) -> bool:
        """Whether a step of the last attempt has started."""
        return not self.is_held and any(step.has_started for step in self.steps)

    @property
    def is_uncertain(self) -> bool:
        """Whether only the status from Tekton, which cut its steps off, shows that a step began.

        That status is the same for a running step and a step that waits for a sidecar.
        """
        if self.let_begin or (self.let_begin is None and not self.has_sidecars):
            return False
        began = [step for step in self.steps if step.has_started]
        return self.has_steps_that_started and all(map(self.has_cut_off, began))

    @property
    def was_held_last(self) -> bool:
        """Whether it was held back when its pod was last seen; it may have begun since."""
        return self.is_uncertain and self.let_begin is False

    def has_cut_off(self, step: Step) -> bool:
        """Whether Tekton ended a step with the task, or has not seen the step end."""
        return not step.reason or self.reason in (step.termination, step.reason)

    @property
    def started_before(self) -> bool:
        """Whether an attempt before the last had begun."""
        return any(attempt.has_started for attempt in self.earlier)


def parse_task_run(raw: Raw) -> TaskRun:
    """Read a TaskRun as Tekton writes it."""
    *earlier, last = map(_parse_attempt, attempts_of(raw))
    return replace(last, earlier=tuple(earlier))


def attempts_of(raw: Raw) -> list[Raw]:
    """A TaskRun in the state after each earlier attempt, and in its current state.

    Tekton leaves the steps of one attempt there until the next one has some: they are left out.
    """
    status = reading.mapping(raw, "status")
    earlier = reading.mappings(status, "retriesStatus")
    if not earlier:
        return [raw]
    before = [step for attempt in earlier for step in reading.mappings(attempt, "steps")]
    own = [step for step in reading.mappings(status, "steps") if step not in before]
    last = {**raw, "status": {**status, "steps": own}}
    return [*({**raw, "status": attempt} for attempt in earlier), last]


def parse_child(raw: Raw, kind: ChildKind) -> TaskRun:
    """Read a child of any kind."""
    task = parse_task_run(raw)
    if kind is ChildKind.TASK_RUN:
        return task
    # For a pipeline that is a task, its own children show whether it has begun.
    has_begun = kind is ChildKind.CUSTOM_RUN and bool(reading.mapping(raw, "status"))
    return replace(task, kind=kind, steps=(), earlier=(), has_begun=has_begun, says_unchanged=False)


def _parse_attempt(raw: Raw) -> TaskRun:
    meta, status = raw["metadata"], reading.mapping(raw, "status")
    succeeded, reason, message = succeeded_condition(raw)
    task_name = reading.text(meta, "labels", LABEL_PIPELINE_TASK)
    own_reason, own_message = failure_of(status)
    sidecars = reading.mappings(status, "sidecars")
    awaits = tuple(reading.text(item, "name") for item in sidecars if _is_awaited(item))
    steps = parse_steps(status, reason, reading.text(meta, "creationTimestamp"))
    return TaskRun(
        name=meta["name"],
        task_name=task_name or meta["name"],
        succeeded=succeeded or "Unknown",
        reason=reason,
        message=message,
        was=_first_group(_PREVIOUS, message),
        named_step=_first_group(_NAMED_STEP, message),
        named_container=_first_group(_NAMED_CONTAINER, message),
        named_sidecar=_first_group(_NAMED_SIDECAR, message),
        own_reason=own_reason,
        own_message=own_message,
        pod_name=reading.text(status, "podName"),
        completed_at=reading.moment(status, "completionTime"),
        steps=steps,
        says_unchanged=has_denied_changes(status, steps),
        is_held=bool(awaits),
        awaits=awaits,
        has_sidecars=bool(sidecars),
        namespace=reading.text(meta, "namespace"),
        uid=reading.text(meta, "uid"),
        is_deleting=bool(meta.get("deletionTimestamp")),
    )


def count_ended(task_runs: Iterable[TaskRun]) -> int:
    """Number of ended tasks; Tekton's own count is missing after a time-out."""
    return len({task.task_name for task in task_runs if not (task.is_active or task.within)})


def _is_awaited(sidecar: Raw) -> bool:
    """Whether Tekton lets no step begin before this sidecar is ready."""
    waiting = reading.mapping(sidecar, "waiting")
    return bool(waiting) and reading.text(waiting, "reason") != _STARTS_AGAIN


def _first_group(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
