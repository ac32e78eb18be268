"""The answer about an execution is true after a change since its status was written."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, TARGET, finished_run, make_execution, raw_execution
from workflowexecution.api import identity
from workflowexecution.api.status import FailureReason, SkipReason
from workflowexecution.core import evidence
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.guards import Guards, advised
from workflowexecution.core.status.failures import outcome_of_refusal, outcome_of_skip
from workflowexecution.core.verdict import Refuse, Skip
from workflowexecution.views.preview import Preview
from workflowexecution.views.why import happened_to, why_of

NOTE = "jane at 2026-01-02T12:01:00Z: it was the network"
OTHER = f"Workflow restart may run on {TARGET} again from what a step wrote UTC"
GUARDS = [Guards(failed=True), Guards()]


def told(guards: Guards, note: str, phase: str = "Failed", problem: str = "odd") -> str:
    """The answer about a failure that the operator has reported with these settings."""
    refused = outcome_of_refusal(
        make_execution(), Refuse(problem, FailureReason.CONFIGURATION_ERROR), NOW
    )
    assert refused.failure
    begun = refused.failure.model_copy(update={"was_execution_failure": True})
    outcome = advised(
        replace(refused, failure=begun),
        make_execution(number=1),
        guards=guards,
        cooldown=timedelta(minutes=5),
        now=NOW,
    )
    assert outcome.failure
    summary = outcome.failure.natural_language_summary
    raw: dict[str, Any] = raw_execution(
        status={"phase": phase, "failureDetails": {"naturalLanguageSummary": summary}}
    )
    raw["metadata"]["annotations"] = {identity.CLEAR_ANNOTATION: note}
    return happened_to(parse_execution(raw))


@pytest.mark.parametrize("guards", GUARDS, ids=repr)
def test_what_was_cleared_keeps_nobody_away(guards: Guards) -> None:
    kept, cleared = told(guards, " "), told(guards, NOTE)
    assert f" on {TARGET} again" in kept
    assert "kubectl wfe clear" in kept
    assert f" on {TARGET} again" not in cleared
    assert "kubectl wfe clear" not in cleared
    ending = " A person has cleared this: it keeps workflow restart away no longer."
    assert kept.startswith(cleared.removesuffix(ending))
    assert cleared.endswith(ending)


def test_what_a_step_wrote_is_not_cut() -> None:
    assert OTHER in told(Guards(), NOTE, problem=OTHER)


def test_only_a_failure_is_cleared() -> None:
    assert told(Guards(), NOTE, phase="Skipped") == told(Guards(), " ")


def test_a_time_that_counted_from_the_skip_is_a_moment() -> None:
    """The time of the next run, computed now, would contradict it."""
    last = evidence.end_of_run(finished_run(), NOW)
    assert last
    skip = Skip(SkipReason.RECENTLY_REMEDIATED, last, until=NOW + timedelta(seconds=90))
    details = outcome_of_skip(skip, NOW).skip
    assert details
    assert "; it may run again in 1m30s" in details.message
    dumped: dict[str, Any] = details.model_dump(by_alias=True, mode="json")
    status = {"phase": "Skipped", "skipDetails": dumped}
    said = happened_to(parse_execution(raw_execution(status=status)))
    assert said.endswith("; it was to wait until 2026-01-02 12:01:30 UTC")
    odd = {**dumped, "recentRemediation": {"cooldownRemaining": "soon"}}
    kept = happened_to(parse_execution(raw_execution(status={**status, "skipDetails": odd})))
    assert kept == details.message


@pytest.mark.parametrize(
    "reason", [SkipReason.PREVIOUS_EXECUTION_FAILED, SkipReason.EXHAUSTED_RETRIES]
)
def test_once_it_is_cleared_nothing_is_said_to_wait_for_that(reason: SkipReason) -> None:
    last = evidence.end_of_run(finished_run(), NOW)
    assert last
    details = outcome_of_skip(Skip(reason, last), NOW).skip
    assert details
    status = {"phase": "Skipped", "skipDetails": details.model_dump(by_alias=True, mode="json")}
    execution = parse_execution(raw_execution(status=status))
    now = Preview(target=TARGET, workflow_id="restart", decision="Launch", reason="", message="")
    assert "kubectl wfe clear" in why_of(execution, None, NOW).happened
    found = why_of(execution, now, NOW)
    assert (found.again, "clear" in found.happened) == ("now", False)
    assert details.message.startswith(found.happened)
