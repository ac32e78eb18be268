"""The story of one execution, as one visitor may read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.page.gate import Sight
from workflowexecution.views.executions import Row, Wanted, rows_of
from workflowexecution.views.preview import Preview
from workflowexecution.views.story import Moment, StepLog
from workflowexecution.views.why import Why, progress_of, why_of
from workflowexecution.views.wording import lacking

_MOST_MOMENTS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that was read of one execution.

    own_moments: what the execution itself tells; moments: with its run and tasks.
    note: what could not be read, in words.
    foretold: what would become of one like it; None where another operator decides.
    read_at: aware UTC.
    """

    execution: Execution
    run: Run | None
    own_moments: Sequence[Moment]
    moments: Sequence[Moment]
    failed_step: StepLog | None
    note: str
    foretold: Preview | None
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is told of one execution.

    progress: how far its run is; empty where it does not run.
    image: the bundle that is run. request: the RemediationRequest it was made for.
    failed_step: None where no step failed or the visitor may not read runs.
    notes: what is not told, and why.
    """

    row: Row
    progress: str
    image: str
    request: str
    why: Why
    run: str
    moments: Sequence[Moment]
    failed_step: StepLog | None
    notes: Sequence[str]
    now: datetime


def story_of(account: Account, sight: Sight, run_namespace: str) -> Story:
    """Tell a story without what the visitor may not read.

    Args:
        account: of an execution in a namespace that the visitor sees.
        sight: the visitor's.
        run_namespace: where runs are whose execution does not tell.
    """
    execution = account.execution
    spec = reading.mapping(execution.raw, "spec")
    sees_run = sight.sees_runs and sight.sees_tasks
    moments = account.moments if sees_run else account.own_moments
    (row,) = rows_of([execution], Wanted(), account.read_at)
    where = execution.run_namespace or run_namespace
    return Story(
        row=row,
        progress=progress_of(execution) if execution.phase is Phase.RUNNING else "",
        image=reading.text(reading.mapping(spec, "workflowRef"), "containerImage"),
        request=reading.text(reading.mapping(spec, "remediationRequestRef"), "name"),
        why=why_of(execution, _seen(account.foretold, sight), account.read_at),
        run=f"{where}/{execution.run_name}" if execution.run_name else "",
        moments=moments[:_MOST_MOMENTS],
        failed_step=account.failed_step if sees_run else None,
        notes=_notes(account, sight, len(moments), where),
        now=account.read_at,
    )


def _seen(foretold: Preview | None, sight: Sight) -> Preview | None:
    """What is foretold, without an execution in a namespace that the visitor does not see."""
    if foretold is None or foretold.skip is None:
        return foretold
    cause = foretold.skip.conflicting_workflow or foretold.skip.recent_remediation
    if cause is None or sight.sees(cause.namespace or ""):
        return foretold
    return replace(foretold, skip=None, message="because of an execution that you may not see")


def _notes(account: Account, sight: Sight, moments: int, run_namespace: str) -> list[str]:
    notes = [account.note] if account.note else []
    if account.execution.run_name and not sight.sees_runs:
        notes.append(_untold(lacking("list", "pipelineruns", "tekton.dev", run_namespace)))
    elif account.execution.run_name and not sight.sees_tasks:
        notes.append(_untold(lacking("list", "taskruns", "tekton.dev", run_namespace)))
    if moments > _MOST_MOMENTS:
        notes.append(f"{moments - _MOST_MOMENTS} later moments are not shown")
    return notes


def _untold(right: str) -> str:
    return f"What its tasks did is not told: {right}"
