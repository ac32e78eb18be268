"""The clearing of a failure: the ends it is noted on, and what still keeps its workflow away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from workflowexecution.api import identity, reading
from workflowexecution.core import evidence
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Ending
from workflowexecution.views.blockers import newest_ends
from workflowexecution.views.preview import Facts, preview, store_of


def ends_to_clear(facts: Facts, last: Ending, now: datetime) -> list[Evidence]:
    """The failures that keep a workflow from its target.

    This is the last one, and the last one with a run where that is another: only it starts a
    cooldown, and the last one alone may be deleted before it.
    """
    cooling = _cooling(facts, last.evidence, now)
    is_other = cooling is not None and not evidence.is_same(cooling, last.evidence)
    others = [cooling] if cooling is not None and is_other else []
    return [last.evidence, *(end for end in others if evidence.is_lifted(end, last.evidence))]


def execution_of(facts: Facts, end: Evidence) -> Execution | None:
    """The execution of an end; None where it is deleted."""
    keys = {(item.namespace, item.name): item for item in facts.executions}
    return keys.get((end.namespace, end.name))


def with_note(facts: Facts, ends: Sequence[Evidence], note: str) -> Facts:
    """The facts once a note has been written on the executions and runs of these ends."""
    executions = {(end.namespace, end.name) for end in ends}
    runs = {end.run_name for end in ends}
    return replace(
        facts,
        executions=tuple(
            _noted(item, note) if (item.namespace, item.name) in executions else item
            for item in facts.executions
        ),
        runs=tuple(_noted_run(run) if run.name in runs else run for run in facts.runs),
    )


def cleared_message(
    facts: Facts, last: Evidence, *, holds: Sequence[Hold], unread: Sequence[str], now: datetime
) -> str:
    """Whether the workflow may run again now that its failures are cleared, and if not, why.

    It is true for all settings: no guard and no cooldown rests on a cleared failure.

    Args:
        facts: with the notes.
        last: an end of the workflow on the target.
        holds: all of them.
        unread: says why holds are not known.
        now: aware UTC.
    """
    what, target = f"workflow {last.workflow_id}", last.target
    found = preview(
        facts,
        namespace=last.namespace,
        target=target,
        workflow_id=last.workflow_id,
        problem="",
        cooldown=timedelta(0),
        run_namespace=last.run_namespace or "",
        holds=holds,
        now=now,
    )
    lifted = f"the failure no longer keeps {what} from target {target}"
    if found.decision != "Launch":
        return f"{lifted}, but it may not run yet: {found.message}"
    if unread:
        return f"{lifted}; whether a hold does is not known: {'; '.join(unread)}"
    if good := _cooling(facts, last, now):
        return (
            f"{lifted}, but a cooldown after the success of {good.namespace}/{good.name}, "
            f"which ended at {good.completed_at:%H:%M:%S} UTC, is not lifted"
        )
    return f"{what} may run on target {target} again"


def nothing_to_clear(last: Ending | None, target: str, workflow: str) -> str:
    """The reason why there is nothing to clear."""
    if last is None:
        return f"no end of workflow {workflow} on target {target} is known: nothing to clear"
    said = f"workflow {workflow} ended last on target {target} with {_name_of(last.evidence)}"
    if last.is_cleared:
        return f"{said}, which is cleared already"
    return (
        f"{said}, which ended as {last.evidence.outcome}: only a failure can be cleared, and the "
        "cooldown after a success stays"
    )


def _cooling(facts: Facts, like: Evidence, now: datetime) -> Evidence | None:
    """The end that may start a cooldown of the same workflow on the same target."""
    what = (like.workflow_id, like.target)
    found = newest_ends(store_of(facts, "", now))
    return next((end for end in found if (end.workflow_id, end.target) == what), None)


def _name_of(end: Evidence) -> str:
    return f"{end.namespace}/{end.name}"


def _noted(item: Execution, note: str) -> Execution:
    meta = reading.mapping(item.raw, "metadata")
    annotations = {**reading.mapping(meta, "annotations"), identity.CLEAR_ANNOTATION: note}
    return replace(item, raw={**item.raw, "metadata": {**meta, "annotations": annotations}})


def _noted_run(run: Run) -> Run:
    return replace(run, is_cleared=True)
