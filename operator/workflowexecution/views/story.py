"""The timeline of one execution."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.core.diagnosis.tables import HARMLESS_STEPS
from workflowexecution.core.facts.decoding import succeeded_condition
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, Release
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.step import Step
from workflowexecution.core.facts.taskrun import attempts_of, parse_task_run
from workflowexecution.core.text import one_line
from workflowexecution.views.executions import CANCELLED, blocker_of, was_cancelled

# The longest time between creation and decision of an execution that nobody has held.
_PROMPT: Final = timedelta(seconds=10)
# The time of a release is an estimate by the command, that of a decision one by the operator.
_CLOCKS: Final = timedelta(seconds=2)
# The note of `kubectl wfe clear`; others may write an annotation of 256 KiB.
_CLEARED: Final = re.compile(r"(?P<who>.+?) at (?P<at>[0-9-]{10}T[0-9:]{8}Z): (?P<why>.*)")
_NOTE_MAX: Final = 1400


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of a timeline; `at` is aware UTC, in whole seconds."""

    at: datetime
    what: str
    detail: str = ""


def moments_of(
    execution: Execution,
    run: Run | None,
    task_runs: Iterable[Raw],
    holds: Iterable[Hold] = (),
    *,
    releases: Iterable[Release] = (),
    scheduled: Iterable[Raw] = (),
) -> list[Moment]:
    """The timeline of an execution, in order.

    Args:
        execution: as it is now.
        run: None where there is none, or it cannot be read.
        task_runs: of that run, in any order.
        holds: all that can be read, in any order.
        releases: of other holds, which are deleted; all that can be read, in any order.
        scheduled: Events about pods of its namespace that were put on a node, in any order.
    """
    task_runs = list(task_runs)
    moments = [*_of_creation(execution), *_of_holds(execution, holds)]
    moments += chain.from_iterable(_of_release(execution, release) for release in releases)
    moments += _of_decision(execution)
    if run and run.started_at:
        moments.append(Moment(run.started_at, "started", "Tekton took up the run"))
    if run and run.cancellation:
        moments.append(Moment(run.cancellation.at, "cancelled", run.cancellation.by_whom))
    for attempt in chain.from_iterable(map(attempts_of, task_runs)):
        moments += _of_task_run(attempt)
    moments += _of_pods_made_again(task_runs, scheduled)
    if run and run.completed_at:
        moments.append(Moment(run.completed_at, "run ended", run.reason))
    moments += _of_end(execution)
    moments += _of_clearing(execution)
    # The sort is stable: moments of the same second stay in the order of cause and effect above.
    return sorted(moments, key=lambda moment: moment.at)


def may_have_been_held(execution: Execution) -> bool:
    """Whether it has waited for its decision, so that a hold may have been the cause."""
    decided = _decided_at(execution)
    created = execution.created_at
    return decided is None or created is None or decided - created >= _PROMPT


def _decided_at(execution: Execution) -> datetime | None:
    """The time at which it was launched, skipped or refused; None where it waits."""
    skipped = reading.moment(execution.raw, "status", "skipDetails", "skippedAt")
    return execution.started_at or skipped or execution.completed_at


def _of_holds(execution: Execution, holds: Iterable[Hold]) -> Iterator[Moment]:
    """The holds that applied to it between its creation and its decision."""
    created, decided = execution.created_at, _decided_at(execution)
    for hold in holds:
        is_meant = hold.concerns(execution.target, execution.workflow_id, execution.namespace)
        if created is None or hold.since is None or hold.problem or not is_meant:
            continue
        began = max(created, hold.since)
        if hold.is_over(began) or (decided and began >= decided):
            continue
        which = f"WorkflowHold {hold.namespace}/{hold.name}"
        yield Moment(began, "held", f"by {hold.by}: {one_line(hold.reason)} ({which})")
        if hold.until and decided and hold.is_over(decided):
            yield Moment(hold.until, "hold expired", which)


def _of_release(execution: Execution, release: Release) -> Iterator[Moment]:
    """A hold that applied to it, and its release, unless that came after its decision."""
    decided = _decided_at(execution) or release.at
    held = list(_of_holds(execution, [release.hold]))
    if not held or release.at < held[0].at or release.at > decided + _CLOCKS:
        return
    yield held[0]
    if release.hold.is_over(release.at):
        yield from held[1:]
    else:
        which = f"WorkflowHold {release.hold.namespace}/{release.hold.name}"
        yield Moment(min(release.at, decided), "released", f"by {release.by} ({which})")


def _of_clearing(execution: Execution) -> Iterator[Moment]:
    """The note of ``kubectl wfe clear``; one in another form has no time, and is left out."""
    note = reading.text(execution.raw, "metadata", "annotations", identity.CLEAR_ANNOTATION)
    match = _CLEARED.fullmatch(one_line(note[:_NOTE_MAX]))
    at = reading.moment(match.groupdict(), "at") if match else None
    if match and at:
        yield Moment(at, "cleared", f"by {match['who']}: {match['why']}")


def _of_creation(execution: Execution) -> Iterator[Moment]:
    if created := reading.moment(execution.raw, "metadata", "creationTimestamp"):
        what = f"workflow {execution.workflow_id} on {execution.target}"
        yield Moment(created, "created", what)


def _of_decision(execution: Execution) -> Iterator[Moment]:
    meta, status = (
        reading.mapping(execution.raw, "metadata"),
        reading.mapping(execution.raw, "status"),
    )
    if execution.started_at:
        yield Moment(execution.started_at, "decided", f"launched as {_run_of(execution)}")
    skip = reading.mapping(status, "skipDetails")
    if skipped := reading.moment(skip, "skippedAt"):
        who = f", because of {blocker_of(execution)}" if blocker_of(execution) else ""
        yield Moment(skipped, "decided", f"skipped: {reading.text(skip, 'reason')}{who}")
    if deleted := reading.moment(meta, "deletionTimestamp"):
        yield Moment(deleted, "deleted", "its run is cancelled" if execution.run_name else "")


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


def _of_pods_made_again(task_runs: Iterable[Raw], scheduled: Iterable[Raw]) -> Iterator[Moment]:
    """The pods that took the place of one that was gone before its task had ended.

    Tekton gives them the same name, and keeps of the steps only those of the last pod.
    """
    attempts = map(parse_task_run, chain.from_iterable(map(attempts_of, task_runs)))
    tasks = {attempt.pod_name: attempt.task_name for attempt in attempts}
    first_seen: dict[tuple[str, str], datetime] = {}
    for event in scheduled:
        pod, uid = reading.texts(event, ("involvedObject", "name"), ("involvedObject", "uid"))
        at = reading.moment(event, "metadata", "creationTimestamp")
        if at and pod in tasks:
            first_seen[pod, uid] = min(at, first_seen.get((pod, uid), at))
    for (pod, _), at in first_seen.items():
        if any(name == pod and before < at for (name, _), before in first_seen.items()):
            what = (
                f"{tasks[pod]}: its pod was gone; its steps begin from the start, and may run twice"
            )
            yield Moment(at, "task started again", what)


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
        reason = CANCELLED if was_cancelled(execution) else reason
        parts = [reason, f"after {lasted}" if lasted else ""]
        yield Moment(execution.completed_at, str(execution.phase), ", ".join(filter(None, parts)))


def _run_of(execution: Execution) -> str:
    return "/".join(filter(None, (execution.run_namespace, execution.run_name))) or "a run"
