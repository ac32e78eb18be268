"""How executions end when not by their run's own end: runs lost, given up, cancelled, let go."""

from typing import Final

from workflowexecution.api import identity
from workflowexecution.api.status import FailureReason
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.policy import Policy
from workflowexecution.control.status_writer import StatusWriter
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.verdict import (
    Cancel,
    Evidence,
    Expire,
    Lost,
    Release,
    Stop,
    Verdict,
    Yield,
)
from workflowexecution.kube import errors
from workflowexecution.observe import events

# TaskRuns and pods are not watched: a run that is stopping is the only time they matter.
STOPPING_CHECK_S: Final = 1.0
# What Tekton says of a run none of whose tasks has begun.
_BEFORE_ANY_TASK: Final = ("Started", "ResolvingPipelineRef", "PipelineRunPending")


class Ender:
    """Ends executions; remembers whose deleted runs were seen at work.

    Forgetting that, as a restart does, has the mirrored status asked instead.
    """

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        witness: LiveReader,
        writer: StatusWriter,
        policy: Policy,
    ) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._witness = witness
        self._writer = writer
        self._policy = policy
        self._lost_in_action: set[str] = set()

    def forget(self, uid: str) -> None:
        """Drop what is remembered of an execution that no longer exists."""
        self._lost_in_action.discard(uid)

    async def end(self, execution: Execution, verdict: Verdict) -> float | None:
        """Carry out a verdict that ends something; seconds after which to come back, or None."""
        match verdict:
            case Yield(run, holder):
                return await self._give_way(execution, run, holder)
            case Stop(run):
                await self._cluster.cancel_run(run)
                note = f"PipelineRun {run.name} is cancelled: its execution has been skipped"
                self._writer.alarm(execution, note)
            case Expire(run):
                await self._expire(execution, run)
            case Lost(run_name):
                return await self._lose(execution, run_name)
            case Cancel(run):
                return await self._cancel(execution, run)
            case Release():
                await self._release(execution)
        return None

    async def _lose(self, execution: Execution, run_name: str) -> float | None:
        """End an execution whose run somebody deleted, once nothing of it executes."""
        remains = await self._witness.remains(run_name)
        if remains.has_started:
            self._lost_in_action.add(execution.uid)
        if remains.is_active:
            return STOPPING_CHECK_S
        namespace = self._policy.template.namespace
        diagnosis = Diagnosis(
            reason=FailureReason.UNKNOWN,
            message=f"PipelineRun {namespace}/{run_name} was deleted by somebody else",
            see=f"kubectl events -n {namespace} --for pipelinerun.tekton.dev/{run_name}",
            has_started=execution.uid in self._lost_in_action or self._had_started(execution),
        )
        self._lost_in_action.discard(execution.uid)
        await self._writer.fail(execution, diagnosis)
        return None

    async def _give_way(self, execution: Execution, run: Run, holder: Evidence) -> float:
        """Cancel a run that is on a target which another run holds, and raise the alarm."""
        note = (
            f"PipelineRun {run.name} is cancelled: {holder.run_name} of WorkflowExecution "
            f"{holder.namespace}/{holder.name} was on target {holder.target} first"
        )
        await self._cluster.cancel_run(run)
        self._writer.alarm(execution, note)
        return STOPPING_CHECK_S

    async def _expire(self, execution: Execution, run: Run) -> None:
        """End an execution whose run Tekton does not end; the run holds its target until then."""
        if not run.is_cancelled:
            await self._cluster.cancel_run(run)
        remains = await self._witness.remains(run.name)
        diagnosis = Diagnosis(
            reason=FailureReason.DEADLINE_EXCEEDED,
            message=(
                f"Tekton has not ended PipelineRun {run.namespace}/{run.name} long after its time "
                "limit; its cancellation was asked for, and the target is held until it has stopped"
            ),
            see=f"kubectl describe pipelinerun -n {run.namespace} {run.name}",
            has_started=remains.has_started,
        )
        await self._writer.fail(execution, diagnosis)

    async def _cancel(self, execution: Execution, run: Run) -> float | None:
        """Stop the run of an execution that is being deleted; delete it where it will not stop."""
        now = self._policy.clock()
        is_overdue = now - (execution.deleted_at or now) > self._policy.cancel_grace
        # Also the way to see a run go that was deleted before it was watched.
        seen = await self._witness.look(run.name) if run.has_ended or is_overdue else run
        try:
            if seen is not None and is_overdue and not seen.is_deleting:
                await self._cluster.delete_run(seen)
            elif seen is not None and not seen.has_ended and not seen.is_cancelled:
                await self._cluster.cancel_run(seen)
        except (errors.NotFoundError, errors.ConflictError):
            # It is gone, or another has its name, and no status may ever have named it.
            await self._witness.look(run.name)
        return STOPPING_CHECK_S

    async def _release(self, execution: Execution) -> None:
        """Let an execution go of which nothing runs."""
        present = (execution.raw or {})["metadata"].get("finalizers") or []
        kept = [name for name in present if name != identity.FINALIZER]
        note = "the execution is deleted and nothing of it runs"
        event = events.build_event(execution, events.DELETED, note, self._policy.clock())
        reply = await self._cluster.patch_finalizers(execution, kept)
        self._ledger.observe_execution(parse_execution(reply))
        self._writer.record(event)

    def _had_started(self, execution: Execution) -> bool:
        """Whether a run that left nothing behind had begun; what nobody knows may have been."""
        at_work = self._ledger.was_lost_at_work(execution.uid)
        if at_work is not None:
            return at_work
        status = (execution.raw or {}).get("status") or {}
        reason = (status.get("pipelineRunStatus") or {}).get("reason")
        return reason not in _BEFORE_ANY_TASK
