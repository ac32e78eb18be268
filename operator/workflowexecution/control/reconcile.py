"""One pass over one execution: a verdict, the one effect it asks for, at most one status write.

Level-triggered: a restart, a relist, a repeated event and a retry all take this same way.
"""

from datetime import datetime, timedelta
from typing import Final

from structlog.contextvars import bound_contextvars

from workflowexecution.api.status import Phase
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ending import STOPPING_CHECK_S, Ender
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.policy import Policy
from workflowexecution.control.settle import Settler
from workflowexecution.control.status_writer import StatusWriter
from workflowexecution.core.deadlines import patience_with
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.outcome import (
    outcome_of_progress,
    outcome_of_run,
    outcome_of_skip,
    outcome_of_stopping,
    outcome_of_wait,
)
from workflowexecution.core.verdict import Mirror, Refuse, Skip, Verdict
from workflowexecution.kube import errors

# A conflict is over once the execution has been read again; a lasting one must not spin.
_CONFLICT_PAUSE_S: Final = 0.05


class Reconciler:
    """Brings one execution a step further.

    Remembers when progress was last written; forgetting that, as a restart does, costs one write.
    """

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        witness: LiveReader,
        settler: Settler,
        writer: StatusWriter,
        policy: Policy,
    ) -> None:
        self._ender = Ender(cluster, ledger, witness, writer, policy)
        self._ledger = ledger
        self._witness = witness
        self._settler = settler
        self._writer = writer
        self._policy = policy
        self._progress_at: dict[str, datetime] = {}

    async def reconcile(self, uid: str) -> float | None:
        """Do one pass.

        Returns: seconds after which to come back unasked, or None.
        Raises: ApiError where the cluster gave no answer; the pass is then repeated.
        """
        execution = self._ledger.execution(uid)
        if execution is None:
            self._progress_at.pop(uid, None)
            self._ender.forget(uid)
            return None
        with bound_contextvars(
            execution=f"{execution.namespace}/{execution.name}",
            execution_uid=uid,
            target=execution.target,
            run=execution.run_name or "",
        ):
            return await self._pass(execution)

    async def _pass(self, execution: Execution) -> float | None:
        try:
            return await self._act(execution.uid)
        except errors.ConflictError:
            # Somebody changed the execution since it was seen: see it as it is and decide again.
            await self._witness.look_at_execution(
                execution.namespace, execution.name, execution.uid
            )
            return _CONFLICT_PAUSE_S
        except errors.NotFoundError:
            # The execution, its run or their namespace is gone: learn which, then decide again.
            await self._witness.look_at_execution(
                execution.namespace, execution.name, execution.uid
            )
            if execution.run_name:
                await self._witness.look(execution.run_name)
            raise

    async def _act(self, uid: str) -> float | None:
        try:
            verdict = await self._settler.settle(uid)
        except errors.ApiError as error:
            await self._wait(uid, error)
            raise
        execution = self._ledger.execution(uid)
        return None if execution is None else await self._carry_out(execution, verdict)

    async def _carry_out(self, execution: Execution, verdict: Verdict) -> float | None:
        match verdict:
            case Mirror(run):
                return await self._mirror(execution, run)
            case Skip():
                outcome = outcome_of_skip(verdict, self._policy.clock())
                await self._writer.write(execution, outcome)
            case Refuse(problem, reason):
                await self._writer.fail(execution, Diagnosis(reason=reason, message=problem))
            case _:
                return await self._ender.end(execution, verdict)
        return None

    async def _wait(self, uid: str, error: errors.ApiError) -> None:
        """Say in the status what an execution that could not be decided on is waiting for.

        Of one that runs this is told only where a person has to act: silence passes by itself.
        """
        execution = self._ledger.execution(uid)
        if execution is None or execution.is_deleting or isinstance(error, errors.ConflictError):
            return
        is_refused = isinstance(error, errors.ForbiddenError | errors.NotFoundError)
        if execution.phase is None or (execution.phase is Phase.RUNNING and is_refused):
            message = f"the cluster does not answer as needed: {error}"
            outcome = outcome_of_wait(execution.phase or Phase.PENDING, message)
            await self._writer.write(execution, outcome)

    async def _mirror(self, execution: Execution, run: Run) -> float | None:
        if not run.has_ended:
            return await self._mirror_progress(execution, run)
        failure = None
        if run.succeeded == "False":
            remains = await self._witness.remains(run.name)
            if remains.is_active:
                await self._writer.write(execution, outcome_of_stopping(run))
                return STOPPING_CHECK_S
            failure = details_of(
                diagnose(run, remains.task_runs),
                execution,
                task_names=run.task_names,
                started_at=run.started_at or run.created_at,
                failed_at=run.completed_at or self._policy.clock(),
            )
        await self._writer.write(execution, outcome_of_run(run, failure))
        self._progress_at.pop(execution.uid, None)
        return None

    async def _mirror_progress(self, execution: Execution, run: Run) -> float | None:
        """Write how a run goes, at once when it starts and at a bounded rate from then on."""
        now = self._policy.clock()
        patience = patience_with(run, grace=self._policy.deadline_grace, now=now)
        written_at = self._progress_at.get(execution.uid)
        if execution.phase is Phase.RUNNING and written_at is not None:
            due_in = written_at + self._policy.progress_interval - now
            if due_in > timedelta(0):
                return due_in.total_seconds()
        await self._writer.write(execution, outcome_of_progress(run, patience.complaint))
        self._progress_at[execution.uid] = now
        return (patience.until - now).total_seconds() if patience.until else None
