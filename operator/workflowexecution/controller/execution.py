"""The reconciler of executions: gather, decide, act, write.

It is level-triggered: a restart, a relist, a repeated event and a retry run the same pass.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from structlog.contextvars import bound_contextvars

from workflowexecution.api.spec import WorkflowExecutionSpec, parse_spec
from workflowexecution.api.status import Phase
from workflowexecution.cache.memory import Gaps
from workflowexecution.controller.actions import Actions
from workflowexecution.controller.context import Context, Result
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.status_writer import StatusWriter
from workflowexecution.core import pipelinerun
from workflowexecution.core.decision import Snapshot, decide
from workflowexecution.core.facts.execution import Execution, Request
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run, RunState
from workflowexecution.core.status.outcome import outcome_of_wait
from workflowexecution.kube import errors

# Each round adds one new fact, and a decision depends on few facts: more rounds are a loop.
_ROUNDS: Final = 8
# Time until the next pass of an execution that waits for a relist.
_CATCH_UP_S: Final = 0.5


class ExecutionReconciler:
    """Reconciles one execution: gather, decide, act, write; the status writer records."""

    def __init__(
        self,
        context: Context,
        gaps: Gaps,
        reader: LiveReads,
        actions: Actions,
        writer: StatusWriter,
        *,
        holds: Callable[[], Sequence[Hold]],
        claim: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._context = context
        self._gaps = gaps
        self._reader = reader
        self._actions = actions
        self._writer = writer
        self._holds = holds
        self._claim = claim
        self._locks = TargetLocks()

    async def reconcile(self, uid: str) -> float | None:
        """Run one pass.

        Returns: seconds until the next pass, or None.
        Raises: ApiError where there was no answer; the pass is then repeated.
        """
        await self._writer.settle_unconfirmed(uid)
        execution = self._context.store.execution(uid)
        if execution is None:
            self._context.memory.drop_execution(uid)
            return None
        with bound_contextvars(
            execution=f"{execution.namespace}/{execution.name}",
            execution_uid=uid,
            request=_name_of(execution.request),
            target=execution.target,
            run=execution.run_name or "",
        ):
            try:
                result = await self._decide_and_act(execution)
            except errors.ApiError as error:
                await self._write(execution, await self._result_of(execution, error))
                if self._context.store.execution(uid) is not None:
                    raise
                return None
            await self._write(execution, result)
            return result.requeue_after

    async def _decide_and_act(self, execution: Execution) -> Result:
        """Decide and act until there is a result, for one execution of a target at a time.

        By then a live read has confirmed a final result, and a launch has taken the target.
        """
        async with self._locks.hold(execution.target_key):
            for _ in range(_ROUNDS):
                if self._gaps.are_open:
                    return Result(requeue_after=_CATCH_UP_S)
                current = self._context.store.execution(execution.uid)
                if current is None or not await self._is_ours(current):
                    return Result()
                verdict = decide(self._gather(current))
                result = await self._actions.carry_out(current, verdict)
                if not result.has_new_facts:
                    return result
        raise errors.UnavailableError("the facts changed faster than they could be decided on")

    def _gather(self, execution: Execution) -> Snapshot:
        spec, problem = self._spec_of(execution)
        return self._context.store.snapshot(
            execution,
            spec=spec,
            problem=problem,
            cooldown=self._context.policy.cooldown,
            deadline_grace=self._context.policy.deadline_grace,
            holds=self._holds(),
            guards=self._context.policy.guards,
            now=self._context.clock.now(),
        )

    async def _write(self, execution: Execution, result: Result) -> None:
        """Write the result, if there is one, into the status of the cached execution."""
        current = self._context.store.execution(execution.uid)
        if current is None or result.outcome is None:
            return
        own_runs = self._context.store.runs_of(current)
        try:
            await self._writer.write(current, result.outcome)
        except (errors.ConflictError, errors.NotFoundError) as error:
            await self._look_again(current, error)
            if self._context.store.execution(current.uid) is not None:
                raise
        if self._context.store.execution(current.uid) is None:
            self._close(current, own_runs)

    async def _is_ours(self, execution: Execution) -> bool:
        """Whether this installation serves an execution; claims its namespace if needed."""
        try:
            is_ours = await self._claim(execution.namespace)
        except errors.ApiError:
            # A run is reported even without a claim: its namespace may be terminating.
            if execution.run_name is None:
                raise
            is_ours = not self._context.store.is_left(execution.namespace)
        if not is_ours:
            self._context.store.leave_execution(execution)
        return is_ours

    def _spec_of(self, execution: Execution) -> tuple[WorkflowExecutionSpec | None, str]:
        """The spec of the run and the problem with it; both are empty if there already is a run."""
        if self._context.store.runs_of(execution):
            return None, ""
        if execution.problem:
            return None, execution.problem
        spec, problem = parse_spec(execution.raw)
        if spec is not None:
            allowed = self._context.policy.template.allowed_service_accounts
            problem = pipelinerun.problem_of(spec, allowed)
        return spec, problem

    async def _result_of(self, execution: Execution, error: errors.ApiError) -> Result:
        """The result of a pass that ended with an error."""
        await self._look_again(execution, error)
        current = self._context.store.execution(execution.uid)
        return _waiting(current, error) if current else Result()

    async def _look_again(self, execution: Execution, error: errors.ApiError) -> None:
        """Read an execution live if an error shows that it has changed or is gone."""
        if isinstance(error, errors.ConflictError | errors.NotFoundError):
            await self._reader.read_execution(execution.namespace, execution.name, execution.uid)

    def _close(self, execution: Execution, own_runs: list[Run]) -> None:
        """Drop the state of a settled execution, and that of its finished runs."""
        self._context.memory.drop_execution(execution.uid)
        for run in own_runs:
            if run.state is RunState.FINISHED:
                self._context.memory.drop_run(run.key)
            else:
                self._context.runs.add(run.key)


def _name_of(request: Request | None) -> str:
    return f"{request.namespace}/{request.name}" if request else ""


def _waiting(execution: Execution, error: errors.ApiError) -> Result:
    """The outcome of an execution that could not be decided on: it waits, and why.

    With a run, this is reported only if a person has to act: other errors end by themselves.
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


class TargetLocks:
    """Locks by target key; a lock without holder and waiter is removed."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of one target."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield
