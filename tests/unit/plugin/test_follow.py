"""Executions are followed through everything that an API server does to a watch."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from builders import make_execution, raw_execution
from unit.plugin.scripted import cut_after, json_of, lines_of, scripted
from workflowexecution.client import pod_logs
from workflowexecution.kube import errors
from workflowexecution.plugin import follow, session
from workflowexecution.plugin.commands import executions
from workflowexecution.plugin.follow import Follower

RUNNING: dict[str, Any] = {"phase": "Running"}
ENDED: dict[str, Any] = {"phase": "Completed"}


def listed(*items: dict[str, Any], version: str = "10") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": version}, "items": list(items)}


def event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": item}


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PAUSE_S", 0.0)
    monkeypatch.setattr(session, "_CLOSING_S", 0.0)
    monkeypatch.setattr(pod_logs, "_PAUSE_S", 0.0)


async def told(follower: Follower, count: int) -> list[tuple[str, str, bool]]:
    """The first changes: name, phase, and whether it is deleted."""
    found: list[tuple[str, str, bool]] = []
    async with asyncio.timeout(10):
        async for changes in follower.changes():
            for change in changes:
                execution = change.execution
                found.append((execution.name, execution.phase or "", change.is_deleted))
            if len(found) >= count:
                return found
    raise AssertionError(found)


async def test_what_is_active_is_listed_and_changes_are_followed_from_there() -> None:
    async with scripted(
        json_of(listed(raw_execution("a", status=RUNNING))),
        lines_of(
            event("MODIFIED", raw_execution("a", status=ENDED, version=11)),
            event("BOOKMARK", {"metadata": {"resourceVersion": "15"}}),
        ),
        lines_of(event("ADDED", raw_execution("b", version=16))),
    ) as (asking, asked):
        follower = Follower(asking, ["team-a"], which="x=y", on_trouble=pytest.fail)
        found = await told(follower, 3)
    assert found == [("a", "Running", False), ("a", "Completed", False), ("b", "", False)]
    queries = [dict(request.query) for request in asked]
    assert queries[0]["fieldSelector"].startswith("x=y,status.phase!=Completed,")
    assert [query.get("resourceVersion") for query in queries] == [None, "10", "15"]
    assert queries[1]["fieldSelector"] == "x=y"


async def test_after_a_gap_it_is_found_out_what_became_of_each() -> None:
    gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
    missing = {"kind": "Status", "reason": "NotFound", "message": "no"}
    async with scripted(
        json_of(listed(raw_execution("a", status=RUNNING), raw_execution("b", status=RUNNING))),
        lines_of(gone),
        json_of(listed(raw_execution("c"), version="20")),
        json_of(raw_execution("a", status=ENDED)),
        json_of(missing, 404),
        lines_of(),
    ) as (asking, _):
        found = await told(Follower(asking, ["team-a"], on_trouble=pytest.fail), 5)
    assert found[2:] == [("c", "", False), ("a", "Completed", False), ("b", "Running", True)]


async def test_a_server_that_is_away_for_a_while_is_told_of_and_asked_again() -> None:
    troubles: list[str] = []
    async with scripted(
        json_of({}, 503),
        json_of(listed(raw_execution("a", status=RUNNING))),
        lines_of('{"half of an ob'),
        lines_of(event("MODIFIED", raw_execution("a", status=ENDED))),
    ) as (asking, _):
        known = [make_execution("a")]
        follower = Follower(asking, [], known=known, on_trouble=troubles.append)
        found = await told(follower, 2)
    assert found == [("a", "Running", False), ("a", "Completed", False)]
    assert len(troubles) == 2
    assert "half of an ob" not in " ".join(troubles)


async def test_a_server_that_never_answered_may_be_the_wrong_one() -> None:
    async with scripted(json_of({}, 503)) as (asking, _):
        with pytest.raises(errors.UnavailableError):
            await told(Follower(asking, [], on_trouble=pytest.fail), 1)


async def test_a_right_that_is_missing_is_no_trouble_but_an_error() -> None:
    refused = {"reason": "Forbidden", "message": 'is forbidden: User "x" cannot list resource "y"'}
    async with scripted(json_of(refused, 403)) as (asking, _):
        with pytest.raises(errors.MissingRightError):
            await told(Follower(asking, [], on_trouble=pytest.fail), 1)


async def test_a_log_is_told_once_though_its_connection_is_lost() -> None:
    first = ("2026-01-01T00:00:00.100000000Z one", "2026-01-01T00:00:00.200000000Z two")
    third = "2026-01-01T00:00:00.300000000Z three"
    async with scripted(cut_after(*first), json_of({}, 500), lines_of(*first, third)) as (
        asking,
        asked,
    ):
        lines = pod_logs.follow_log(asking.client, "runs", "pod", "step-a", 5, lambda: False)
        assert [line async for line in lines] == ["one", "two", "three"]
    queries = [request.query for request in asked]
    assert [query.get("tailLines") for query in queries] == ["5", None, None]
    assert queries[2]["sinceTime"] == first[1].partition(" ")[0]


async def test_a_log_that_nobody_gives_out_is_given_up_once_all_is_over() -> None:
    async with scripted(json_of({}, 500)) as (asking, _):
        lines = pod_logs.follow_log(asking.client, "runs", "pod", "step-a", None, lambda: True)
        with pytest.raises(errors.UnavailableError):
            await anext(lines)


async def test_a_list_is_followed_by_what_changes_in_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = {"kind": "Status", "reason": "Invalid", "message": "enough"}
    async with scripted(
        json_of(listed(raw_execution("a", status=ENDED), raw_execution("b", status=RUNNING))),
        lines_of(
            event("MODIFIED", raw_execution("a", status=ENDED)),
            event("MODIFIED", raw_execution("b", status=ENDED, version=11)),
            event("DELETED", raw_execution("b", status=ENDED, version=12)),
        ),
        json_of(refused, status=422),
    ) as (asking, asked):
        with pytest.raises(errors.RejectedError):
            await executions.list_executions(asking, workflow="restart", labels="x=y", follow=True)
    lines = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["NAME", "PHASE"], ["b", "Running"], ["a", "Completed"], ["b", "Completed"]]
    chosen = [(request.query["labelSelector"], request.query["fieldSelector"]) for request in asked]
    assert set(chosen) == {("x=y", "spec.workflowRef.workflowId=restart")}
