"""One pass over one run: whether it may go on, and what of it is left once it has ended."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from structlog.contextvars import bound_contextvars

from workflowexecution.control.announcer import Announcer
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.memory import Memory
from workflowexecution.control.policy import Policy
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.core import run_ending
from workflowexecution.core.evidence import Evidence, holder_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey, RunState, parse_run
from workflowexecution.core.run_ending import CancelReason, OwnerState, RunSnapshot
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock
from workflowexecution.observe import events

# An owner, a rival, a cancellation and what is left of the run are each learnt once in a pass.
_ROUNDS: Final = 8


@dataclass(slots=True)
class _JustRead:
    """What this pass has read live."""

    owner: OwnerState | None = None
    leftovers: Leftovers | None = None


@dataclass(frozen=True, slots=True)
class _Done:
    """The pass is over; come back after some time, None for: when something happens."""

    again_after: timedelta | None = None


class RunReconciler:
    """Brings one run a step closer to its end, where it should end."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        memory: Memory,
        reader: LiveReader,
        announcer: Announcer,
        policy: Policy,
        clock: Clock,
        executions: WorkQueue[str],
    ) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._memory = memory
        self._reader = reader
        self._announcer = announcer
        self._policy = policy
        self._clock = clock
        self._executions = executions

    async def reconcile(self, key: RunKey) -> float | None:
        """Do one pass.

        Returns: seconds after which to come back unasked, or None.
        Raises: ApiError where the cluster gave no answer; the pass is then repeated.
        """
        read = _JustRead()
        for _ in range(_ROUNDS):
            run = self._ledger.run(key)
            if run is None:
                self._memory.drop_run(key)
                return None
            with bound_contextvars(run=run.name, target=run.target or run.target_key):
                try:
                    done = await self._round(run, read)
                except errors.ForbiddenError as error:
                    self._tell_what_is_missing(run, error)
                    raise
            if done is not None:
                return done.again_after.total_seconds() if done.again_after else None
        raise errors.UnavailableError("the facts changed faster than they could be decided on")

    async def _round(  # noqa: C901 (one case for each verdict)
        self, run: Run, read: _JustRead
    ) -> _Done | None:
        """Decide once; None where acting on the verdict has brought new facts."""
        verdict = run_ending.decide_run(self._snapshot(run, read))
        match verdict:
            case run_ending.LeaveRun(again_after):
                return _Done(again_after)
            case run_ending.ReadOwner():
                read.owner = await self._read_owner(run)
            case run_ending.CancelRun():
                await self._cancel(run, verdict)
            case run_ending.DeleteRun():
                await self._delete(run)
            case run_ending.ReadLeftovers():
                read.leftovers = await self._read_leftovers(run)
            case run_ending.WaitForLeftovers(again_after):
                return self._hold(run, again_after)
            case run_ending.EndPods():
                return await self._end_pods(run, verdict)
            case run_ending.RunHasStopped():
                self._ledger.mark_stopped(run.key, run.uid, now=self._clock.now())
                self._tell_of_what_is_left_alone(run, read.leftovers)
                self._wake_owner(run)
            case _:
                assert_never(verdict)
        return None

    def _snapshot(self, run: Run, read: _JustRead) -> RunSnapshot:
        memory, now = self._memory.run(run.key), self._clock.monotonic()
        has_ended = run.state is RunState.STOPPING
        if memory.unfinished_since is None or memory.was_ended != has_ended:
            is_ending = has_ended or run.is_cancelled
            memory.unfinished_since, memory.was_ended = (now if is_ending else None), has_ended
        since = now if memory.unfinished_since is None else memory.unfinished_since
        return RunSnapshot(
            run=run,
            owner=self._owner_of(run, read),
            rival=self._rival_of(run),
            leftovers=read.leftovers,
            checks=memory.checks,
            unfinished_for=timedelta(seconds=now - since),
            cancel_grace=self._policy.cancel_grace,
            leftover_grace=self._policy.leftover_grace,
            now=self._clock.now(),
        )

    def _owner_of(self, run: Run, read: _JustRead) -> OwnerState:
        if run.owner is None or not self._serves(run.owner.namespace):
            return OwnerState.FOREIGN
        known = self._ledger.execution(run.owner.uid)
        if known is not None and _state_of(known, run) is OwnerState.ACTIVE:
            return OwnerState.ACTIVE
        return read.owner or OwnerState.UNKNOWN

    def _serves(self, namespace: str) -> bool:
        return self._policy.serves(namespace) and not self._ledger.is_left(namespace)

    async def _read_owner(self, run: Run) -> OwnerState:
        assert run.owner is not None
        owner = run.owner
        seen = await self._reader.read_execution(owner.namespace, owner.name, owner.uid)
        return _state_of(seen, run)

    def _rival_of(self, run: Run) -> Evidence | None:
        """The oldest other run on the target that is still active, where it is older."""
        older = [
            other
            for other in self._ledger.unfinished_on(run.target_key)
            if other.state is RunState.ACTIVE
            and run.target in (other.target, None)
            and (other.created_at, other.name) < (run.created_at, run.name)
        ]
        first = min(older, key=lambda other: (other.created_at, other.name), default=None)
        return holder_of(first, first.target or "") if first else None

    async def _cancel(self, run: Run, verdict: run_ending.CancelRun) -> None:
        rival = verdict.rival
        if rival is not None:
            key = (rival.run_namespace or run.namespace, rival.run_name)
            if not self._reader.is_fresh(key):
                await self._reader.read_run(key)
                return
        try:
            cancelled = parse_run(await self._cluster.cancel_run(run))
        except (errors.NotFoundError, errors.ConflictError):
            # It is gone, or another has its name.
            await self._reader.read_run(run.key)
            return
        except errors.UnavailableError:
            cancelled = await self._reader.read_run(run.key)
            if cancelled is None or not cancelled.is_cancelled:
                raise
        if cancelled is not None:
            self._reader.take_in(cancelled)
        self._tell_of(run, verdict.reason, rival)

    def _tell_of(self, run: Run, reason: CancelReason, rival: Evidence | None) -> None:
        cancelled = f"PipelineRun {run.namespace}/{run.name} is cancelled"
        if rival is not None:
            first = f"{rival.run_name} of WorkflowExecution {rival.namespace}/{rival.name}"
            note = f"{cancelled}: {first} was on target {rival.target} first"
            self._announcer.lock_violated(run, note)
        elif reason is CancelReason.EXECUTION_DELETED:
            note = f"{cancelled}: its WorkflowExecution was deleted"
            self._announcer.about_run(run, events.DELETED, note)
        else:
            note = f"{cancelled}: its WorkflowExecution has ended, or has another run"
            self._announcer.about_run(run, events.RUN_CANCELLED, note, kind="Warning")

    async def _delete(self, run: Run) -> None:
        # It is gone, or another has its name: either way it is read now.
        with suppress(errors.NotFoundError, errors.ConflictError):
            await self._cluster.delete_run(run)
        await self._reader.read_run(run.key)

    async def _read_leftovers(self, run: Run) -> Leftovers:
        if not run.uid:
            # Only a status has told of it so far: it may well be there, and at work.
            run = await self._reader.read_run(run.key) or run
        found = await self._reader.read_leftovers(run)
        memory = self._memory.run(run.key)
        memory.note(found)
        memory.checks += 1
        return found

    def _tell_what_is_missing(self, run: Run, error: errors.ForbiddenError) -> None:
        """Have its execution say what a person has to give before its target can be free."""
        if run.state is RunState.STOPPING:
            waiting_for = f"it is known what is left of it, which cannot be read: {error}"
            self._memory.run(run.key).waiting_for = waiting_for
            self._wake_owner(run)

    def _hold(self, run: Run, again_after: timedelta) -> _Done:
        """Have its execution say what keeps the target held."""
        memory = self._memory.run(run.key)
        left = memory.leftovers.describe() if memory.leftovers else ""
        memory.waiting_for = f"{left} has stopped" if left else ""
        self._wake_owner(run)
        return _Done(again_after)

    async def _end_pods(self, run: Run, verdict: run_ending.EndPods) -> _Done:
        for pod in verdict.pods:
            try:
                await self._cluster.delete_pod(pod)
            except (errors.NotFoundError, errors.ConflictError):
                continue
            self._announcer.pod_deleted(run, pod.name)
        for child in verdict.children:
            with suppress(errors.NotFoundError, errors.ConflictError):
                await self._cluster.delete_child(child)
                self._announcer.child_deleted(run, child)
        memory = self._memory.run(run.key)
        if verdict.stuck and not memory.is_stuck:
            pod = verdict.stuck[0]
            note = (
                f"pod {pod.namespace}/{pod.name} on node {pod.node} cannot be ended, so "
                f"PipelineRun {run.name} keeps its target; if the node is gone for good, delete "
                "the pod by force"
            )
            self._announcer.about_run(run, events.POD_STUCK, note, kind="Warning")
        memory.is_stuck = bool(verdict.stuck)
        return self._hold(run, verdict.again_after)

    def _tell_of_what_is_left_alone(self, run: Run, left: Leftovers | None) -> None:
        """Say of a pod that somebody else's container keeps that it holds nothing and is not ended.

        Such a container is not the workflow's, and whoever put it there may need it still.
        """
        for pod in left.kept_pods[:1] if left else ():
            keepers = ", ".join(pod.kept_by)
            note = (
                f"pod {pod.namespace}/{pod.name} has done its work and is kept by a container that "
                f"is not the workflow's ({keepers}); it holds no target and is left alone"
            )
            self._announcer.about_run(run, events.POD_LEFT_ALONE, note)

    def _wake_owner(self, run: Run) -> None:
        if run.owner and self._ledger.execution(run.owner.uid):
            self._executions.add(run.owner.uid)


def _state_of(owner: Execution | None, run: Run) -> OwnerState:
    if owner is None or owner.is_deleting:
        return OwnerState.DELETED
    is_wanted = not owner.has_ended and owner.wants(*run.key)
    return OwnerState.ACTIVE if is_wanted else OwnerState.ENDED
