"""`submit` refuses, and `can-run` warns of, a target whose kind the cluster does not serve."""

from __future__ import annotations

from typing import Any

import pytest

from unit.plugin.scripted import group_list, json_of, scripted
from workflowexecution.api.discovery import TargetFit
from workflowexecution.plugin.commands import submit, why
from workflowexecution.plugin.commands.why import fit_of_target
from workflowexecution.plugin.shell import Exit

CORE = json_of(group_list("", "nodes", "Node", "Cluster"))
OTHERS = json_of(group_list("apps", "deployments", "Deployment"))
REFUSED = json_of(
    {
        "kind": "Status",
        "reason": "Forbidden",
        "message": 'forbidden: User "eve" cannot get path "/api"',
    },
    403,
)
OLD = json_of({"kind": "APIVersions", "versions": ["v1"]})


def _execution(target: str) -> dict[str, Any]:
    return {"spec": {"targetResource": target}}


async def test_two_requests_tell_all_kinds() -> None:
    async with scripted(CORE, OTHERS) as (session, asked):
        assert await fit_of_target(session, "shop/Deployment/cart", []) == TargetFit()
    assert [request.path for request in asked] == ["/api", "/apis"]
    assert all("as=APIGroupDiscoveryList" in one.headers["Accept"] for one in asked)


async def test_submit_refuses_what_no_object_of_the_cluster_can_be() -> None:
    async with scripted(CORE, OTHERS) as (session, _):
        with pytest.raises(
            ValueError, match=r"^--target: .*write shop/Deployment/cart; nothing was created"
        ):
            await submit._check_kind(session, _execution("shop/deployments/cart"), submit._FLAGS)


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (
            REFUSED,
            Exit.FORBIDDEN,
            "unknown: whether the cluster serves the kind of the target: the right to get /api ",
        ),
        (OLD, None, "warning: the kind of the target was not checked: the API server lists"),
    ],
    ids=["no-right", "no-such-form"],
)
async def test_what_was_not_checked_is_told_and_refuses_nothing(
    answer: Any, status: Exit | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted(answer) as (session, _):
        await submit._check_kind(session, _execution("shop/deployments/cart"), {})
        assert await why._warn_of_kind(session, "shop/deployments/cart") is status
    assert capsys.readouterr().err.count(told) == 2


async def test_can_run_warns(capsys: pytest.CaptureFixture[str]) -> None:
    async with scripted(CORE, OTHERS) as (session, _):
        await why._warn_of_kind(session, "Deployment/cart")
    said = capsys.readouterr().err
    assert said == ("warning: kind Deployment needs a namespace; write NAMESPACE/Deployment/cart\n")
