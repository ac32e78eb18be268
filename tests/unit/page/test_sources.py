"""The story of an execution, told to each as far as they may read it."""

from dataclasses import replace

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    make_execution,
    make_policy,
    make_run,
    raw_execution,
    raw_hold,
)
from unit.plugin.scripted import json_of, scripted
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.api.status_model import ConflictingWorkflow, SkipDetails
from workflowexecution.cache.store import Store
from workflowexecution.client.paths import events_path
from workflowexecution.manager.view import LeaderStatus, OperatorView
from workflowexecution.page.gate import Sight
from workflowexecution.page.sources import Account, Sources, story_of
from workflowexecution.plugin.commands.holds import release_event
from workflowexecution.views.preview import Preview
from workflowexecution.views.story import Moment

OWN = (Moment(NOW, "created"),)
WHOLE = (*OWN, Moment(NOW, "task started", "change"))
READER = Sight(namespaces=frozenset({"team-a"}), sees_runs=True, sees_tasks=True)


def account(**given: object) -> Account:
    """Of one that runs, on whose target another from team-b would be waited for."""
    holder = ConflictingWorkflow(
        name="theirs",
        namespace="team-b",
        workflow_id="scale",
        started_at=ago(minutes=1),
        target_resource=TARGET,
    )
    busy = SkipDetails(
        reason=SkipReason.RESOURCE_BUSY,
        message="held",
        skipped_at=NOW,
        conflicting_workflow=holder,
    )
    plain = Account(
        execution=make_execution(phase=Phase.RUNNING, number=1, started_at=ago(minutes=2)),
        run=make_run("mine"),
        own_moments=OWN,
        moments=WHOLE,
        note="",
        expected=Preview(
            target=TARGET,
            workflow_id="restart",
            decision="Skip",
            reason="ResourceBusy",
            message="held",
            skip=busy,
        ),
        read_at=NOW,
    )
    return replace(plain, **given)  # type: ignore[arg-type]


def test_who_may_read_runs_is_told_of_tasks() -> None:
    story = story_of(account(), READER, RUN_NAMESPACE)
    assert (story.moments, story.notes) == (WHOLE, [])


def test_who_may_not_is_told_which_right_is_missing() -> None:
    for sight, missing in (
        (replace(READER, sees_tasks=False), "taskruns"),
        (replace(READER, sees_runs=False), "pipelineruns"),
    ):
        story = story_of(account(), sight, RUN_NAMESPACE)
        assert story.moments == OWN
        assert f"the right to list {missing}.tekton.dev" in story.notes[0]
        assert "workflowexecution-run-reader gives it" in story.notes[0]


def test_a_holder_in_a_namespace_one_does_not_see_is_not_named() -> None:
    told = story_of(account(), READER, RUN_NAMESPACE).why.again
    assert told == "not yet: because of an execution that you may not see"
    both = replace(READER, namespaces=frozenset({"team-a", "team-b"}))
    assert story_of(account(), both, RUN_NAMESPACE).why.again == "once team-b/theirs has ended"


def test_where_another_operator_decides_nothing_is_expected() -> None:
    assert story_of(account(expected=None), READER, RUN_NAMESPACE).why.again == ""


def test_a_very_long_story_is_cut_and_says_so() -> None:
    story = story_of(account(moments=WHOLE * 200), READER, RUN_NAMESPACE)
    assert len(story.moments) == 200
    assert story.notes == ["200 later moments are not shown"]


@pytest.mark.parametrize(
    ("answer", "told", "note"),
    [
        ("release", ["created", "held", "released", "decided"], ""),
        ("nothing", ["created", "decided"], ""),
        ("refusal", ["created", "decided"], "the right to list events in namespace"),
    ],
)
async def test_a_release_is_told_though_the_hold_is_deleted(
    answer: str, told: list[str], note: str
) -> None:
    """As `kubectl wfe describe` tells it."""
    skipped = {"skippedAt": format_time(ago(minutes=30)), "reason": "ResourceBusy"}
    raw = raw_execution(status={"phase": "Skipped", "skipDetails": skipped})
    event = release_event(raw_hold(targetResource=TARGET), "ada", ago(minutes=30))
    refused = 'events is forbidden: User "op" cannot list resource "events" in API group "" '
    answers = {
        "release": json_of({"metadata": {}, "items": [event]}),
        "nothing": json_of({"metadata": {}, "items": []}),
        "refusal": json_of({"message": f'{refused}in the namespace "{RUN_NAMESPACE}"'}, 403),
    }
    async with scripted(json_of(raw), answers[answer]) as (session, asked):
        view = OperatorView(
            store=Store(RUN_NAMESPACE),
            policy=make_policy(),
            clock=session.clock,
            holds=tuple,
            standing=LeaderStatus,
            stale_reason=str,
        )
        found = await Sources(session.client, view).account("team-a", "mine")
    story = story_of(found, READER, RUN_NAMESPACE)
    assert [moment.what for moment in story.moments] == told
    assert note in "; ".join(story.notes)
    assert [one.path for one in asked][1:] == [events_path(RUN_NAMESPACE)]
    assert "WorkflowHoldReleased" in asked[1].query["fieldSelector"]
