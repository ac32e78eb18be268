"""The verdicts on an execution: a closed set of values."""

from dataclasses import dataclass, field
from datetime import datetime

from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.api.status import FailureReason, SkipReason
from workflowexecution.core.diagnosis.explanations import Cause
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run


@dataclass(frozen=True, slots=True)
class Launch:
    """The target is free: create the run of this name, from as much of the spec as was kept."""

    run_name: str
    spec: WorkflowExecutionSpec | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ReportRun:
    """This execution has its run: report its progress or outcome in the status."""

    run: Run


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Its run is long past its time limit and Tekton does not end it: report that as a failure."""

    run: Run


@dataclass(frozen=True, slots=True)
class FindRun:
    """Its status names a run that is not in the cache: find out whether it exists.

    namespace: None where the status names none.
    """

    run_name: str
    namespace: str | None


@dataclass(frozen=True, slots=True)
class ReportLostRun:
    """Another user deleted its run, and no part of it executes any more."""

    run: Run


@dataclass(frozen=True, slots=True)
class Skip:
    """The final verdict to run nothing.

    until: the end of the cooldown or pause; None where no time limits the reason.
    failures: number of failures in a row before the first step, where these are the reason.
    """

    reason: SkipReason
    evidence: Evidence
    until: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """A hold of a person blocks the launch: wait until the hold is lifted or expires."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class Refuse:
    """The execution cannot be run; ``problem`` has the reason and the change that is needed."""

    problem: str
    reason: FailureReason = FailureReason.CONFIGURATION_ERROR
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class DropOldFinalizer:
    """It has the finalizer of an earlier controller, which would block its deletion."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do."""


Verdict = (
    Launch
    | ReportRun
    | GiveUp
    | FindRun
    | ReportLostRun
    | Skip
    | Wait
    | Refuse
    | DropOldFinalizer
    | Nothing
)
