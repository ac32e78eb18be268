"""From the facts to a verdict that stands: decide, check what is final, launch what is free."""

from typing import Final

import structlog

from workflowexecution.api import identity
from workflowexecution.api import validation as request
from workflowexecution.api.status import SkipReason
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.policy import Policy
from workflowexecution.control.target_locks import TargetLocks
from workflowexecution.core import names, pipelinerun
from workflowexecution.core.decision import decide
from workflowexecution.core.diagnosis.tables import is_passing, reason_of_refusal
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.core.facts.run import parse_run
from workflowexecution.core.verdict import Launch, Lost, Nothing, Refuse, Skip, Verdict, Yield
from workflowexecution.kube import errors
from workflowexecution.observe.metrics import Metrics

# Each round takes in one new fact, and few facts are ever in dispute; more than this is a loop.
_ROUNDS: Final = 8


class Settler:
    """Settles one execution at a time for each target."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        witness: LiveReader,
        policy: Policy,
        metrics: Metrics,
    ) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._witness = witness
        self._policy = policy
        self._metrics = metrics
        self._locks = TargetLocks()
        self._log = structlog.get_logger("settle")

    async def settle(self, uid: str) -> Verdict:
        """Reach a verdict on one execution that nothing known contradicts.

        A Skip for a busy target and a Lost run are checked by live reads; a Launch is carried out,
        and what comes of it is a fact for the next round.

        Raises: ApiError where the cluster gives no answer; the pass is then repeated.
        """
        execution = self._ledger.execution(uid)
        if execution is None:
            return Nothing()
        async with self._locks.hold(names.slot_key(execution.target)):
            for _ in range(_ROUNDS):
                verdict = await self._round(uid)
                if verdict is not None:
                    return verdict
        raise errors.UnavailableError("the facts changed faster than they could be decided on")

    async def _round(self, uid: str) -> Verdict | None:
        """Decide once; None where acting on the verdict has brought new facts."""
        execution = self._ledger.execution(uid)
        if execution is None:
            return Nothing()
        spec, problem = request.parse_spec(execution.raw or {})
        if spec is not None:
            problem = pipelinerun.problem_of(spec, self._policy.template)
        verdict = decide(
            self._ledger.snapshot(
                execution,
                problem=problem,
                cooldown=self._policy.cooldown,
                now=self._policy.clock(),
                deadline_grace=self._policy.deadline_grace,
            )
        )
        match verdict:
            case Skip(SkipReason.RESOURCE_BUSY, evidence) | Yield(_, evidence):
                if self._witness.is_fresh(evidence.run_name):
                    return verdict
                await self._witness.confirm(evidence)
                return None
            case Lost(run_name):
                seen = await self._witness.look(run_name)
                is_ours = seen is not None and seen.owner is not None and seen.owner.uid == uid
                return None if is_ours else verdict
            case Launch(run_name):
                assert spec is not None
                manifest = pipelinerun.build_run(execution, spec, run_name, self._policy.template)
                return await self._launch(execution, run_name, manifest)
            case _:
                return verdict

    async def _launch(
        self, execution: Execution, run_name: str, manifest: dict[str, object]
    ) -> Verdict | None:
        """Create the run; None where there now is one to look at, whoever made it."""
        # The finalizer first: an execution deleted right after its run was made must not leave it.
        if not execution.has_finalizer:
            await self._add_finalizer(execution)
        try:
            created = parse_run(await self._cluster.create_run(manifest))
        except errors.AlreadyExistsError:
            await self._witness.look(run_name)
            return None
        except errors.UnavailableError:
            if await self._witness.look(run_name) is None:
                raise
            return None
        except errors.RejectedError as error:
            return Refuse(f"the PipelineRun was refused: {error}")
        except errors.ForbiddenError as error:
            if is_passing(str(error)):
                raise
            return Refuse(
                f"the PipelineRun may not be created: {error}", reason_of_refusal(str(error))
            )
        assert created is not None
        self._ledger.observe_run(created)
        self._witness.vouch(run_name)
        self._metrics.runs_created.inc()
        self._log.info("PipelineRun created", run=run_name)
        return None

    async def _add_finalizer(self, execution: Execution) -> None:
        present = (execution.raw or {})["metadata"].get("finalizers") or []
        reply = await self._cluster.patch_finalizers(execution, [*present, identity.FINALIZER])
        self._ledger.observe_execution(parse_execution(reply))
