"""The history of one execution, limited to the rights of one visitor."""

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
from workflowexecution.views.story import Moment
from workflowexecution.views.why import Why, progress_of, why_of
from workflowexecution.views.wording import lacking

_MOST_MOMENTS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All facts of one execution, before the visitor's rights are applied.

    own_moments: from the execution alone; moments: with its run and tasks.
    note: says what could not be read.
    expected: the decision on a new execution like it; None where another operator decides.
    read_at: aware UTC.
    """

    execution: Execution
    run: Run | None
    own_moments: Sequence[Moment]
    moments: Sequence[Moment]
    note: str
    expected: Preview | None
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The content of the page of one execution.

    progress: of its run; empty where it does not run.
    image: of the bundle. request: the name of the RemediationRequest.
    notes: say what is left out, and why.
    """

    row: Row
    progress: str
    image: str
    request: str
    why: Why
    run: str
    moments: Sequence[Moment]
    notes: Sequence[str]
    now: datetime


def story_of(account: Account, sight: Sight, run_namespace: str) -> Story:
    """Make a story, and leave out what the visitor may not read.

    Args:
        account: of an execution in a namespace that the visitor sees.
        sight: what the visitor may see.
        run_namespace: the namespace of the run, if the execution does not name one.
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
        image=reading.text(spec, "workflowRef", "containerImage"),
        request=reading.text(spec, "remediationRequestRef", "name"),
        why=why_of(execution, _seen(account.expected, sight), account.read_at),
        run=f"{where}/{execution.run_name}" if execution.run_name else "",
        moments=moments[:_MOST_MOMENTS],
        notes=_notes(account, sight, len(moments), where),
        now=account.read_at,
    )


def _seen(expected: Preview | None, sight: Sight) -> Preview | None:
    """The preview, without the name of an execution that the visitor may not see."""
    if expected is None or expected.skip is None:
        return expected
    cause = expected.skip.conflicting_workflow or expected.skip.recent_remediation
    if cause is None or sight.sees(cause.namespace or ""):
        return expected
    return replace(expected, skip=None, message="because of an execution that you may not see")


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
