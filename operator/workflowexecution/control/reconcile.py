"""One pass over one execution: a verdict, the one effect it asks for, at most one status write.

Level-triggered: a restart, a relist, a repeated event and a retry all take this same way.
"""

from datetime import datetime, timedelta
from typing import Final

from structlog.contextvars import bound_contextvars

from workflowexecution.api import identity
from workflowexecution.api.status import FailureReason, Phase
from workflowexecution.control import errors
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.policy import Policy
from workflowexecution.control.settle import Settler
from workflowexecution.control.witness import Witness
from workflowexecution.control.writer import StatusWriter
from workflowexecution.core.failure import Diagnosis, diagnose
from workflowexecution.core.observation import Execution, Run, parse_execution
from workflowexecution.core.status import (
    outcome_of_failure,
    outcome_of_run,
    outcome_of_skip,
    outcome_of_stopping,
    outcome_of_wait,
)
from workflowexecution.core.verdict import Cancel, Lost, Mirror, Refuse, Release, Skip, Verdict
from workflowexecution.core.wording import details_of
from workflowexecution.observe import events

# TaskRuns and pods are not watched: a run that is stopping is the only time they matter.
_STOPPING_CHECK_S: Final = 1.0


class Reconciler:
    """Brings one execution a step further.

    Remembers when progress was last written, and whose deleted runs were seen at work; forgetting
    that, as a restart does, costs one early write, or the mirrored status is asked instead.
    """

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        witness: Witness,
        settler: Settler,
        writer: StatusWriter,
        policy: Policy,
    ) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._witness = witness
        self._settler = settler
        self._writer = writer
        self._policy = policy
        self._progress_at: dict[str, datetime] = {}
        self._lost_in_action: set[str] = set()

    async def reconcile(self, uid: str) -> float | None:
        """Do one pass.

        Returns: seconds after which to come back unasked, or None.
        Raises: ApiError where the cluster gave no answer; the pass is then repeated.
        """
        execution = self._ledger.execution(uid)
        if execution is None:
            self._progress_at.pop(uid, None)
            self._lost_in_action.discard(uid)
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
            return 0.0
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
                await self._fail(execution, Diagnosis(reason=reason, message=problem))
            case Lost(run_name):
                return await self._lose(execution, run_name)
            case Cancel(run):
                return await self._cancel(execution, run)
            case Release():
                await self._release(execution)
        return None

    async def _wait(self, uid: str, error: errors.ApiError) -> None:
        """Say in the status what an execution that could not be decided on is waiting for."""
        execution = self._ledger.execution(uid)
        waits = execution is not None and execution.phase is None and not execution.is_deleting
        if execution is not None and waits and not isinstance(error, errors.ConflictError):
            outcome = outcome_of_wait("Waiting", f"the cluster does not answer as needed: {error}")
            await self._writer.write(execution, outcome)

    async def _mirror(self, execution: Execution, run: Run) -> float | None:
        if not run.has_ended:
            return await self._mirror_progress(execution, run)
        failure = None
        if run.succeeded == "False":
            remains = await self._witness.remains(run.name)
            if remains.is_active:
                await self._writer.write(execution, outcome_of_stopping(run))
                return _STOPPING_CHECK_S
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
        written_at = self._progress_at.get(execution.uid)
        if execution.phase is Phase.RUNNING and written_at is not None:
            due_in = written_at + self._policy.progress_interval - now
            if due_in > timedelta(0):
                return due_in.total_seconds()
        await self._writer.write(execution, outcome_of_run(run, None))
        self._progress_at[execution.uid] = now
        return None

    async def _lose(self, execution: Execution, run_name: str) -> float | None:
        """End an execution whose run somebody deleted, once nothing of it executes."""
        remains = await self._witness.remains(run_name)
        if remains.has_started:
            self._lost_in_action.add(execution.uid)
        if remains.is_active:
            return _STOPPING_CHECK_S
        namespace = self._policy.template.namespace
        diagnosis = Diagnosis(
            reason=FailureReason.UNKNOWN,
            message=f"PipelineRun {namespace}/{run_name} was deleted by somebody else",
            see=f"kubectl events -n {namespace} --for pipelinerun.tekton.dev/{run_name}",
            has_started=execution.uid in self._lost_in_action
            or self._ledger.was_lost_at_work(execution.uid)
            or _had_started(execution),
        )
        self._lost_in_action.discard(execution.uid)
        await self._fail(execution, diagnosis)
        return None

    async def _fail(self, execution: Execution, diagnosis: Diagnosis) -> None:
        now = self._policy.clock()
        failure = details_of(
            diagnosis, execution, started_at=execution.started_at or now, failed_at=now
        )
        await self._writer.write(execution, outcome_of_failure(failure))

    async def _cancel(self, execution: Execution, run: Run) -> float | None:
        """Stop the run of an execution that is being deleted; delete it where it will not stop."""
        now = self._policy.clock()
        is_overdue = now - (execution.deleted_at or now) > self._policy.cancel_grace
        # Also the way to see a run go that was deleted before it was watched.
        seen = await self._witness.look(run.name) if run.has_ended or is_overdue else run
        if seen is not None and is_overdue and not seen.is_deleting:
            await self._cluster.delete_run(seen)
        elif seen is not None and not seen.has_ended and not seen.is_cancelled:
            await self._cluster.cancel_run(seen)
        return _STOPPING_CHECK_S

    async def _release(self, execution: Execution) -> None:
        present = (execution.raw or {})["metadata"].get("finalizers") or []
        kept = [name for name in present if name != identity.FINALIZER]
        note = "the execution is deleted and nothing of it runs"
        event = events.build_event(execution, events.DELETED, note, self._policy.clock())
        reply = await self._cluster.patch_finalizers(execution, kept)
        self._ledger.observe_execution(parse_execution(reply))
        self._writer.record(event)


def _had_started(execution: Execution) -> bool:
    """Whether a run that left no TaskRuns behind had got as far as running some."""
    status = (execution.raw or {}).get("status") or {}
    reason = (status.get("pipelineRunStatus") or {}).get("reason", "")
    return reason not in ("", "Started", "ResolvingPipelineRef", "PipelineRunPending")
