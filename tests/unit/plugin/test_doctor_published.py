"""Doctor checks the settings that the operators publish."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, ago, make_policy
from unit.plugin.scripted import json_of, scripted
from workflowexecution.core.guards import Guards
from workflowexecution.core.policy import Published, PublishedSettings, settings_of
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor import published
from workflowexecution.plugin.doctor.check import Finding, Installation, State, read_installation
from workflowexecution.views.published import OperatorSettings

INSTALLATION = Installation(
    execution_namespace="runs", operator_namespace="ops", runner="kubernaut-workflow-runner"
)
POD = "pod-1_abc"


def entry(shard: str, minutes: float = 1, version: str = "1.2.3", **policy: Any) -> Published:
    settings = settings_of(make_policy(**policy), timedelta(minutes=10))
    return Published(
        shard=shard,
        version=version,
        written_at=ago(minutes=minutes),
        written_by=POD,
        settings=settings,
    )


def findings(*entries: Published, **read: Any) -> list[Finding]:
    settings = OperatorSettings(entries=entries, **read)
    return published.settings_findings(replace(INSTALLATION, published=settings), NOW)


def test_version_shard_writer_age_and_settings_are_shown() -> None:
    guards = Guards(failed=True, retry_limit=3)
    (found,) = findings(entry("1/1", cooldown=timedelta(seconds=20), guards=guards))
    assert found.state is State.OK
    assert found.detail == (
        f"shard 1/1, version 1.2.3, by {POD}, 60s ago: cooldown 20s; guards after failures and "
        "after 3 failures before the first step; serves all namespaces"
    )
    (found,) = findings(entry("1/1", watch_namespaces=("a", "b")))
    assert found.detail.endswith("cooldown 5m0s; guards off; serves a, b")
    (found,) = findings(entry("1/1").model_copy(update={"settings": PublishedSettings()}))
    assert "cooldown unknown; guards unknown" in found.detail


@pytest.mark.parametrize(
    ("read", "state", "said"),
    [
        ({"unknown": "none"}, State.WARNING, "in ConfigMap runs/workflowexecution-settings"),
        ({}, State.WARNING, "no operator has published by which settings it decides"),
        ({"unreadable": ["x: bad"]}, State.WARNING, "an entry cannot be read: x: bad"),
    ],
)
def test_what_is_not_published_is_never_ok(read: dict[str, Any], state: State, said: str) -> None:
    (found,) = findings(**read)
    assert (found.state, bool(found.fix)) == (state, True)
    assert said in found.detail


def test_an_operator_with_a_problem_or_without_a_sign_of_life_is_a_warning() -> None:
    (found,) = findings(entry("1/1").model_copy(update={"problem": "the watch is silent"}))
    assert found.state is State.WARNING
    assert "the operator reported at 11:59:00 UTC: the watch is silent" in found.detail
    (found,) = findings(entry("1/1", minutes=60))
    assert found.state is State.WARNING
    assert "as of 2026-01-02 11:00:00 UTC, 1h ago" in found.detail


def test_a_shard_that_publishes_nothing_is_named() -> None:
    assert [item.state for item in findings(entry("1/2"), entry("2/2"))] == [State.OK, State.OK]
    *_, found = findings(entry("1/3"), entry("3/3"))
    assert (found.state, found.detail) == (
        State.WARNING,
        "no operator of shard 2/3 publishes its settings",
    )


def test_an_entry_of_an_earlier_number_of_shards_is_removed_by_a_command() -> None:
    old, *rest = findings(entry("1/1", minutes=60), entry("1/2"), entry("2/2"))
    assert [item.state for item in rest] == [State.OK, State.OK]
    assert old.state is State.WARNING
    assert old.fix == (
        "kubectl patch configmap workflowexecution-settings -n runs --type=json -p "
        """'[{"op": "remove", "path": "/data/shard-1-of-1"}]'"""
    )


def test_operators_that_disagree_are_named_with_what_they_disagree_on() -> None:
    *_, versions, cooldowns = findings(
        entry("1/2"), entry("2/2", version="1.3.0", cooldown=timedelta(minutes=9))
    )
    assert versions.detail == "several versions: 1.2.3 in 1/2, 1.3.0 in 2/2"
    assert cooldowns.detail == "cooldown differs between shards: 5m0s in 1/2, 9m0s in 2/2"
    assert {versions.state, cooldowns.state} == {State.WARNING}


async def test_namespaces_that_are_served_are_those_that_are_published() -> None:
    told = entry("1/1", watch_namespaces=("a", "b")).to_text()
    deployments = json_of({"items": []})
    async with scripted(deployments, json_of({"data": {"shard-1-of-1": told}})) as (session, _):
        found = await read_installation(session, "ops", "runner")
    assert found.watched == ("a", "b")
    by_variables = replace(INSTALLATION, settings={"WFE_WATCH_NAMESPACES": "c, d"})
    assert by_variables.watched == ("c", "d")
    elsewhere = {"WFE_EXECUTION_NAMESPACE": "elsewhere", "WFE_WATCH_NAMESPACES": "c"}
    assert replace(found, settings=elsewhere).watched == ("c",)


async def test_another_execution_namespace_is_told_as_it_is_set() -> None:
    async with scripted(json_of({})) as (session, _):
        elsewhere = replace(INSTALLATION, settings={"WFE_EXECUTION_NAMESPACE": "elsewhere"})
        (found,) = await published.check_settings(session, elsewhere)
    assert found.state is State.WARNING
    assert found.fix == "export WFE_EXECUTION_NAMESPACE=elsewhere"


async def test_without_the_right_to_read_them_settings_are_not_judged() -> None:
    unread = OperatorSettings(unknown="the right to get x is missing", lacks_right=True)
    async with scripted(json_of({})) as (session, _):
        with pytest.raises(errors.MissingRightError, match="the right to get x is missing"):
            await published.check_settings(session, replace(INSTALLATION, published=unread))
