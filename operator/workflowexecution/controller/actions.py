"""Carries out the verdict on an execution: one exhaustive match, one action for each verdict."""

from datetime import datetime
from typing import Final, assert_never

from workflowexecution.api import identity
from workflowexecution.api.spec import parse_spec
from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.client.cluster import Raw
from workflowexecution.controller.context import DECIDE_AGAIN, Context, Result
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.run_status import RunStatusReporter
from workflowexecution.core import names, pipelinerun
from workflowexecution.core.diagnosis.tables import Class, class_of_refusal, is_passing
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import was_held
from workflowexecution.core.facts.leftovers import unseen_run
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.core.status.failures import (
    outcome_of_giving_up,
    outcome_of_lost_run,
    outcome_of_refusal,
    outcome_of_skip,
)
from workflowexecution.core.status.outcome import outcome_of_hold
from workflowexecution.core.verdict import (
    DropOldFinalizer,
    FindRun,
    GiveUp,
    Launch,
    Nothing,
    Refuse,
    ReportLostRun,
    ReportRun,
    Skip,
    Verdict,
    Wait,
)
from workflowexecution.kube import errors

# Time until the next check whether holds can be read; the check sends no request.
_HOLDS_UNREAD_S: Final = 5.0
# The API server gives up a request after a minute. Until then an unanswered create may still
# succeed, and a refusal of the repeated create proves nothing about the first one.
_UNCERTAIN_FOR_S: Final = 60.0


class Launcher:
    """Sends the create request, and finds out its result where there was no answer."""

    def __init__(self, context: Context, reader: LiveReads) -> None:
        self._context = context
        self._reader = reader

    async def launch(self, execution: Execution, verdict: Launch) -> Run | Result:
        """Create the run.

        Returns: the run; or a result where the name is taken or the run is refused.
        Raises: ApiError where the request has to be repeated.
        """
        whole = await self._whole(execution)
        if whole is None:
            return DECIDE_AGAIN
        is_unusual = execution.former_key != execution.target_key
        if is_unusual and await self._look_for_former_run(execution):
            return DECIDE_AGAIN
        spec = (verdict.spec if whole is execution else None) or parse_spec(whole.raw)[0]
        assert spec is not None, "an execution that cannot be read is refused"
        template = self._context.policy.template
        manifest = pipelinerun.build_run(execution, spec, verdict.run_name, template)
        key, decided_at = (template.namespace, verdict.run_name), self._context.clock.now()
        due_at = self._due_at(execution, decided_at)
        try:
            created = self._take_in(await self._context.cluster.create_run(manifest))
        except errors.AlreadyExistsError:
            await self._reader.read_run(key)
            return DECIDE_AGAIN
        except errors.UnavailableError:
            self._note_unanswered(execution)
            seen = await self._reader.read_run(key)
            if seen is None:
                raise
            if not _is_of(seen, execution):
                return DECIDE_AGAIN
            created = seen
        except (errors.RejectedError, errors.ForbiddenError) as error:
            return self._refused(execution, error)
        now = self._context.clock.now()
        self._context.recorder.run_created(
            execution, created, due_at=due_at, decided_at=decided_at, now=now
        )
        return created

    def _due_at(self, execution: Execution, now: datetime) -> datetime:
        """The time at which it was free to be launched: its creation, or the end of the last hold.

        Where a hold was lifted while no operator looked, that is now: the time is not known.
        """
        created_at = execution.created_at or now
        if execution.phase is not Phase.PENDING:
            return created_at
        memory = self._context.memory.execution(execution.uid)
        if memory.freed_at is None and was_held(execution):
            memory.freed_at = now
        return max(created_at, memory.freed_at or created_at)

    async def _look_for_former_run(self, execution: Execution) -> bool:
        """Read the run that an operator of an earlier version would launch next on this target.

        Its name differs from ours, so our create would not be refused, and a watch may be late.

        Returns: whether it was read, so that the facts may be new.
        """
        number = self._context.store.numbers.top(execution.former_key) + 1
        name = names.numbered(execution.former_key, number)
        key = (self._context.policy.template.namespace, name)
        if self._reader.is_fresh(key):
            return False
        await self._reader.read_run(key)
        return True

    def _take_in(self, reply: Raw) -> Run:
        created = parse_run(reply)
        assert created is not None, "the run that was asked for names its target"
        return self._reader.take_in(created)

    async def _whole(self, execution: Execution) -> Execution | None:
        """The execution with all parameters, read live if the cache lacks them; None if gone."""
        if execution.is_whole:
            return execution
        namespace, name, uid = execution.namespace, execution.name, execution.uid
        return await self._reader.read_execution(namespace, name, uid)

    def _note_unanswered(self, execution: Execution) -> None:
        until = self._context.clock.monotonic() + _UNCERTAIN_FOR_S
        self._context.memory.execution(execution.uid).create_uncertain_until = until

    def _refused(self, execution: Execution, error: errors.ApiError) -> Result:
        """End the execution, if the refusal is final and no earlier create can still succeed."""
        passes = isinstance(error, errors.MissingRightError | errors.NamespaceTerminatingError)
        if passes or is_passing(str(error)):
            raise error
        uncertain_until = self._context.memory.execution(execution.uid).create_uncertain_until
        if uncertain_until > self._context.clock.monotonic():
            raise error
        is_wrong = isinstance(error, errors.RejectedError)
        otherwise = FailureReason.CONFIGURATION_ERROR if is_wrong else FailureReason.FORBIDDEN
        found = class_of_refusal(str(error)) or Class(otherwise)
        refusal = Refuse(f"the PipelineRun was refused: {error}", found.reason, found.cause)
        return Result(outcome_of_refusal(execution, refusal, self._context.clock.now()))


def _is_of(run: Run, execution: Execution) -> bool:
    return run.owner is not None and run.owner.uid == execution.uid


class Actions:
    """Carries out verdicts; a live read first confirms those that are final."""

    def __init__(self, context: Context, reader: LiveReads, run_status: RunStatusReporter) -> None:
        self._context = context
        self._reader = reader
        self._launcher = Launcher(context, reader)
        self._run_status = run_status

    async def carry_out(  # noqa: C901 (one case for each verdict)
        self, execution: Execution, verdict: Verdict
    ) -> Result:
        """Act on a verdict.

        Raises: ApiError where there is no answer; the pass is then repeated.
        """
        match verdict:
            case Launch():
                return await self._launch(execution, verdict)
            case ReportRun(run):
                return await self._run_status.report(execution, run)
            case Skip():
                return await self._skip(verdict)
            case Wait():
                return self._wait(execution, verdict)
            case Refuse():
                return Result(outcome_of_refusal(execution, verdict, self._context.clock.now()))
            case GiveUp(run):
                return await self._give_up(execution, run)
            case FindRun(run_name, namespace):
                return await self._find_run(execution, run_name, namespace)
            case ReportLostRun(run):
                return Result(outcome_of_lost_run(execution, run, self._context.clock.now()))
            case DropOldFinalizer():
                return await self._drop_old_finalizer(execution)
            case Nothing():
                return Result()
            case _:
                assert_never(verdict)

    async def _launch(self, execution: Execution, launch: Launch) -> Result:
        """Create the run and report it; where the name is taken, decide again with that run."""
        launched = await self._launcher.launch(execution, launch)
        if isinstance(launched, Run):
            return await self._run_status.report(execution, launched)
        return launched

    def _wait(self, execution: Execution, wait: Wait) -> Result:
        """Report the hold, and come back when it expires; a watch reports when it is lifted."""
        until, now = wait.hold.until, self._context.clock.now()
        if not wait.hold.name:
            requeue_after: float | None = _HOLDS_UNREAD_S
        else:
            self._context.memory.execution(execution.uid).freed_at = until
            requeue_after = max((until - now).total_seconds(), 0) if until else None
        return Result(outcome_of_hold(execution.phase or Phase.PENDING, wait.hold), requeue_after)

    async def _skip(self, skip: Skip) -> Result:
        holder = skip.evidence
        key = (holder.run_namespace or self._context.policy.template.namespace, holder.run_name)
        if skip.reason is SkipReason.RESOURCE_BUSY and not self._reader.is_holder_fresh(key):
            if await self._reader.confirm_holder(key) is None:
                await self._look_for_what_is_left(holder, key)
            return DECIDE_AGAIN
        return Result(outcome_of_skip(skip, self._context.clock.now()))

    async def _look_for_what_is_left(self, holder: Evidence, key: RunKey) -> None:
        """Take in a deleted run that only a status names: it holds the target by its leftovers."""
        owner = await self._reader.read_execution(holder.namespace, holder.name)
        if owner is not None and not owner.has_ended and owner.run_name == holder.run_name:
            gone = unseen_run(owner, holder.run_name, key[0])
            self._context.store.take_in_gone_run(gone, now=self._context.clock.now())
            self._context.runs.add(key)

    async def _give_up(self, execution: Execution, run: Run) -> Result:
        """End an execution whose run Tekton does not end; the run is then cancelled."""
        if not self._reader.is_fresh(run.key):
            await self._reader.read_run(run.key)
            return DECIDE_AGAIN
        await self._reader.read_leftovers(run)
        begun, now = self._context.memory.run(run.key).has_begun, self._context.clock.now()
        return Result(outcome_of_giving_up(execution, run, has_started=begun, now=now))

    async def _find_run(self, execution: Execution, name: str, namespace: str | None) -> Result:
        """Find the run that a status names; a deleted one holds its target by its leftovers."""
        key = (namespace or self._context.policy.template.namespace, name)
        seen = await self._reader.read_run(key)
        gone = unseen_run(execution, name, key[0])
        if seen is None:
            self._context.store.take_in_gone_run(gone, now=self._context.clock.now())
            self._context.runs.add(key)
            return Result()
        if seen.owner is None or seen.owner.uid != execution.uid:
            # The name belongs to another run now, so the run of this execution is gone.
            return Result(outcome_of_lost_run(execution, gone, self._context.clock.now()))
        return DECIDE_AGAIN

    async def _drop_old_finalizer(self, execution: Execution) -> Result:
        seen = await self._reader.read_execution(execution.namespace, execution.name, execution.uid)
        if seen is None or not seen.has_old_finalizer:
            return DECIDE_AGAIN
        present = seen.raw["metadata"]["finalizers"]
        others = [name for name in present if name != identity.OLD_FINALIZER]
        reply = await self._context.cluster.patch_finalizers(seen, others)
        self._context.store.observe_execution(parse_execution(reply), now=self._context.clock.now())
        return DECIDE_AGAIN
