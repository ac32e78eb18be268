"""Looks at runs that are silent, as rarely as serves: see core.silence."""

from collections.abc import Sequence

from workflowexecution.api.reading import Raw
from workflowexecution.cache.memory import ExecutionMemory, RunMemory
from workflowexecution.client.cluster import Cluster
from workflowexecution.core.facts.leftovers import parse_pod, with_pods
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun, parse_task_run
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
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock


class SilentRuns:
    """Finds out what a run waits for; that it cannot is no reason not to report the rest."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock

    async def look(self, memory: ExecutionMemory, of_run: RunMemory, run: Run) -> float | None:
        """Note in both memories what an active run waits for, where it is time to look.

        Returns: seconds after which to look again, None for: when the run changes.
        """
        now, told = self._clock.monotonic(), (run.reason, run.message)
        if memory.told != told:
            memory.told, memory.looks, memory.waits_for = told, 0, ""
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
        """What a run that has failed had waited for, as far as that is known."""
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
        found = await self._cluster.list_pod_warnings(run.namespace, pod)
        return of_preparing(found, run.created_at)
