"""Claims are known correctly in any order of watch events and answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from builders import RUN_NAMESPACE, make_policy
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.claims import Claims
from workflowexecution.core.policy import EVERYWHERE
from workflowexecution.kube import errors

OURS, THEIRS = RUN_NAMESPACE, "their-runs"


def raw_claim(namespace: str, holder: str, version: int = 1) -> dict[str, Any]:
    meta = {"name": "workflowexecutions", "namespace": namespace, "resourceVersion": str(version)}
    return {"metadata": meta, "spec": {"executionNamespace": holder}}


class There:
    """The claims at the API server; ``on_the_way`` happens before an answer is home."""

    def __init__(self) -> None:
        self.claims: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.refusal: errors.ApiError | None = None
        self.on_the_way: Callable[[], None] = lambda: None

    async def list_claims(self, namespaces: Sequence[str] = ()) -> AsyncIterator[dict[str, Any]]:
        self.asked.append("list")
        found = [raw for name, raw in self.claims.items() if name in (namespaces or self.claims)]
        self.on_the_way()
        for raw in found:
            yield raw

    async def create_claim(self, namespace: str) -> dict[str, Any]:
        self.asked.append(f"create {namespace}")
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        if namespace in self.claims:
            raise errors.AlreadyExistsError("it is there", status=409)
        made = self.claims[namespace] = raw_claim(namespace, OURS, 10)
        self.on_the_way()
        return made


@pytest.fixture
def there() -> There:
    return There()


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def claims(there: There, changes: list[str]) -> Claims:
    """Of an installation for one namespace."""
    policy = replace(make_policy(), watch_namespaces=("team-a",))
    return Claims(cast(Cluster, there), policy, lambda: changes.append("changed"))


@pytest.fixture
def wide(there: There, changes: list[str]) -> Claims:
    """Of an installation for all namespaces."""
    return Claims(cast(Cluster, there), make_policy(), lambda: changes.append("changed"))


async def test_a_namespace_is_claimed_once_however_many_ask(claims: Claims, there: There) -> None:
    assert await asyncio.gather(*(claims.take("team-a") for _ in range(5))) == [True] * 5
    assert there.asked == ["create team-a"]
    assert not claims.is_left("team-a")


async def test_who_comes_second_leaves_it_and_asks_no_more(
    claims: Claims, there: There, changes: list[str]
) -> None:
    there.claims["team-a"] = raw_claim("team-a", THEIRS)
    assert not await claims.take("team-a")
    assert not await claims.take("team-a")
    assert there.asked == ["create team-a", "list"]
    assert (claims.is_left("team-a"), claims.count_left(), changes) == (True, 1, ["changed"])
    assert claims.problem() == (
        "executions are left alone in namespace team-a: claimed by the installation whose runs "
        "are in their-runs"
    )


async def test_a_claim_of_the_same_installation_is_ours(claims: Claims, there: There) -> None:
    there.claims["team-a"] = raw_claim("team-a", OURS)
    assert await claims.take("team-a")
    assert claims.problem() == ""


async def test_who_leaves_all_namespaces_claims_none_of_them(wide: Claims, there: There) -> None:
    there.claims[EVERYWHERE] = raw_claim(EVERYWHERE, THEIRS)
    assert not await wide.take("team-a")
    assert there.asked == [f"create {EVERYWHERE}", "list"]
    assert "all namespaces" in wide.problem()


async def test_who_serves_all_namespaces_may_leave_one_and_is_well(
    wide: Claims, there: There
) -> None:
    there.claims["team-a"] = raw_claim("team-a", THEIRS)
    await wide.relist()
    assert not await wide.take("team-a")
    assert await wide.take("team-b")
    assert (wide.problem(), wide.count_left()) == ("", 1)


async def test_a_claim_that_came_and_went_is_asked_for_again(claims: Claims, there: There) -> None:
    there.refusal = errors.AlreadyExistsError("it is there", status=409)
    with pytest.raises(errors.UnavailableError):
        await claims.take("team-a")


async def test_what_a_watch_has_told_meanwhile_is_newer_than_an_answer(
    claims: Claims, there: There
) -> None:
    def taken_by_others() -> None:
        claims.on_event("DELETED", raw_claim("team-a", OURS, 11))
        claims.on_event("ADDED", raw_claim("team-a", THEIRS, 12))

    there.on_the_way = taken_by_others
    assert not await claims.take("team-a")
    there.claims["team-a"] = raw_claim("team-a", OURS, 10)
    await claims.relist()
    assert claims.is_left("team-a")


async def test_an_event_that_is_late_is_no_news(claims: Claims, there: There) -> None:
    there.claims["team-a"] = raw_claim("team-a", THEIRS, 12)
    await claims.relist()
    claims.on_event("ADDED", raw_claim("team-a", OURS, 10))
    claims.on_event("DELETED", raw_claim("team-a", OURS, 11))
    assert claims.is_left("team-a")


async def test_a_list_tells_what_a_watch_has_missed(claims: Claims, changes: list[str]) -> None:
    claims.on_event("ADDED", raw_claim("team-a", THEIRS))
    assert changes == ["changed"]
    await claims.relist()
    assert not claims.is_left("team-a")
    # The executions are listed next, in the same resync.
    assert changes == ["changed"]


async def test_what_was_asked_for_is_claimed_when_work_begins(claims: Claims, there: There) -> None:
    claims.on_event("DELETED", raw_claim("team-a", OURS))
    assert there.asked == []
    claims.open()
    await until(lambda: not claims.is_left("team-a") and "team-a" in there.claims)
    del there.claims["team-a"]
    claims.on_event("DELETED", raw_claim("team-a", OURS, 11))
    await until(lambda: "team-a" in there.claims)
    await claims.close()


async def test_what_cannot_be_claimed_yet_is_told_and_claimed_before_a_launch(
    claims: Claims, there: There
) -> None:
    there.refusal = errors.NotFoundError("no such namespace", status=404)
    with capture_logs() as logs:
        claims.open()
        await until(lambda: bool(logs))
    assert logs[0]["event"] == "not claimed yet"
    with pytest.raises(errors.NotFoundError):
        await claims.take("team-a")
    there.refusal = None
    assert await claims.take("team-a")
    await claims.close()


@pytest.mark.parametrize(
    ("who", "namespace", "level"),
    [("claims", "team-a", "error"), ("wide", "team-a", "warning"), ("wide", EVERYWHERE, "error")],
)
def test_it_is_an_error_where_it_was_asked_for(
    request: pytest.FixtureRequest, who: str, namespace: str, level: str
) -> None:
    one: Claims = request.getfixturevalue(who)
    with capture_logs() as logs:
        one.on_event("ADDED", raw_claim(namespace, THEIRS))
    assert [line["log_level"] for line in logs] == [level]


def test_an_odd_claim_is_nobodys_and_an_odd_event_costs_nothing(claims: Claims) -> None:
    with capture_logs() as logs:
        claims.on_event("ADDED", {"metadata": {}})
    assert [line["event"] for line in logs] == ["event not understood"]
    claims.on_event("ADDED", {**raw_claim("team-a", ""), "spec": 5})
    assert claims.is_left("team-a")


async def until(check: Callable[[], bool]) -> None:
    for _ in range(20):
        if check():
            return
        await asyncio.sleep(0)
    pytest.fail("it has not come to that")
