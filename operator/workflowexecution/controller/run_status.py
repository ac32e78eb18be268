"""The run status reporter: decides what the status of an execution reports of its run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from workflowexecution.api.reading import Raw
from workflowexecution.api.status import Phase
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.cache.memory import ExecutionMemory, RunMemory
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.context import DECIDE_AGAIN, Context, Result
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.core.diagnosis.culprit import culprit_of, lost_its_pod
from workflowexecution.core.diagnosis.diagnose import diagnose, with_canceller
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers, with_pods
from workflowexecution.core.facts.pod import parse_pod, pod_end_in
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.facts.taskrun import TaskRun, count_ended, parse_task_run
from workflowexecution.core.silence import (
    SILENT_AFTER,
    Silence,
    last_warning,
    look_interval,
    may_have_waited,
    of_preparing,
    silence_of,
    unprepared_pod,
    waiting_tasks,
    waits_for_resolver,
    was_unprepared,
    words_of_node,
)
from workflowexecution.core.status.outcome import (
    Outcome,
    outcome_of_ending,
    outcome_of_progress,
    outcome_of_run,
    outcome_of_stopping,
    tekton_delay,
)
from workflowexecution.kube import errors


class SilentRuns:
    """Finds out why a silent run waits; if this fails, everything else is still reported."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def look(
        self, memory: ExecutionMemory, of_run: RunMemory, run: Run, *, now: float
    ) -> float | None:
        """Note in both memories why an active run waits, if it is time to look.

        ``now`` is of the monotonic clock, in seconds.

        Returns: seconds until the next look; None where a change of the run starts it.
        """
        condition = (run.reason, run.message)
        if memory.condition != condition:
            memory.condition, memory.looks, memory.waits_for = condition, 0, ""
            memory.look_at = now + SILENT_AFTER.total_seconds()
        if memory.look_at is None or run.started_at is None or run.is_cancelled:
            return None
        if now < memory.look_at:
            return memory.look_at - now
        try:
            found = await self._silence_of(run, of_run)
        except errors.ApiError:
            found = Silence(memory.waits_for)
        interval = look_interval(memory.looks).total_seconds()
        memory.waits_for, memory.looks = found.waits_for, memory.looks + 1
        memory.look_at = None if found.is_at_work else now + interval
        return None if found.is_at_work else interval

    async def last_words(self, memory: ExecutionMemory, run: Run, tasks: list[TaskRun]) -> str:
        """The reason why a failed run had waited, if it is known."""
        if said := waits_for_resolver(run):
            return said
        try:
            return await self._warned_of(run, tasks) or memory.waits_for
        except errors.ApiError:
            return memory.waits_for

    async def _warned_of(self, run: Run, tasks: list[TaskRun]) -> str:
        if task := was_unprepared(tasks):
            return words_of_node(task, await self._pod_warnings(run, task.pod_name))
        if may_have_waited(run, tasks):
            return last_warning(await self._cluster.list_warnings(run))
        return ""

    async def _silence_of(self, run: Run, of_run: RunMemory) -> Silence:
        if said := waits_for_resolver(run):
            return Silence(said)
        found = await self._cluster.list_task_runs(run.namespace, [run.name])
        tasks = [parse_task_run(raw) for raw in found]
        waiting, is_active = waiting_tasks(tasks), any(task.is_active for task in tasks)
        may_wait = waiting or any(task.is_active and task.has_sidecars for task in tasks)
        pods = await self._cluster.list_pods(run.namespace, [run.name]) if may_wait else []
        of_run.note_look(with_pods(tasks, map(parse_pod, pods)))
        if pod := unprepared_pod(waiting, pods):
            warnings = await self._pod_warnings(run, pod)
        else:
            warnings = [] if is_active else await self._cluster.list_warnings(run)
        return silence_of(run, tasks, pods, warnings)

    async def _pod_warnings(self, run: Run, pod: str) -> Sequence[Raw]:
        found = await self._cluster.list_pod_events(run.namespace, pod)
        return of_preparing(found, run.created_at)


class RunStatusReporter:
    """Turns the state of a run into an outcome for the status of its execution."""

    def __init__(self, context: Context, reader: LiveReads, silent_runs: SilentRuns) -> None:
        self._context = context
        self._reader = reader
        self._silent_runs = silent_runs

    async def report(self, execution: Execution, run: Run) -> Result:
        """Decide what to report of a run.

        Raises: ApiError where there is no answer.
        """
        is_watched = run.namespace == self._context.policy.template.namespace
        if not is_watched and not run.is_gone and not self._reader.is_fresh(run.key):
            await self._reader.read_run(run.key)
            return DECIDE_AGAIN
        match run.state:
            case RunState.ACTIVE:
                report = await self._progress(execution, run, is_watched=is_watched)
            case RunState.STOPPING:
                report = self._stopping(run)
            case RunState.FINISHED:
                return Result(await self._outcome(execution, run))
        if is_watched:
            return report
        poll = self._context.policy.progress_interval.total_seconds()
        return Result(report.outcome, min(poll, report.requeue_after or poll))

    def _stopping(self, run: Run) -> Result:
        """Report nothing until it is known why the target is still held."""
        why_held = self._context.memory.run(run.key).why_held
        return Result(outcome_of_stopping(run, why_held) if why_held else None)

    async def _progress(self, execution: Execution, run: Run, *, is_watched: bool) -> Result:
        """Report the start at once, and progress at a limited rate."""
        now, monotonic = self._context.clock.now(), self._context.clock.monotonic()
        memory = self._context.memory.execution(execution.uid)
        delay = tekton_delay(run, grace=self._context.policy.deadline_grace, now=now)
        if execution.phase is Phase.RUNNING and memory.progress_at is not None:
            interval = self._context.policy.progress_interval.total_seconds()
            due_in = memory.progress_at + interval - monotonic
            if due_in > 0:
                return Result(requeue_after=due_in)
        memory.progress_at = monotonic
        again = [(delay.until - now).total_seconds()] if delay.until else []
        of_run = self._context.memory.run(run.key)
        if of_run.ending:
            return Result(outcome_of_ending(run, of_run.ending), min(again, default=None))
        # A namespace without a watch shows only leftovers; a queued run has nothing to look at.
        is_seen, look = is_watched and not run.is_queued, self._silent_runs.look
        look_in = await look(memory, of_run, run, now=monotonic) if is_seen else None
        again += [] if look_in is None else [look_in]
        outcome = outcome_of_progress(run, delay.complaint, memory.waits_for)
        return Result(outcome, min(again, default=None))

    async def _outcome(self, execution: Execution, run: Run) -> Outcome:
        if run.succeeded == "True":
            return outcome_of_run(run, None)
        memory = self._context.memory.run(run.key)
        if memory.leftovers is None or memory.leftovers.is_active:
            # Others have found that it has stopped, so the last read of its leftovers is too old.
            await self._reader.read_leftovers(run)
        of_execution = self._context.memory.execution(execution.uid)
        now = self._context.clock.now()
        failure = await failure_of(
            self._context.cluster, execution, run, of_execution, memory, now=now
        )
        ended = max(run.completed_tasks, count_ended(memory.children.values()))
        return outcome_of_run(replace(run, completed_tasks=ended), failure)


async def failure_of(
    cluster: Cluster,
    execution: Execution,
    run: Run,
    of_execution: ExecutionMemory,
    of_run: RunMemory,
    *,
    now: datetime,
) -> FailureDetails:
    """Find out why a run failed; no part of it executes any more.

    Args:
        cluster: for Events, which show why it waited or lost a pod.
        execution: that the run was made for.
        run: its condition is not "True".
        of_execution: what has been seen of its waits.
        of_run: with leftovers that were read after its end.
        now: aware UTC.
    """
    left, children = of_run.leftovers or Leftovers(), list(of_run.children.values())
    culprit = culprit_of(children)
    if culprit is not None and lost_its_pod(culprit, left.pods_with_logs):
        children[children.index(culprit)] = await _with_end_of_pod(cluster, run, culprit)
    diagnosis = diagnose(
        run,
        children,
        complaint=of_run.complaint,
        waited_for=await SilentRuns(cluster).last_words(of_execution, run, children),
        pods=left.pods_with_logs,
        has_started=left.has_pods_that_started or bool(run.has_started),
    )
    return details_of(
        with_canceller(run, diagnosis),
        execution,
        task_names=run.task_names,
        started_at=run.started_at or run.created_at,
        failed_at=run.ended_at(now),
    )


async def _with_end_of_pod(cluster: Cluster, run: Run, task: TaskRun) -> TaskRun:
    """A failed task, with the end of its pod from Events, which outlive the pod."""
    try:
        events = await cluster.list_pod_events(run.namespace, task.pod_name)
    except errors.ApiError:
        return task
    return replace(task, pod_end=pod_end_in(events, run.created_at))
