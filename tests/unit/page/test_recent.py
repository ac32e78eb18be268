"""The newest executions are kept within bounds, and no namespace pushes out another."""

from datetime import timedelta

from builders import NOW, make_execution, raw_execution, raw_spec
from workflowexecution.api.fields import format_time
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.page.recent import MOST, PER_NAMESPACE, Recent, slim
from workflowexecution.views.executions import Wanted, rows_of


def execution(number: int, namespace: str = "team-a", version: int = 1) -> Execution:
    """The n-th that was created, a minute after the one before."""
    raw = raw_execution(f"x-{number}", namespace=namespace, version=version)
    raw["metadata"]["uid"] = f"{namespace}-{number}"
    raw["metadata"]["creationTimestamp"] = format_time(NOW + timedelta(minutes=number))
    return parse_execution(raw)


def test_a_namespace_keeps_its_newest() -> None:
    recent = Recent()
    for number in range(500):
        recent.take_in(execution(number))
    kept = {item.name for item in recent.executions(["team-a"])}
    assert {f"x-{number}" for number in range(500 - PER_NAMESPACE, 500)} <= kept
    assert len(kept) <= PER_NAMESPACE * 1.25
    assert recent.has_older(["team-a"])
    assert not recent.has_older(["team-b"])


def test_a_busy_crowd_does_not_push_out_a_quiet_namespace() -> None:
    recent = Recent()
    recent.take_in(execution(0, "quiet"))
    for number in range(60):
        for team in range(50):
            recent.take_in(execution(number, f"busy-{team}"))
    assert len(recent) <= MOST * 1.25
    assert [item.name for item in recent.executions(["quiet"])] == ["x-0"]
    assert all(recent.executions([f"busy-{team}"]) for team in range(50))


def test_more_namespaces_than_places_keep_the_ones_in_which_something_happens() -> None:
    recent = Recent()
    for number in range(2000):
        recent.take_in(execution(number, f"team-{number}"))
    assert MOST <= len(recent) <= MOST * 1.25
    assert recent.executions(["team-1999"])
    assert not recent.executions(["team-0"])


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    recent = Recent()
    recent.take_in(execution(1, version=7))
    recent.take_in(execution(1, version=6))
    assert [item.resource_version for item in recent.executions(["team-a"])] == ["7"]
    assert len(recent) == 1


def test_a_list_that_was_begun_before_does_not_bring_back_what_is_deleted() -> None:
    recent = Recent()
    gone = execution(1)
    recent.drop(gone.namespace, gone.uid)
    recent.take_in(gone)
    assert len(recent) == 0
    assert recent.namespaces() == set()


def test_what_is_kept_is_what_a_list_shows_and_no_more() -> None:
    raw = raw_execution(
        spec={**raw_spec(), "parameters": {"SECRET": "hunter2"}, "rationale": "r" * 9999},
        status={
            "phase": "Skipped",
            "conditions": [{"type": "Succeeded", "reason": "ResourceBusy", "message": "m" * 9999}],
            "skipDetails": {
                "message": "m" * 9999,
                "conflictingWorkflow": {"namespace": "team-b", "name": "other"},
            },
        },
    )
    whole = parse_execution(raw)
    small = slim(whole)
    (before,) = rows_of([whole], Wanted(), NOW)
    (after,) = rows_of([small], Wanted(), NOW)
    assert (after.reason, after.blocker, after.age) == (before.reason, before.blocker, before.age)
    assert after.blocker == "team-b/other"
    assert len(repr(small)) < 1500
    assert "hunter2" not in repr(small)


def test_one_that_has_no_status_yet_is_kept() -> None:
    recent = Recent()
    recent.take_in(make_execution())
    assert len(recent) == 1
