"""Creates the run of an execution whose target is free."""

from typing import Final

from workflowexecution.api import validation
from workflowexecution.api.status import FailureReason
from workflowexecution.cache.memory import Memory
from workflowexecution.cache.policy import Policy
from workflowexecution.client.cluster import Cluster, Raw
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.controller.recorder import Recorder
from workflowexecution.controller.result import DECIDE_AGAIN, Result
from workflowexecution.core import pipelinerun
from workflowexecution.core.diagnosis.words import Class, class_of_refusal, is_passing
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run, parse_run
from workflowexecution.core.status.failures import outcome_of_refusal
from workflowexecution.core.verdict import Launch, Refuse
from workflowexecution.kube import errors
from workflowexecution.kube.clock import Clock

# The API server gives up a request after a minute: until then one that was not answered may still
# be carried out, and a refusal of its repetition says nothing about it.
_IN_DOUBT_FOR_S: Final = 60.0


class Launcher:
    """Sends the create, and finds out what came of it where that is not certain."""

    def __init__(
        self,
        cluster: Cluster,
        reader: LiveReads,
        memory: Memory,
        recorder: Recorder,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._reader = reader
        self._memory = memory
        self._recorder = recorder
        self._policy = policy
        self._clock = clock

    async def launch(self, execution: Execution, verdict: Launch) -> Run | Result:
        """Create the run.

        Returns: the run; else what the launch came to, where the name was taken or is refused.
        Raises: ApiError where it has to be tried again.
        """
        whole = await self._whole(execution)
        if whole is None:
            return DECIDE_AGAIN
        spec, _ = validation.parse_spec(whole.raw)
        assert spec is not None, "an execution that cannot be read is refused"
        template = self._policy.template
        manifest = pipelinerun.build_run(execution, spec, verdict.run_name, template)
        key, decided_at = (template.namespace, verdict.run_name), self._clock.monotonic()
        try:
            created = self._take_in(await self._cluster.create_run(manifest))
        except errors.AlreadyExistsError:
            await self._reader.read_run(key)
            return DECIDE_AGAIN
        except errors.UnavailableError:
            self._doubt(execution)
            seen = await self._reader.read_run(key)
            if seen is None:
                raise
            if not _is_of(seen, execution):
                return DECIDE_AGAIN
            created = seen
        except (errors.RejectedError, errors.ForbiddenError) as error:
            return self._refused(execution, error)
        seconds = self._clock.monotonic() - decided_at
        self._recorder.run_created(execution, created, seconds=seconds)
        return created

    def _take_in(self, reply: Raw) -> Run:
        created = parse_run(reply)
        assert created is not None, "the run that was asked for names its target"
        return self._reader.take_in(created)

    async def _whole(self, execution: Execution) -> Execution | None:
        """The execution with all its parameters, read where they are not kept; None if gone."""
        if execution.is_whole:
            return execution
        namespace, name, uid = execution.namespace, execution.name, execution.uid
        return await self._reader.read_execution(namespace, name, uid)

    def _doubt(self, execution: Execution) -> None:
        until = self._clock.monotonic() + _IN_DOUBT_FOR_S
        self._memory.execution(execution.uid).create_in_doubt_until = until

    def _refused(self, execution: Execution, error: errors.ApiError) -> Result:
        """End the execution, where the refusal is final and no earlier create can still work."""
        passes = isinstance(error, errors.MissingRightError | errors.NamespaceTerminatingError)
        if passes or is_passing(str(error)):
            raise error
        doubt = self._memory.execution(execution.uid).create_in_doubt_until
        if doubt > self._clock.monotonic():
            raise error
        is_wrong = isinstance(error, errors.RejectedError)
        otherwise = FailureReason.CONFIGURATION_ERROR if is_wrong else FailureReason.FORBIDDEN
        found = class_of_refusal(str(error)) or Class(otherwise)
        refusal = Refuse(f"the PipelineRun was refused: {error}", found.reason, found.cause)
        return Result(outcome_of_refusal(execution, refusal, self._clock.now()))


def _is_of(run: Run, execution: Execution) -> bool:
    return run.owner is not None and run.owner.uid == execution.uid
