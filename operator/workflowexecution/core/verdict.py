"""The values of a decision: every verdict that can come out, and the evidence it names."""

from dataclasses import dataclass
from datetime import datetime

from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.core.facts.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Because of whom nothing is run: an execution, known by its run or by its own status.

    ``started_at`` is set for a holder, ``completed_at`` and ``outcome`` for a past remediation.
    """

    name: str
    namespace: str
    workflow_id: str
    target: str
    run_name: str
    started_at: datetime | None = None
    completed_at: datetime | None = None
    outcome: Phase | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """The target is free: create the run of this name."""

    run_name: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """This execution has its run: tell in the status how it goes."""

    run: Run


@dataclass(frozen=True, slots=True)
class Expire:
    """Its run is long past its time limit and Tekton does not end it: give it up."""

    run: Run


@dataclass(frozen=True, slots=True)
class Yield:
    """Two runs are active on one target, which must never be, and this one is the younger."""

    run: Run
    holder: Evidence


@dataclass(frozen=True, slots=True)
class Stop:
    """The execution was skipped, and yet a run was made for it: end that run."""

    run: Run


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is run, for good. ``until`` is the cooldown's end, None while the target is busy."""

    reason: SkipReason
    evidence: Evidence
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """The execution cannot be run; ``problem`` says why and what to change."""

    problem: str
    reason: FailureReason = FailureReason.CONFIGURATION_ERROR


@dataclass(frozen=True, slots=True)
class Lost:
    """The run this execution had is gone, and we did not delete it."""

    run_name: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The execution is being deleted while its run is active: end the run first."""

    run: Run


@dataclass(frozen=True, slots=True)
class Release:
    """The execution is being deleted and nothing of it runs: let it go."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do."""


Verdict = (
    Launch | Mirror | Expire | Yield | Stop | Skip | Refuse | Lost | Cancel | Release | Nothing
)
