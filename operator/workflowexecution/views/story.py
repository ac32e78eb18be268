"""The timeline of one execution."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.decoding import succeeded_condition
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import attempts_of, parse_task_run
from workflowexecution.views.executions import blocker_of


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of a timeline; `at` is aware UTC, in whole seconds."""

    at: datetime
    what: str
    detail: str = ""


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
    for known, step in zip(task.steps, reading.mappings(status, "steps"), strict=True):
        # For a step that never started, Tekton writes an end and a wrong start.
        if known.has_started:
            yield from _of_step(task.task_name, step)
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
