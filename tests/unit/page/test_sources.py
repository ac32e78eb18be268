"""The story of an execution, told to each as far as they may read it."""

from dataclasses import replace

from builders import NOW, RUN_NAMESPACE, TARGET, ago, make_execution, make_run
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.api.status_model import ConflictingWorkflow, SkipDetails
from workflowexecution.page.gate import Sight
from workflowexecution.page.sources import Account, story_of
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
