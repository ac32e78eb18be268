"""The possible decisions for one execution: a closed set of values."""

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
    """The target is free: create the run of this name, of this spec as far as it was kept."""

    run_name: str
    spec: WorkflowExecutionSpec | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Mirror:
    """This execution has its run: report its progress or outcome in the status."""

    run: Run


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Its run is long past its time limit and Tekton does not end it: report that as a failure."""

    run: Run


@dataclass(frozen=True, slots=True)
class FindRun:
    """Its status names a run that has not been seen: find out whether it exists.

    namespace: None where the status does not tell.
    """

    run_name: str
    namespace: str | None


@dataclass(frozen=True, slots=True)
class ReportLostRun:
    """Its run was deleted by somebody else, and nothing of it executes any more."""

    run: Run


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is run, finally.

    until: the end of the cooldown or pause; None where no time ends what is in the way.
    failures: how often in a row it has failed before it began, where that is why.
    """

    reason: SkipReason
    evidence: Evidence
    until: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """It would be launched if a person did not hold it: wait until that is lifted or expires."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class Refuse:
    """The execution cannot be run; ``problem`` says why and what to change."""

    problem: str
    reason: FailureReason = FailureReason.CONFIGURATION_ERROR
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class DropOldFinalizer:
    """It carries the finalizer of an earlier controller, which would keep it from being deleted."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do."""


Verdict = (
    Launch
    | Mirror
    | GiveUp
    | FindRun
    | ReportLostRun
    | Skip
    | Wait
    | Refuse
    | DropOldFinalizer
    | Nothing
)
