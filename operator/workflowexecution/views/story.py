"""The history of one execution: its timeline, the failed step, and the containers with logs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.core.diagnosis.tables import HARMLESS_STEPS
from workflowexecution.core.facts.decoding import succeeded_condition
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.step import Step
from workflowexecution.core.facts.taskrun import attempts_of, parse_task_run
from workflowexecution.views.executions import blocker_of


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of a timeline; `at` is aware UTC, in whole seconds."""

    at: datetime
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepLog:
    """The container that has the log of a step."""

    task: str
    step: str
    pod: str
    container: str

    @property
    def name(self) -> str:
        """`task/step`."""
        return f"{self.task}/{self.step}"


def moments_of(execution: Execution, run: Run | None, task_runs: Iterable[Raw]) -> list[Moment]:
    """The timeline of an execution, in order.

    Args:
        execution: as it is now.
        run: None where there is none, or it cannot be read.
        task_runs: of that run, in any order.
    """
    moments = [*_of_execution(execution)]
    if run and run.started_at:
        moments.append(Moment(run.started_at, "started", "Tekton took up the run"))
    for attempt in chain.from_iterable(map(attempts_of, task_runs)):
        moments += _of_task_run(attempt)
    if run and run.completed_at:
        moments.append(Moment(run.completed_at, "run ended", run.reason))
    moments += _of_end(execution)
    # The sort is stable: moments of the same second stay in the order of cause and effect above.
    return sorted(moments, key=lambda moment: moment.at)


def failed_step_of(execution: Execution, task_runs: Iterable[Raw]) -> StepLog | None:
    """The failed step that the status names, else the first with a non-zero exit code."""
    status = reading.mapping(execution.raw, "status")
    details = reading.mapping(status, "failureDetails")
    task, step = reading.text(details, "failedTaskName"), reading.text(details, "failedStepName")
    for found in map(parse_task_run, task_runs):
        for item in found.steps:
            is_named = (found.task_name, item.name) == (task, step)
            if found.pod_name and (is_named or (not step and item.exit_code)):
                return StepLog(found.task_name, item.name, found.pod_name, item.container)
    return None


def _of_execution(execution: Execution) -> Iterator[Moment]:
    meta, status = (
        reading.mapping(execution.raw, "metadata"),
        reading.mapping(execution.raw, "status"),
    )
    if created := reading.moment(meta, "creationTimestamp"):
        what = f"workflow {execution.workflow_id} on {execution.target}"
        yield Moment(created, "created", what)
    if execution.started_at:
        yield Moment(execution.started_at, "decided", f"launched as {_run_of(execution)}")
    skip = reading.mapping(status, "skipDetails")
    if skipped := reading.moment(skip, "skippedAt"):
        who = f", because of {blocker_of(execution)}" if blocker_of(execution) else ""
        yield Moment(skipped, "decided", f"skipped: {reading.text(skip, 'reason')}{who}")
    if deleted := reading.moment(meta, "deletionTimestamp"):
        yield Moment(deleted, "deleted", "its run is cancelled")


def _of_task_run(raw: Raw) -> Iterator[Moment]:
    task, status = parse_task_run(raw), reading.mapping(raw, "status")
    if started := reading.moment(status, "startTime"):
        yield Moment(started, "task started", task.task_name)
    for number, step in enumerate(reading.mappings(status, "steps")):
        known = task.steps[number]
        # For a step that never started, Tekton writes an end and a wrong start.
        if known.has_started and not _waits(step, task.steps[:number]):
            yield from _of_step(task.task_name, step)
        elif known.is_skipped and known.finished_at:
            why = _why_skipped(reading.mapping(step, "terminated"))
            yield Moment(
                known.finished_at, "not started", f"{task.task_name}/{known.name}: skipped: {why}"
            )
    if task.completed_at:
        reason = succeeded_condition(raw)[1]
        yield Moment(task.completed_at, "task ended", f"{task.task_name}: {reason}")


def _of_step(task: str, step: Raw) -> Iterator[Moment]:
    name = f"{task}/{reading.text(step, 'name')}"
    ended = reading.mapping(step, "terminated")
    started = reading.moment(step, "running", "startedAt")
    if began := started or reading.moment(ended, "startedAt"):
        yield Moment(began, "step started", name)
    if finished := reading.moment(ended, "finishedAt"):
        code = ended.get("exitCode")
        yield Moment(
            finished, "step ended", f"{name}: exit code {code}, {reading.text(ended, 'reason')}"
        )


def _waits(step: Raw, before: Iterable[Step]) -> bool:
    """Whether a container that runs only waits for the steps before it: all start together."""
    are_done = all(one.exit_code == 0 or one.termination in HARMLESS_STEPS for one in before)
    return "running" in step and not are_done


def _why_skipped(ended: Raw) -> str:
    return "an earlier step failed" if ended.get("exitCode") else "its condition was not met"


def _of_end(execution: Execution) -> Iterator[Moment]:
    """The end of a run; a skip ends with its decision, which is in the timeline already."""
    if execution.completed_at and execution.phase in (Phase.COMPLETED, Phase.FAILED):
        status = reading.mapping(execution.raw, "status")
        lasted = reading.text(status, "duration")
        reason = reading.text(status, "failureDetails", "reason")
        parts = [reason, f"after {lasted}" if lasted else ""]
        yield Moment(execution.completed_at, str(execution.phase), ", ".join(filter(None, parts)))


def _run_of(execution: Execution) -> str:
    return "/".join(filter(None, (execution.run_namespace, execution.run_name))) or "a run"


def steps_with_logs(task_runs: Iterable[Raw], task: str = "", step: str = "") -> list[StepLog]:
    """The steps that have started; attempts of tasks are ordered by their start.

    Args:
        task_runs: of one run, in any order.
        task: only steps of this task; empty for all.
        step: only steps of this name; empty for all.
    """
    found = []
    attempts = [attempt for raw in task_runs for attempt in attempts_of(raw)]
    for raw in sorted(attempts, key=_started_at):
        parsed = parse_task_run(raw)
        found += [
            StepLog(parsed.task_name, item.name, parsed.pod_name, item.container)
            for item in parsed.steps
            if parsed.pod_name
            and item.has_started
            and task in ("", parsed.task_name)
            and step in ("", item.name)
        ]
    return found


def _started_at(raw: Raw) -> tuple[str, str]:
    started = reading.text(raw, "status", "startTime")
    return started, reading.text(raw, "metadata", "name")
