"""Duplicates put together, so that people hear of one incident once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflowexecution.orchestrator import Key, group_duplicates


def skipped(name: str, blocker: str, reason: str = "ResourceBusy") -> dict[str, Any]:
    field = "conflictingWorkflow" if reason == "ResourceBusy" else "recentRemediation"
    details = {"reason": reason, field: {"name": blocker, "namespace": "team-b"}}
    return {
        "metadata": {"name": name, "namespace": "team-a"},
        "spec": {"remediationRequestRef": {"name": f"request-{name}"}},
        "status": {"phase": "Skipped", "skipDetails": details},
    }


def ended(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "team-b"}, "status": {"phase": phase}}


def told(*executions: dict[str, Any]) -> dict[str, list[str]]:
    return {
        str(group.of): [str(member.request) for member in group.members]
        for group in group_duplicates(executions)
    }


def test_duplicates_are_grouped_by_what_they_duplicate() -> None:
    assert told(
        skipped("d", "second"),
        ended("first", "Completed"),
        skipped("c", "first", "RecentlyRemediated"),
        skipped("a", "first"),
        ended("second", "Failed"),
        skipped("b", "second"),
    ) == {
        "team-b/first": ["team-a/request-a", "team-a/request-c"],
        "team-b/second": ["team-a/request-b", "team-a/request-d"],
    }


def test_what_is_duplicated_need_not_be_there() -> None:
    (group,) = group_duplicates([skipped("a", "long-gone")])
    assert group.of == Key("team-b", "long-gone")


def test_whatever_is_no_duplicate_is_left_out() -> None:
    nobody: dict[str, Any] = {**skipped("a", "x"), "status": {"phase": "Skipped"}}
    decided = skipped("b", "x", "ExhaustedRetries")
    assert told(ended("a", "Completed"), ended("b", "Failed"), ended("c", ""), nobody, decided) == (
        {}
    )
    assert group_duplicates([]) == ()


def test_one_given_twice_counts_once_as_given_last() -> None:
    before = ended("a", "Running") | {"metadata": {"name": "a", "namespace": "team-a"}}
    after = skipped("a", "first")
    assert told(before, after, after) == {"team-b/first": ["team-a/request-a"]}


@given(st.permutations([skipped(name, blocker) for name in "abcd" for blocker in "xy"][::3]))
def test_the_order_given_does_not_matter(executions: list[dict[str, Any]]) -> None:
    assert group_duplicates(executions) == group_duplicates(executions[::-1])
