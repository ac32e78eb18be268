"""The advice after a failure: when its workflow may run again, and what lifts that earlier."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from workflowexecution.api.status_model import FailureDetails
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.guards import Guards
from workflowexecution.core.status.outcome import Outcome
from workflowexecution.core.text import clear_command

_ALMOST_A_SECOND: Final = timedelta(microseconds=999_999)


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
    what = f"Workflow {execution.workflow_id}"
    clear = clear_command(execution.namespace, execution.name)
    if _is_blocked(outcome, failure, guards):
        return (
            f"{what} does not run on {execution.target} again before a person has cleared this: "
            f"{clear}"
        )
    until = outcome.next_allowed_at or _cooldown_end(outcome, execution, cooldown, now)
    if until is None:
        return ""
    # A run that was given up is still being ended, and its cooldown begins when it has ended.
    is_known = outcome.run is not None or execution.run_name is None
    when = f"{'from' if is_known else 'not before'} {until + _ALMOST_A_SECOND:%Y-%m-%d %H:%M:%S}"
    return (
        f"{what} may run on {execution.target} again {when} UTC; "
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
