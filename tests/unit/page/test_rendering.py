"""Text of others stays text in every place of the page."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from markupsafe import escape

from builders import NOW, ago, make_execution, make_run
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.core.names import Shard
from workflowexecution.manager.view import LeaderStatus
from workflowexecution.page.gate import Sight, Visitor
from workflowexecution.page.overview import Known, holds_for, overview_of
from workflowexecution.page.rendering import Pages, breakable, harmless, path_of
from workflowexecution.page.sources import Account, story_of
from workflowexecution.views.blockers import Cooldown, HeldBy
from workflowexecution.views.executions import Wanted
from workflowexecution.views.preview import Preview
from workflowexecution.views.story import Moment

ALL = Sight(has_all=True, sees_runs=True, sees_tasks=True)
EVIL = "\"><script>alert('x')</script>&<b>"
PAGES = Pages()


def page(template: str, **given: Any) -> str:
    """A page as the server asks for it."""
    common = {
        "visitor": Visitor(name=EVIL),
        "standing": LeaderStatus(identity=EVIL, leader=EVIL),
        "stale_reason": EVIL,
        "shard": Shard(),
        "is_confined": True,
        "is_for_loopback": False,
    }
    return PAGES.render(template, **{**common, **given})


def overview_page(known: Known, sight: Sight = ALL, **given: Any) -> str:
    """The first page."""
    common: dict[str, Any] = {
        "overview": overview_of(known, sight, Wanted(), 1, NOW),
        "holds": [],
        "asked": dict.fromkeys(("namespace", "target", "workflow", "phase"), ""),
        "phases": list(Phase),
        "namespaces": [],
        "sight": sight,
        "most_namespaces": 200,
        "is_reading": False,
        "has_older": False,
        "problem": "",
    }
    return page("overview.html", **{**common, **given})


def test_nothing_on_the_first_page_is_markup_of_others() -> None:
    execution = make_execution(EVIL, target=EVIL, workflow_id=EVIL, namespace=EVIL)
    status = {"conditions": [{"type": "Succeeded", "reason": EVIL}]}
    execution = replace(execution, raw={**execution.raw, "status": status})
    run = replace(make_run(), target=EVIL, workflow_id=EVIL, reason=EVIL, name=EVIL, owner=None)
    cooldown = Cooldown(
        target=EVIL,
        workflow_id=EVIL,
        execution=EVIL,
        outcome=EVIL,
        reason=SkipReason.RECENTLY_REMEDIATED,
        completed_at=ago(minutes=1),
        until=NOW,
        remaining=timedelta(minutes=1),
    )
    to_clear = replace(
        cooldown, reason=SkipReason.PREVIOUS_EXECUTION_FAILED, until=None, remaining=None
    )
    hold = HeldBy(
        namespace=EVIL,
        name=EVIL,
        scope=EVIL,
        by=EVIL,
        reason=EVIL,
        since=ago(minutes=3),
        until=None,
        state="Active",
        waiting=[EVIL],
    )
    html = overview_page(
        Known(runs=[run], cooldowns=[cooldown, to_clear], recent=[execution]),
        holds=[hold],
        asked=dict.fromkeys(("namespace", "target", "workflow", "phase"), EVIL),
        namespaces=[EVIL],
        problem=EVIL,
    )
    assert "alert(" in html
    assert "once it is cleared" in html
    assert "<script>alert" not in html
    assert '"><script' not in html
    assert "<b>" not in html


def test_nothing_in_a_story_is_markup_of_others() -> None:
    execution = make_execution(EVIL, target=EVIL, workflow_id=EVIL, namespace=EVIL)
    spec = {"workflowRef": {"containerImage": EVIL}}
    warning = {"type": "UndeclaredParameter", "status": "True", "message": EVIL}
    raw = {**execution.raw, "spec": spec, "status": {"conditions": [warning]}}
    execution = replace(execution, raw=raw)
    account = Account(
        execution=execution,
        run=None,
        own_moments=(),
        moments=(Moment(NOW, EVIL, EVIL),),
        note=EVIL,
        expected=Preview(
            target=EVIL, workflow_id=EVIL, decision="Refuse", reason=EVIL, message=EVIL
        ),
        read_at=NOW,
    )
    html = page("story.html", story=story_of(account, ALL, EVIL))
    assert html.count("alert(") > 9
    assert f"<dt>Warning</dt><dd>{escape(EVIL)}</dd>" in html
    assert "<script>alert" not in html
    assert "<b>" not in html


@pytest.mark.parametrize("template", ["sign-in.html", "problem.html"])
def test_nothing_in_an_error_is_markup_of_others(template: str) -> None:
    html = page(template, problem=EVIL, title=EVIL, text=EVIL, audience=EVIL)
    assert "alert(" in html
    assert "<script>alert" not in html


def test_a_name_cannot_turn_the_text_around_it() -> None:
    assert harmless("shop/\u202egpj.exe\u2066\x1b[2J") == "shop/\ufffdgpj.exe\ufffd\ufffd[2J"
    assert len(harmless("x" * 100_000)) < 5000


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("team-a/mine", "/executions/team-a/mine"),
        ("team-a/..", ""),
        ("../sign-out", ""),
        ("team-a/mine?x=1", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_only_what_can_be_an_execution_is_linked(named: str, path: str) -> None:
    assert path_of(named) == path


def test_a_name_may_be_wrapped_after_a_slash_and_a_hyphen_only() -> None:
    target = "shop/Deployment/payment-api"
    assert breakable(target) == "shop/<wbr>Deployment/<wbr>payment-<wbr>api"
    assert breakable("a&b/<wbr>").startswith("a&amp;b/<wbr>&lt;wbr")
    # What is longer than any kind would push other columns off the screen.
    assert breakable("x" * 30) == f"{'x' * 24}<wbr>{'x' * 6}"
    assert breakable("") == ""


def test_the_sign_in_names_the_roles_that_are_needed() -> None:
    html = page("sign-in.html", problem="", audience="")
    assert "workflowexecution-viewer" in html
    assert "workflowexecution-run-reader" in html


def test_an_empty_page_names_the_role_that_is_needed() -> None:
    html = overview_page(Known(), Sight())
    assert "The ClusterRole workflowexecution-viewer gives that right" in html


def test_a_standby_says_so_and_who_leads() -> None:
    standby = overview_page(Known(), standing=LeaderStatus(identity="pod-b", leader="pod-a"))
    assert "pod-a</strong> leads" in standby
    assert "stands by" in standby
    leader = overview_page(Known(), standing=LeaderStatus(identity="pod-a", leader="pod-a"))
    assert 'id="standby"' not in leader
    orphan = overview_page(Known(), standing=LeaderStatus(identity="pod-b"))
    assert "none leads: nothing is launched" in orphan


def test_what_is_cut_off_is_said() -> None:
    runs = [replace(make_run(), name=f"run-{number}") for number in range(130)]
    html = overview_page(Known(runs=runs))
    assert "30 more targets are not shown" in html


def test_a_hold_is_shown_to_whom_may_see_its_namespace() -> None:
    hold = HeldBy(
        namespace="runs",
        name="freeze",
        scope="everything",
        by="ann",
        reason="release",
        since=NOW,
        until=None,
        state="Active",
        waiting=["team-a/mine", "team-b/theirs"],
    )
    (seen,) = holds_for([hold], Sight(namespaces=frozenset({"runs", "team-a"})))
    assert seen.waiting == ["team-a/mine"]
    assert holds_for([hold], Sight(namespaces=frozenset({"team-a"}))) == []
