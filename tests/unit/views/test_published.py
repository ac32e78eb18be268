"""The settings for a target come from its shard; where they are not known, the reason is given."""

from datetime import timedelta
from typing import Any

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    failed_execution,
    finished_run,
    make_hold,
    make_policy,
    make_run,
)
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard, parts_of, target_key
from workflowexecution.core.policy import Published, settings_of
from workflowexecution.views.preview import Facts, Preview, foretell
from workflowexecution.views.published import Basis, OperatorSettings

MISSING = "the right to get configmaps in namespace runs is missing"
UNKNOWN = "the operator's settings are not known: "


def entry(minutes: float = 1, shard: Shard | None = None, **policy: Any) -> Published:
    settings = settings_of(make_policy(**policy), timedelta(minutes=10))
    return Published(
        shard=shard or Shard(), version="1.2.3", written_at=ago(minutes=minutes), settings=settings
    )


def basis(*entries: Published) -> Basis:
    return OperatorSettings(entries=entries).basis_for(TARGET, NOW)


def decided(facts: Facts, given: Basis, **asked: Any) -> Preview:
    return foretell(
        facts,
        given,
        **{
            "namespace": "team-a",
            "target": TARGET,
            "workflow_id": "restart",
            "problem": "",
            "run_namespace": RUN_NAMESPACE,
            "now": NOW,
            **asked,
        },
    )


def test_the_settings_of_the_shard_that_holds_the_target_count() -> None:
    mine = next(shard for shard in parts_of(2) if shard.holds(target_key(TARGET)))
    other = next(shard for shard in parts_of(2) if shard != mine)
    found = basis(
        entry(shard=mine, cooldown=timedelta(seconds=20)), entry(shard=other, cooldown=timedelta(9))
    )
    assert (found.cooldown, found.unknown, found.notes) == (timedelta(seconds=20), "", ())


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (OperatorSettings(unknown=MISSING, lacks_right=True), MISSING),
        (OperatorSettings(), f"no operator has published any for target {TARGET}"),
        (
            OperatorSettings(unreadable=["shard-1-of-1: shard: Field required"]),
            f"no operator has published any for target {TARGET}: "
            "shard-1-of-1: shard: Field required",
        ),
        (
            OperatorSettings(entries=[Published(shard=Shard(), version="9.9.9")]),
            "the operator of shard 1/1, version 9.9.9, does not publish its cooldown and guards",
        ),
    ],
)
def test_why_settings_are_not_known_is_a_sentence(settings: OperatorSettings, why: str) -> None:
    found = settings.basis_for(TARGET, NOW)
    assert (found.rules, found.cooldown, found.unknown) == (None, None, UNKNOWN + why)


def test_settings_that_are_old_are_used_and_said_to_be_old() -> None:
    found = basis(entry(minutes=45))
    assert found.rules is not None
    assert found.notes == (
        "the operator's settings are as of 2026-01-02 11:15:00 UTC, 45m ago: it may not be "
        "running; see kubectl wfe doctor",
    )


def test_a_problem_that_the_operator_reports_is_repeated() -> None:
    found = basis(entry().model_copy(update={"problem": "the watch of runs is silent"}))
    assert found.notes == (
        "the operator reported at 11:59:00 UTC: the watch of runs is silent; until that is over it "
        "may decide nothing",
    )


def test_a_namespace_that_is_not_served_is_named() -> None:
    assert basis(entry()).not_served("team-a") == ""
    assert basis(entry(watch_namespaces=("team-a",))).not_served("team-a") == ""
    found = basis(entry(watch_namespaces=("team-b", "team-c"))).not_served("team-a")
    assert found.startswith("the operator does not serve namespace team-a, only team-b, team-c")


FAILED = Facts(executions=(failed_execution(completed_at=ago(seconds=5), number=1),))


def test_guards_and_cooldown_that_are_published_decide() -> None:
    cooldown = timedelta(seconds=20)
    guarded = basis(entry(cooldown=cooldown, guards=Guards(failed=True)))
    assert decided(FAILED, guarded).reason == "PreviousExecutionFailed"
    cooling = decided(FAILED, basis(entry(cooldown=cooldown)))
    assert (cooling.reason, cooling.until) == ("RecentlyRemediated", NOW + timedelta(seconds=15))


NOTHING_KNOWN = OperatorSettings(unknown=MISSING).basis_for(TARGET, NOW)


@pytest.mark.parametrize(
    ("facts", "asked", "decision", "reason"),
    [
        (Facts(), {}, "Launch", ""),
        (FAILED, {"workflow_id": "scale"}, "Launch", ""),
        (FAILED, {"problem": "spec.x: is wrong"}, "Refuse", "ConfigurationError"),
        (Facts(runs=(make_run("a"),)), {}, "Skip", "ResourceBusy"),
        (Facts(), {"holds": [make_hold()]}, "Wait", "Held"),
    ],
)
def test_what_depends_on_no_setting_is_decided_without(
    facts: Facts, asked: dict[str, Any], decision: str, reason: str
) -> None:
    found = decided(facts, NOTHING_KNOWN, **asked)
    assert (found.decision, found.reason) == (decision, reason)


@pytest.mark.parametrize("holds", [[], [make_hold()]])
@pytest.mark.parametrize(
    "facts", [FAILED, Facts(runs=(finished_run(completed_at=ago(hours=999)),))]
)
def test_what_depends_on_settings_is_not_known_and_names_no_reason_or_time(
    facts: Facts, holds: list[Any]
) -> None:
    found = decided(facts, NOTHING_KNOWN, holds=holds)
    assert (found.decision, found.reason, found.until, found.skip) == ("Unknown", "", None, None)
    assert "workflow restart ended last on target" in found.message
    assert found.message.endswith(
        f"whether it may run again depends on settings, and {UNKNOWN}{MISSING}"
    )
    assert ("freeze" in found.message) is bool(holds)
