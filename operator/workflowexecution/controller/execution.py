"""One pass over one execution: facts, a verdict, its effect, at most one status write.

Level-triggered: a restart, a relist, a repeated event and a retry all take this same way.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from structlog.contextvars import bound_contextvars

from workflowexecution.api import validation
from workflowexecution.api.status import Phase
from workflowexecution.cache.memory import Memory
from workflowexecution.cache.policy import Policy
from workflowexecution.cache.store import Store
from workflowexecution.controller.actions import Actions
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.result import NewFacts, Result
from workflowexecution.controller.status_writer import StatusWriter
from workflowexecution.controller.target_locks import TargetLocks
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.core import guards, names, pipelinerun
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.snapshot import Snapshot
from workflowexecution.core.status.outcome import Outcome, outcome_of_wait
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock

# Each round takes in one new fact, and few facts are ever in dispute; more than this is a loop.
_ROUNDS: Final = 8
# How soon an execution is looked at again that waits until what was missed is known.
_CATCH_UP_S: Final = 0.5


async def _claim_nothing(_: str) -> bool:
    return True


class ExecutionReconciler:
    """Brings one execution a step further."""

    def __init__(
        self,
        store: Store,
        memory: Memory,
        reader: LiveReads,
        effects: Actions,
        writer: StatusWriter,
        policy: Policy,
        clock: Clock,
        runs: WorkQueue[RunKey],
        *,
        is_current: Callable[[], bool],
        holds: Callable[[], Sequence[Hold]] = tuple,
        claim: Callable[[str], Awaitable[bool]] = _claim_nothing,
    ) -> None:
        self._store = store
        self._memory = memory
        self._reader = reader
        self._effects = effects
        self._writer = writer
        self._policy = policy
        self._clock = clock
        self._runs = runs
        self._is_current = is_current
        self._holds = holds
        self._claim = claim
        self._locks = TargetLocks()

    async def reconcile(self, uid: str) -> float | None:
        """Do one pass.

        Returns: seconds after which to come back unasked, or None.
        Raises: ApiError where the cluster gave no answer; the pass is then repeated.
        """
        await self._writer.settle_unconfirmed(uid)
        execution = self._store.execution(uid)
        if execution is None:
            self._memory.drop_execution(uid)
            return None
        with bound_contextvars(
            execution=f"{execution.namespace}/{execution.name}",
            execution_uid=uid,
            target=execution.target,
            run=execution.run_name or "",
        ):
            return await self._pass(execution)

    async def _pass(self, execution: Execution) -> float | None:
        problem: errors.ApiError | None = None
        try:
            report = await self._reach_report(execution)
        except errors.ApiError as error:
            problem, report = error, Result()
            await self._look_again(execution, error)
            if current := self._store.execution(execution.uid):
                report = _waiting(current, error)
        current = self._store.execution(execution.uid)
        if current is not None and report.outcome is not None:
            await self._write(current, self._counted(current, report.outcome))
        if problem is not None and self._store.execution(execution.uid) is not None:
            raise problem
        return report.again_after

    async def _reach_report(self, execution: Execution) -> Result:
        """Decide and act until there is something to report, one execution of a target at a time.

        What is final was then confirmed, and a free target has been taken.
        """
        async with self._locks.hold(names.slot_key(execution.target)):
            for _ in range(_ROUNDS):
                if not self._is_current():
                    # A watch has lost its place: nothing is decided on what it may have missed.
                    return Result(again_after=_CATCH_UP_S)
                current = self._store.execution(execution.uid)
                if current is None or not await self._is_ours(current):
                    return Result()
                effect = await self._effects.carry_out(current, decide(self._snapshot(current)))
                if not isinstance(effect, NewFacts):
                    return effect
        raise errors.UnavailableError("the facts changed faster than they could be decided on")

    async def _is_ours(self, execution: Execution) -> bool:
        """Whether this installation serves an execution; its namespace is claimed for that."""
        try:
            is_ours = await self._claim(execution.namespace)
        except errors.ApiError:
            # What runs is followed, also where nothing can be claimed: its namespace may be going.
            if execution.run_name is None:
                raise
            is_ours = not self._store.is_left(execution.namespace)
        if not is_ours:
            self._store.leave_execution(execution)
        return is_ours

    def _snapshot(self, execution: Execution) -> Snapshot:
        return self._store.target_facts(execution).snapshot(
            execution,
            problem=self._problem_of(execution),
            cooldown=self._policy.cooldown,
            deadline_grace=self._policy.deadline_grace,
            holds=self._holds(),
            guards=self._policy.guards,
            now=self._clock.now(),
        )

    def _problem_of(self, execution: Execution) -> str:
        """What keeps an execution from being run; one that has its run is asked nothing."""
        if self._store.runs_of(execution):
            return ""
        if execution.problem:
            return execution.problem
        spec, problem = validation.parse_spec(execution.raw)
        return pipelinerun.problem_of(spec, self._policy.template) if spec else problem

    def _counted(self, execution: Execution, outcome: Outcome) -> Outcome:
        policy, before = self._policy, self._store.endings.before(execution)
        return guards.counted(outcome, before, policy.guards, policy.cooldown, self._clock.now())

    async def _write(self, execution: Execution, outcome: Outcome) -> None:
        own_runs = self._store.runs_of(execution)
        try:
            await self._writer.write(execution, outcome)
        except (errors.ConflictError, errors.NotFoundError) as error:
            await self._look_again(execution, error)
            if self._store.execution(execution.uid) is not None:
                raise
        if self._store.execution(execution.uid) is None:
            self._close(execution, own_runs)

    async def _look_again(self, execution: Execution, error: errors.ApiError) -> None:
        """See an execution as it is, where an answer says that it has changed or is gone."""
        if isinstance(error, errors.ConflictError | errors.NotFoundError):
            await self._reader.read_execution(execution.namespace, execution.name, execution.uid)

    def _close(self, execution: Execution, own_runs: list[Run]) -> None:
        """Drop what was remembered of an execution that is settled; its run may not be."""
        self._memory.drop_execution(execution.uid)
        for run in own_runs:
            if run.state is RunState.FINISHED:
                self._memory.drop_run(run.key)
            else:
                self._runs.add(run.key)


def _waiting(execution: Execution, error: errors.ApiError) -> Result:
    """What an execution that could not be decided on is waiting for.

    Of one that runs this is told only where a person has to act: silence passes by itself.
    """
    if execution.is_deleting or execution.has_ended or isinstance(error, errors.ConflictError):
        return Result()
    needs_a_person = isinstance(
        error, errors.ForbiddenError | errors.NotFoundError | errors.RejectedError
    )
    if execution.phase is Phase.RUNNING and not needs_a_person:
        return Result()
    message = f"the cluster does not answer as needed: {error}"
    return Result(outcome_of_wait(execution.phase or Phase.PENDING, message))
