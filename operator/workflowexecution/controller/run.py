"""The reconciler of runs: ends a run that should end, and frees its target after the end."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from structlog.contextvars import bound_contextvars

from workflowexecution.controller.context import DECIDE_AGAIN, Context, Result
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.run_actions import RunActions
from workflowexecution.core import names, run_ending
from workflowexecution.core.evidence import Evidence, holder_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.pod import Pod
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.facts.taskrun import TaskRun
from workflowexecution.core.run_ending import OwnerState, RunSnapshot
from workflowexecution.core.status.outcome import held_until_readable, held_until_stopped
from workflowexecution.kube import errors
from workflowexecution.observe import events

# A pass learns about an owner, a rival, a cancellation and the leftovers at most once each.
_ROUNDS: Final = 8


@dataclass(slots=True)
class _JustRead:
    """The facts that this pass has read live."""

    owner: OwnerState | None = None
    leftovers: Leftovers | None = None


class RunReconciler:
    """Reconciles one run: it takes the next step to end a run that should end."""

    def __init__(self, context: Context, reader: LiveReads) -> None:
        self._context = context
        self._reader = reader
        self._actions = RunActions(context, reader)

    async def reconcile(self, key: RunKey) -> float | None:
        """Run one pass.

        Returns: seconds until the next pass, or None.
        Raises: ApiError where there was no answer; the pass is then repeated.
        """
        run = self._context.store.run(key)
        if run is None:
            self._actions.let_go(key)
            return None
        request = run.owner.request if run.owner else None
        with bound_contextvars(
            run=run.name,
            target=run.target or run.target_key,
            request=f"{request.namespace}/{request.name}" if request else "",
        ):
            result = await self._decide_and_act(run)
            return result.requeue_after

    async def _decide_and_act(self, run: Run) -> Result:
        """Decide and act until there is a result."""
        read = _JustRead()
        for _ in range(_ROUNDS):
            current = self._context.store.run(run.key)
            if current is None:
                self._actions.let_go(run.key)
                return Result()
            verdict = run_ending.decide_run(self._gather(current, read))
            try:
                result = await self._carry_out(current, verdict, read)
            except errors.ForbiddenError as error:
                self._report_missing_right(current, error)
                raise
            finally:
                self._report_ending(run.key)
            if not result.has_new_facts:
                return result
        raise errors.UnavailableError("the facts changed faster than they could be decided on")

    async def _carry_out(  # noqa: C901 (one case for each verdict)
        self, run: Run, verdict: run_ending.RunVerdict, read: _JustRead
    ) -> Result:
        """Act on a verdict."""
        match verdict:
            case run_ending.LeaveRun(again_after):
                if again_after is None:
                    self._actions.forget(run)
                return Result(requeue_after=_seconds(again_after))
            case run_ending.ReadOwner():
                read.owner = await self._read_owner(run)
            case run_ending.EndRun():
                await self._actions.end(run, verdict)
            case run_ending.BeginAgain():
                self._actions.begin_again(run)
            case run_ending.ReadLeftovers():
                read.leftovers = await self._read_leftovers(run)
            case run_ending.WaitForLeftovers(again_after):
                return self._hold(run, again_after)
            case run_ending.EndPods():
                return await self._end_pods(run, verdict)
            case run_ending.RunHasStopped():
                self._context.store.mark_stopped(run.key, run.uid, now=self._context.clock.now())
                self._record_kept_pod(run, read.leftovers)
                self._wake_owner(run)
            case _:
                assert_never(verdict)
        return DECIDE_AGAIN

    def _gather(self, run: Run, read: _JustRead) -> RunSnapshot:
        memory, now = self._context.memory.run(run.key), self._context.clock.monotonic()
        if memory.unfinished_since is None and run.state is RunState.STOPPING:
            memory.unfinished_since, memory.is_stuck = now, False
        since = now if memory.unfinished_since is None else memory.unfinished_since
        return RunSnapshot(
            run=run,
            owner=self._owner_of(run, read),
            rival=self._rival_of(run),
            tried=self._actions.tried(run),
            leftovers=read.leftovers,
            checks=memory.checks,
            unfinished_for=timedelta(seconds=now - since),
            cancel_grace=self._context.policy.cancel_grace,
            leftover_grace=self._context.policy.leftover_grace,
            now=self._context.clock.now(),
        )

    def _owner_of(self, run: Run, read: _JustRead) -> OwnerState:
        if run.owner is None or not self._serves(run.owner.namespace):
            return OwnerState.FOREIGN
        known = self._context.store.execution(run.owner.uid)
        if known is not None and _state_of(known, run) is OwnerState.ACTIVE:
            return OwnerState.ACTIVE
        return read.owner or OwnerState.UNKNOWN

    def _serves(self, namespace: str) -> bool:
        return self._context.policy.serves(namespace) and not self._context.store.is_left(namespace)

    async def _read_owner(self, run: Run) -> OwnerState:
        assert run.owner is not None
        owner = run.owner
        seen = await self._reader.read_execution(owner.namespace, owner.name, owner.uid)
        return _state_of(seen, run)

    def _rival_of(self, run: Run) -> Evidence | None:
        """The oldest other active run on the target, if it is older than this run."""
        older = [
            other
            for other in self._context.store.targets.unfinished_on(run.target_key)
            if other.state is RunState.ACTIVE
            and (run.target is None or names.is_same_target(run.target, other.target or ""))
            and (other.created_at, other.name) < (run.created_at, run.name)
        ]
        first = min(older, key=lambda other: (other.created_at, other.name), default=None)
        return holder_of(first, first.target or "") if first else None

    async def _read_leftovers(self, run: Run) -> Leftovers:
        if not run.uid:
            # Only a status names it: it may exist and be active.
            run = await self._reader.read_run(run.key) or run
        found = await self._reader.read_leftovers(run)
        self._context.memory.run(run.key).checks += 1
        return found

    def _report_ending(self, key: RunKey) -> None:
        """Queue its execution to report the progress of ending a run that is still active."""
        run = self._context.store.run(key)
        if run is None:
            return
        memory, ending = self._context.memory.run(key), self._actions.describe(run)
        if memory.ending != ending:
            memory.ending = ending
            self._wake_owner(run)

    def _report_missing_right(self, run: Run, error: errors.ForbiddenError) -> None:
        """Queue its execution to report which right a person must give to free the target."""
        if run.state is RunState.STOPPING:
            self._context.memory.run(run.key).why_held = held_until_readable(str(error))
            self._wake_owner(run)

    def _hold(self, run: Run, again_after: timedelta, refusal: str = "") -> Result:
        """Queue its execution to report why the target is still held."""
        memory = self._context.memory.run(run.key)
        left = memory.leftovers.describe() if memory.leftovers else ""
        memory.why_held = held_until_stopped(left, refusal)
        self._wake_owner(run)
        return Result(requeue_after=_seconds(again_after))

    async def _end_pods(self, run: Run, verdict: run_ending.EndPods) -> Result:
        refused = await self._delete_what_is_left(run, verdict)
        memory, note = self._context.memory.run(run.key), ""
        if verdict.stuck:
            note = _cannot_be_ended(run, verdict.stuck[0])
        elif refused is not None and not isinstance(refused, errors.UnavailableError):
            note = (
                f"what is left of PipelineRun {run.name} may not be deleted, and holds its target"
            )
            note += f": {refused}"
        if note and not memory.is_stuck:
            self._context.recorder.about_run(
                run, events.POD_STUCK, note, kind="Warning", quotes=True
            )
        memory.is_stuck = bool(note)
        return self._hold(run, verdict.again_after, str(refused or ""))

    async def _delete_what_is_left(
        self, run: Run, verdict: run_ending.EndPods
    ) -> errors.ApiError | None:
        """Delete each of them, even if another is refused; returns one refusal, or None."""
        refused: errors.ApiError | None = None
        everything: tuple[Pod | TaskRun, ...] = (*verdict.pods, *verdict.children)
        for left in everything:
            try:
                await self._delete(run, left)
            except (errors.NotFoundError, errors.ConflictError):
                continue
            except errors.ApiError as error:
                refused = error
        return refused

    async def _delete(self, run: Run, left: Pod | TaskRun) -> None:
        if isinstance(left, Pod):
            await self._context.cluster.delete_pod(left)
            self._context.recorder.pod_deleted(run, left.name)
        else:
            await self._context.cluster.delete_child(left)
            self._context.recorder.child_deleted(run, left)

    def _record_kept_pod(self, run: Run, left: Leftovers | None) -> None:
        """Record that a foreign container keeps a pod, which holds nothing and is not deleted.

        The container is not part of the workflow, and its owner may still need it.
        """
        for pod in left.kept_pods[:1] if left else ():
            keepers = ", ".join(pod.kept_by)
            note = (
                f"pod {pod.namespace}/{pod.name} has done its work and is kept by a container that "
                f"is not the workflow's ({keepers}); it holds no target and is left alone"
            )
            self._context.recorder.about_run(run, events.POD_LEFT_ALONE, note)

    def _wake_owner(self, run: Run) -> None:
        if run.owner and self._context.store.execution(run.owner.uid):
            self._context.executions.add(run.owner.uid)


def _seconds(after: timedelta | None) -> float | None:
    return after.total_seconds() if after is not None else None


def _state_of(owner: Execution | None, run: Run) -> OwnerState:
    if owner is None or owner.is_deleting:
        return OwnerState.DELETED
    is_wanted = not owner.has_ended and owner.wants(*run.key)
    return OwnerState.ACTIVE if is_wanted else OwnerState.ENDED


def _cannot_be_ended(run: Run, pod: Pod) -> str:
    return (
        f"pod {pod.namespace}/{pod.name} on node {pod.node} cannot be ended, so PipelineRun "
        f"{run.name} keeps its target; if the node is gone for good, delete the pod by force"
    )
