"""Guards against repeated failures: the last end of a workflow, and its consequences.

A failure says when its workflow may run again, and what lifts that earlier. Both guards are off by
default. Nothing here reads the cluster or a clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.api.status_model import FailureDetails
from workflowexecution.core import evidence
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.outcome import Outcome
from workflowexecution.core.text import clear_command, may_run_again, runs_no_more

# Far beyond any pause: it is doubled no more often than this.
_DOUBLINGS_MAX: Final = 20
_ALMOST_A_SECOND: Final = timedelta(microseconds=999_999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The settings of the guards.

    failed: whether a person has to clear a failure after a step had started.
    retry_limit: failures in a row before the first step; 0 for any number.
    first_pause, longest_pause: the pause after the first such failure, which each further one
        doubles; and its maximum.
    """

    failed: bool = False
    retry_limit: int = 0
    first_pause: timedelta = timedelta(minutes=1)
    longest_pause: timedelta = timedelta(minutes=10)

    @property
    def are_on(self) -> bool:
        """Whether any guard is on."""
        return self.failed or self.retry_limit > 0

    def pause_after(self, failures: int) -> timedelta:
        """The pause after this number of failures in a row."""
        factor: int = 2 ** min(failures - 1, _DOUBLINGS_MAX)
        return min(self.first_pause * factor, self.longest_pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The last end of a workflow on a target, as an entry of the failure history.

    evidence: the execution or run; run_name is empty where no run was made. completed_at is set.
    had_begun: whether a step had begun; None, where that is not known, counts as true.
    count: failures in a row before the first step, including this one, from its status.
    is_cleared: whether a person has looked at it.
    """

    evidence: Evidence
    had_begun: bool | None = None
    count: int = 0
    is_cleared: bool = False

    @property
    def blocks(self) -> bool:
        """Whether it is a failure that no person has cleared."""
        return self.evidence.outcome is Phase.FAILED and not self.is_cleared

    @property
    def failed_at_work(self) -> bool:
        """Whether it failed and may have changed something, and no person has looked at it."""
        return self.blocks and self.had_begun is not False

    @property
    def failures(self) -> int:
        """Number of failures in a row before the first step, since a person has looked at one."""
        return max(self.count, 1) if self.blocks and self.had_begun is False else 0


def ending_of_execution(execution: Execution, seen_at: datetime) -> Ending | None:
    """The end of an execution, by its status; None where it has not ended or made no attempt."""
    end = evidence.end_of_attempt(execution, seen_at)
    if end is None:
        return None
    status = reading.mapping(execution.raw, "status")
    begun = reading.mapping(status, "failureDetails").get("wasExecutionFailure")
    count = status.get("consecutiveFailures")
    return Ending(
        evidence=end,
        had_begun=begun if isinstance(begun, bool) else None if execution.run_name else False,
        count=count if isinstance(count, int) and 0 < count < 2**31 else 0,
        is_cleared=evidence.is_cleared(execution.raw),
    )


def ending_of_run(run: Run, seen_at: datetime) -> Ending | None:
    """The end of a finished run; None where the run names no workflow.

    It does not show whether a step had begun, unless its pipeline was never resolved.
    """
    end = evidence.end_of_run(run, seen_at)
    if end is None:
        return None
    begun = run.has_started if run.has_started is not None or run.task_names else False
    return Ending(evidence=end, had_begun=begun, is_cleared=run.is_cleared)


def is_same(one: Ending, other: Ending) -> bool:
    """Whether two ends are of one execution, one from its status and one from its run."""
    return evidence.is_same(one.evidence, other.evidence)


def ending_order(ending: Ending) -> tuple[datetime, int, str, str, str]:
    """Sort key; of failures within one second, the one with the higher count is later."""
    known = ending.evidence
    assert known.completed_at is not None
    return known.completed_at, ending.count, known.run_name, known.namespace, known.name


def newest_of(by_execution: Ending | None, by_run: Ending | None) -> Ending | None:
    """The later of two ends; for the same end, the one from the execution has more facts."""
    if by_execution is None or by_run is None:
        return by_execution or by_run
    if is_same(by_execution, by_run):
        cleared = by_execution.is_cleared or by_run.is_cleared
        return replace(by_execution, is_cleared=cleared)
    return max(by_execution, by_run, key=ending_order)


def reason_to_clear(ending: Ending, guards: Guards) -> SkipReason | None:
    """The reason to skip a workflow until a person clears its failure; None where there is none."""
    if guards.failed and ending.failed_at_work:
        return SkipReason.PREVIOUS_EXECUTION_FAILED
    if guards.retry_limit and ending.failures >= guards.retry_limit:
        return SkipReason.EXHAUSTED_RETRIES
    return None


def pause_end(ending: Ending, guards: Guards) -> datetime | None:
    """The end of the pause after failures before the first step; None where there is none."""
    if not guards.retry_limit or not ending.failures:
        return None
    assert ending.evidence.completed_at is not None
    return ending.evidence.completed_at + guards.pause_after(ending.failures)


def counted(
    outcome: Outcome, before: Ending | None, guards: Guards, cooldown: timedelta, now: datetime
) -> Outcome:
    """The outcome, with the number of failures in a row if it adds one.

    Args:
        outcome: the outcome to be written.
        before: the last earlier end of the workflow on the target.
        guards: the settings of the guards.
        cooldown: the cooldown after a run.
        now: aware UTC.
    """
    failure = outcome.failure
    if not guards.retry_limit or failure is None or failure.was_execution_failure is not False:
        return outcome
    failures = (before.failures if before else 0) + 1
    is_exhausted = failures >= guards.retry_limit
    ended_at = outcome.run.ended_at(now) if outcome.run else now
    pause = guards.pause_after(failures)
    again = ended_at + (max(pause, cooldown) if outcome.run else pause)
    return replace(outcome, failures=failures, next_allowed_at=None if is_exhausted else again)


def advised(
    outcome: Outcome, execution: Execution, *, guards: Guards, cooldown: timedelta, now: datetime
) -> Outcome:
    """The outcome; a failure says in addition when its workflow may run again.

    Args:
        outcome: with the number of failures in a row, if these are counted.
        execution: the one that has this outcome.
        guards: the settings of the guards.
        cooldown: the cooldown after a run; at least 0.
        now: aware UTC.
    """
    failure = outcome.failure
    said = _again(outcome, failure, execution, guards, cooldown, now) if failure else ""
    if failure is None or not said:
        return outcome
    before = failure.natural_language_summary
    after = f"{before} {said}"
    return replace(
        outcome,
        message=outcome.message.replace(before, after, 1),
        failure=failure.model_copy(update={"natural_language_summary": after}),
    )


def _again(
    outcome: Outcome,
    failure: FailureDetails,
    execution: Execution,
    guards: Guards,
    cooldown: timedelta,
    now: datetime,
) -> str:
    what, target = execution.workflow_id, execution.target
    clear = clear_command(execution.namespace, execution.name)
    if _is_blocked(outcome, failure, guards):
        return f"{runs_no_more(what, target)} before a person has cleared this: {clear}"
    until = outcome.next_allowed_at or _cooldown_end(outcome, execution, cooldown, now)
    if until is None:
        return ""
    # A run that was given up is still being ended, and its cooldown begins when it has ended.
    is_known = outcome.run is not None or execution.run_name is None
    when = f"{'from' if is_known else 'not before'} {until + _ALMOST_A_SECOND:%Y-%m-%d %H:%M:%S}"
    return (
        f"{may_run_again(what, target)} {when} UTC; "
        f"to lift that earlier, once somebody has looked: {clear}"
    )


def _is_blocked(outcome: Outcome, failure: FailureDetails, guards: Guards) -> bool:
    """Whether a guard blocks the workflow until a person clears the failure."""
    is_exhausted = 0 < guards.retry_limit <= (outcome.failures or 0)
    return is_exhausted or (guards.failed and failure.was_execution_failure is not False)


def _cooldown_end(
    outcome: Outcome, execution: Execution, cooldown: timedelta, now: datetime
) -> datetime | None:
    """The end of the cooldown; None where there is none, as without a run."""
    if not cooldown or (outcome.run is None and execution.run_name is None):
        return None
    ended_at = outcome.run.ended_at(now) if outcome.run else now.replace(microsecond=0)
    return ended_at + cooldown
