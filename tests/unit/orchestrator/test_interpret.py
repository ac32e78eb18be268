"""An orchestrator gets advice for every status that an execution can have."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflowexecution.api.status import FailureReason, SkipReason
from workflowexecution.orchestrator import (
    Interpretation,
    Key,
    NextStep,
    Standing,
    execution_name,
    group_duplicates,
    interpret,
)
from workflowexecution.orchestrator.advice import BEFORE_EXECUTION, DURING_EXECUTION, SKIPPED

SKIPPED_AT = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
BLOCKER = {
    "name": "winner",
    "namespace": "team-b",
    "workflowId": "restart",
    "targetResource": "Node/worker-1",
}
BUSY = {
    "reason": "ResourceBusy",
    "message": "the target is held",
    "skippedAt": "2026-01-02T12:00:00Z",
    "conflictingWorkflow": {**BLOCKER, "startedAt": "2026-01-02T11:59:00Z"},
}
RECENT = {
    "reason": "RecentlyRemediated",
    "message": "it has just ended",
    "skippedAt": "2026-01-02T12:00:00Z",
    "recentRemediation": {
        **BLOCKER,
        "completedAt": "2026-01-02T11:56:00Z",
        "outcome": "Completed",
        "cooldownRemaining": "1m30s",
    },
}


def execution(status: object = None, **spec: object) -> dict[str, Any]:
    reference = {"name": "high-memory", "namespace": "team-a"}
    raw: dict[str, Any] = {
        "metadata": {"name": "mine", "namespace": "team-a"},
        "spec": {"remediationRequestRef": reference, **spec},
    }
    return raw if status is None else {**raw, "status": status}


def failed(reason: str, **details: object) -> Interpretation:
    known = {"reason": reason, "message": "short", "naturalLanguageSummary": "in full"}
    status = {"phase": "Failed", "failureReason": reason, "failureDetails": {**known, **details}}
    return interpret(execution(status))


def skipped(details: object) -> Interpretation:
    return interpret(execution({"phase": "Skipped", "skipDetails": details}))


def for_request(details: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
    """A skip whose cause names its request."""
    (kind,) = {"conflictingWorkflow", "recentRemediation"} & details.keys()
    return {**details, kind: {**details[kind], "remediationRequestRef": request}}


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(None, id="not-yet-seen"),
        pytest.param({}, id="empty"),
        pytest.param({"phase": ""}, id="empty-phase"),
        pytest.param({"phase": "Pending"}, id="pending"),
        pytest.param({"phase": "Running"}, id="running"),
        pytest.param({"phase": "Paused"}, id="a-phase-of-a-later-version"),
        pytest.param({"phase": None, "failureDetails": {}}, id="null"),
        pytest.param("Completed", id="no-object"),
    ],
)
def test_what_has_not_ended_is_waited_for(status: object) -> None:
    said = interpret(execution(status))
    assert (said.standing, said.next_step) == (Standing.IN_PROGRESS, NextStep.WAIT)
    assert not said.has_ended
    assert (said.execution, said.request) == (Key("team-a", "mine"), Key("team-a", "high-memory"))


def test_an_execution_may_be_frozen_through_and_through() -> None:
    """Clients keep objects in caches that nobody may change."""

    def frozen(value: object) -> object:
        if isinstance(value, dict):
            return MappingProxyType({key: frozen(item) for key, item in value.items()})
        return value

    as_it_is = execution({"phase": "Skipped", "skipDetails": RECENT})
    freeze = cast("Mapping[str, Any]", frozen(as_it_is))
    assert interpret(freeze) == interpret(as_it_is)


def test_a_completed_execution_closes_its_request() -> None:
    said = interpret(execution({"phase": "Completed"}))
    assert (said.standing, said.next_step) == (Standing.COMPLETED, NextStep.CLOSE)
    assert said.has_ended
    assert not said.next_step.needs_a_person


@pytest.mark.parametrize("reason", FailureReason)
def test_a_failure_after_a_step_had_started_is_for_a_person(reason: FailureReason) -> None:
    said = failed(reason, wasExecutionFailure=True)
    assert (said.standing, said.reason) == (Standing.FAILED, reason)
    assert said.next_step is NextStep.ASK_A_PERSON
    assert said.because == DURING_EXECUTION[reason].because
    assert said.summary == "in full"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (FailureReason.RESOURCE_EXHAUSTED, NextStep.RETRY),
        (FailureReason.DEADLINE_EXCEEDED, NextStep.RETRY),
        (FailureReason.CONFIGURATION_ERROR, NextStep.FIX_THEN_RETRY),
        (FailureReason.IMAGE_PULL_BACK_OFF, NextStep.FIX_THEN_RETRY),
        (FailureReason.FORBIDDEN, NextStep.FIX_THEN_RETRY),
        (FailureReason.OOM_KILLED, NextStep.ASK_A_PERSON),
        (FailureReason.TASK_FAILED, NextStep.ASK_A_PERSON),
        (FailureReason.UNKNOWN, NextStep.ASK_A_PERSON),
    ],
)
def test_a_failure_before_any_step_depends_on_its_cause(
    reason: FailureReason, expected: NextStep
) -> None:
    said = failed(reason, wasExecutionFailure=False)
    assert said.next_step is expected
    assert said.because == BEFORE_EXECUTION[reason].because
    assert said.next_step.needs_a_person is (expected is not NextStep.RETRY)


@pytest.mark.parametrize("told", [None, "false", 0, {}])
def test_where_nothing_is_told_something_may_have_been_changed(told: object) -> None:
    said = failed("ResourceExhausted", wasExecutionFailure=told)
    assert said.next_step is NextStep.ASK_A_PERSON
    assert "not known whether a step had started" in said.because


@pytest.mark.parametrize("had_started", [True, False])
def test_a_reason_of_a_later_version_is_for_a_person(had_started: bool) -> None:
    said = failed("SolarFlare", wasExecutionFailure=had_started)
    assert (said.reason, said.next_step) == ("SolarFlare", NextStep.ASK_A_PERSON)


def test_a_failure_without_details_is_for_a_person() -> None:
    said = interpret(execution({"phase": "Failed", "failureReason": "OOMKilled"}))
    assert (said.reason, said.next_step) == ("OOMKilled", NextStep.ASK_A_PERSON)
    assert said.summary == ""


def test_a_failure_says_until_when_to_wait_where_that_is_told() -> None:
    status = {"phase": "Failed", "nextAllowedExecution": "2026-01-02T12:00:00Z"}
    assert interpret(execution(status)).until == SKIPPED_AT
    assert failed("Unknown").until is None


@pytest.mark.parametrize("details", [BUSY, RECENT], ids=["busy", "recent"])
def test_a_skip_is_a_duplicate_of_who_was_in_the_way(details: dict[str, Any]) -> None:
    said = skipped(details)
    assert (said.standing, said.next_step) == (Standing.SKIPPED, NextStep.CLOSE_AS_DUPLICATE)
    assert said.duplicate_of == Key("team-b", "winner")
    assert said.duplicate_of_request is None
    assert (said.reason, said.summary) == (details["reason"], details["message"])


@pytest.mark.parametrize("details", [BUSY, RECENT], ids=["busy", "recent"])
def test_a_skip_names_the_request_of_who_was_in_the_way(details: dict[str, Any]) -> None:
    said = skipped(for_request(details, {"name": "disk-full", "namespace": "team-c", "uid": "u"}))
    assert said.duplicate_of == Key("team-b", "winner")
    assert said.duplicate_of_request == Key("team-c", "disk-full")
    beside = skipped(for_request(details, {"name": "disk-full"}))
    assert beside.duplicate_of_request == Key("team-b", "disk-full")


def test_its_own_earlier_attempt_is_known_by_its_request_whatever_its_name() -> None:
    own = {"name": "high-memory", "namespace": "team-a"}
    said = skipped(for_request(RECENT, own))
    assert said.next_step is NextStep.RETRY
    assert (said.duplicate_of, said.duplicate_of_request) == (None, None)
    # Another request may well have an execution of the name that an attempt at this one has.
    attempt = {**BLOCKER, "namespace": "team-a", "name": execution_name("high-memory", 2)}
    other = {**BUSY, "conflictingWorkflow": {**attempt, "startedAt": "2026-01-02T11:59:00Z"}}
    assert skipped(other).next_step is NextStep.RETRY
    said = skipped(for_request(other, {"name": "high-memory-2"}))
    assert said.next_step is NextStep.CLOSE_AS_DUPLICATE


def test_the_time_that_the_status_gives_for_the_next_attempt_is_what_counts() -> None:
    status = {
        "phase": "Skipped",
        "skipDetails": RECENT,
        "nextAllowedExecution": "2026-01-02T12:02:00Z",
    }
    assert interpret(execution(status)).until == SKIPPED_AT + timedelta(minutes=2)


def test_the_end_of_a_cooldown_is_an_instant() -> None:
    assert skipped(RECENT).until == SKIPPED_AT + timedelta(minutes=1, seconds=30)
    assert skipped(BUSY).until is None


@pytest.mark.parametrize("remaining", [None, "", "soon", 90, "9" * 40 + "h", "2562047000h"])
def test_an_end_that_cannot_be_told_is_not_told(remaining: object) -> None:
    recent = {**RECENT["recentRemediation"], "cooldownRemaining": remaining}  # type: ignore[dict-item]
    said = skipped({**RECENT, "recentRemediation": recent})
    assert said.until is None
    assert said.duplicate_of == Key("team-b", "winner")


def test_a_blocker_without_namespace_is_looked_for_beside_the_skipped() -> None:
    nameless = {key: said for key, said in BLOCKER.items() if key != "namespace"}
    assert skipped({**BUSY, "conflictingWorkflow": nameless}).duplicate_of == Key(
        "team-a", "winner"
    )


@pytest.mark.parametrize("details", [BUSY, RECENT], ids=["busy", "recent"])
@pytest.mark.parametrize("attempt", [1, 2])
def test_a_request_is_no_duplicate_of_its_own_earlier_attempt(
    details: dict[str, Any], attempt: int
) -> None:
    own = {"name": execution_name("high-memory", attempt), "namespace": "team-a"}
    field = "conflictingWorkflow" if details is BUSY else "recentRemediation"
    said = skipped({**details, field: {**details[field], **own}})
    assert (said.next_step, said.duplicate_of) == (NextStep.RETRY, None)
    assert said.until == skipped(details).until

    elsewhere = {**details, field: {**details[field], **own, "namespace": "team-b"}}
    assert skipped(elsewhere).next_step is NextStep.CLOSE_AS_DUPLICATE


@pytest.mark.parametrize("reason", ["ExhaustedRetries", "PreviousExecutionFailed"])
def test_skips_that_an_orchestrator_decided_are_for_a_person(reason: str) -> None:
    said = skipped({**BUSY, "reason": reason})
    assert (said.next_step, said.duplicate_of) == (NextStep.ASK_A_PERSON, None)


@pytest.mark.parametrize(
    "details",
    [
        None,
        {},
        {"reason": "ResourceBusy"},
        {"reason": "ResourceBusy", "conflictingWorkflow": {"name": ""}},
        {**BUSY, "reason": "FullMoon"},
        {**BUSY, "reason": ["ResourceBusy"]},
    ],
)
def test_a_skip_that_names_nobody_is_for_a_person(details: object) -> None:
    said = skipped(details)
    assert (said.standing, said.next_step) == (Standing.SKIPPED, NextStep.ASK_A_PERSON)
    assert said.duplicate_of is None


def test_a_request_is_where_its_reference_says() -> None:
    there = {"name": "high-memory", "namespace": "requests"}
    here = {"name": "high-memory"}
    assert interpret(execution(remediationRequestRef=there)).request == Key(
        "requests", "high-memory"
    )
    assert interpret(execution(remediationRequestRef=here)).request == Key("team-a", "high-memory")
    assert interpret(execution(remediationRequestRef=None)).request == Key("team-a", "")


def test_every_reason_of_the_api_has_its_row() -> None:
    assert set(BEFORE_EXECUTION) == set(DURING_EXECUTION) == set(FailureReason)
    assert set(SKIPPED) == set(SkipReason)


def test_nothing_is_retried_alone_that_may_have_changed_something() -> None:
    for reason, said in DURING_EXECUTION.items():
        assert said.next_step is NextStep.ASK_A_PERSON, reason


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1e300, "", "\x00", "Completed", "1m30s", [], [None], [{}], {}, {"": None}]
)
TIMES = st.sampled_from(
    ["2026-01-02T12:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59Z", "soon"]
)


def odd_object(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object of which any field may be missing, or anything at all."""
    kept = {name: usual | ODD for name, usual in fields.items()}
    return st.fixed_dictionaries({}, optional=kept) | ODD


REFERENCE = odd_object(
    name=st.sampled_from(["a", "we-a"]),
    namespace=st.just("team-a"),
    cooldownRemaining=st.sampled_from(["1m30s", "9h9"]),
)
ANYTHING = st.fixed_dictionaries(
    {},
    optional={
        "metadata": odd_object(name=st.just("we-a"), namespace=st.just("team-a")),
        "spec": odd_object(remediationRequestRef=REFERENCE),
        "status": odd_object(
            phase=st.sampled_from(["Pending", "Running", "Completed", "Failed", "Skipped"]),
            failureReason=st.sampled_from(list(map(str, FailureReason))),
            nextAllowedExecution=TIMES,
            failureDetails=odd_object(
                reason=st.sampled_from(list(map(str, FailureReason))),
                wasExecutionFailure=st.booleans(),
            ),
            skipDetails=odd_object(
                reason=st.sampled_from(list(map(str, SkipReason))),
                skippedAt=TIMES,
                conflictingWorkflow=REFERENCE,
                recentRemediation=REFERENCE,
            ),
        ),
    },
)


@given(ANYTHING)
def test_no_object_is_too_odd(raw: dict[str, Any]) -> None:
    said = interpret(raw)
    assert said.because
    assert said.has_ended is (said.next_step is not NextStep.WAIT)
    assert (said.duplicate_of is not None) is (said.next_step is NextStep.CLOSE_AS_DUPLICATE)
    if said.next_step is NextStep.RETRY and said.standing is Standing.FAILED:
        assert raw["status"]["failureDetails"]["wasExecutionFailure"] is False


def skip_of(name: str, blocker: str, reason: str = "ResourceBusy") -> dict[str, Any]:
    field = "conflictingWorkflow" if reason == "ResourceBusy" else "recentRemediation"
    details = {"reason": reason, field: {"name": blocker, "namespace": "team-b"}}
    return {
        "metadata": {"name": name, "namespace": "team-a"},
        "spec": {"remediationRequestRef": {"name": f"request-{name}"}},
        "status": {"phase": "Skipped", "skipDetails": details},
    }


def ended(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "team-b"}, "status": {"phase": phase}}


def groups_of(*executions: dict[str, Any]) -> dict[str, list[str]]:
    return {
        str(group.of): [str(member.request) for member in group.members]
        for group in group_duplicates(executions)
    }


def test_duplicates_are_grouped_by_what_they_duplicate() -> None:
    assert groups_of(
        skip_of("d", "second"),
        ended("first", "Completed"),
        skip_of("c", "first", "RecentlyRemediated"),
        skip_of("a", "first"),
        ended("second", "Failed"),
        skip_of("b", "second"),
    ) == {
        "team-b/first": ["team-a/request-a", "team-a/request-c"],
        "team-b/second": ["team-a/request-b", "team-a/request-d"],
    }


def test_what_is_duplicated_need_not_be_there() -> None:
    (group,) = group_duplicates([skip_of("a", "long-gone")])
    assert group.of == Key("team-b", "long-gone")


def test_whatever_is_no_duplicate_is_left_out() -> None:
    nobody: dict[str, Any] = {**skip_of("a", "x"), "status": {"phase": "Skipped"}}
    decided = skip_of("b", "x", "ExhaustedRetries")
    assert groups_of(
        ended("a", "Completed"), ended("b", "Failed"), ended("c", ""), nobody, decided
    ) == ({})
    assert group_duplicates([]) == ()


def test_one_given_twice_counts_once_as_given_last() -> None:
    before = ended("a", "Running") | {"metadata": {"name": "a", "namespace": "team-a"}}
    after = skip_of("a", "first")
    assert groups_of(before, after, after) == {"team-b/first": ["team-a/request-a"]}


@given(st.permutations([skip_of(name, blocker) for name in "abcd" for blocker in "xy"][::3]))
def test_the_order_given_does_not_matter(executions: list[dict[str, Any]]) -> None:
    assert group_duplicates(executions) == group_duplicates(executions[::-1])
