"""``clear``: marks a failure as reviewed, so that its workflow may run on the target again."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import typer

from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.client.paths import execution_path, run_path
from workflowexecution.core import names
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.guards import Ending
from workflowexecution.kube import errors
from workflowexecution.kube.client import MERGE_PATCH
from workflowexecution.observe.events import Named, build_event
from workflowexecution.plugin.gather import gather_facts, read_holds
from workflowexecution.plugin.parameters import ExecutionNames, reason_of
from workflowexecution.plugin.requests import read_execution, split_key, user_name
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit, answer_each, report_unread
from workflowexecution.views.clearing import (
    cleared_message,
    ends_to_clear,
    execution_of,
    nothing_to_clear,
    with_note,
)
from workflowexecution.views.preview import Facts, ending_on
from workflowexecution.views.wording import in_words

CLEARED = "ExecutionBlockCleared"


@dataclass(frozen=True, slots=True)
class _Meant:
    """A workflow on a target, and the object that an Event is recorded for."""

    target: str
    workflow_id: str
    about: Named


async def clear(
    session: Session,
    names: ExecutionNames,
    reason: Annotated[
        str,
        typer.Option(help="What was looked at, and what was found; it is asked for otherwise."),
    ] = "",
) -> Exit | None:
    """Let workflows run again on a target after a failure, before its cooldown or guard ends."""
    why = reason_of(reason or _asked())
    if not why:
        raise CommandError("--reason is missing: say what was looked at, and found", Exit.USAGE)
    return await answer_each(session, names, lambda name: _clear(session, name, why))


async def _clear(session: Session, name: str, why: str) -> Exit | None:
    facts = await gather_facts(session)
    if facts.unread:
        return report_unread(session.printer, "what keeps the workflow away", facts.unread)
    meant = await _meant_by(session, name, facts)
    target, workflow = meant.target, meant.workflow_id
    last = ending_on(facts, target, workflow, session.execution_namespace, session.now())
    if last is None or not last.blocks:
        raise CommandError(nothing_to_clear(last, target, workflow))
    ends = ends_to_clear(facts, last, session.now())
    unread: list[str] = []
    holds = await read_holds(session, unread)
    note = f"{await user_name(session)} at {format_time(session.now())}: {why}"
    places = await _note_on_all(session, facts, ends, note)
    noted = with_note(facts, ends, note)
    said = cleared_message(noted, last.evidence, holds=holds, unread=unread, now=session.now())
    session.printer.say(f"cleared: {said}; noted on {places}")
    await _record(session, execution_of(facts, last.evidence) or meant.about, last, note)
    return None


def _asked() -> str:
    """The reason that a person types; empty where nobody is there to be asked."""
    if not sys.stdin.isatty():
        return ""
    return str(
        typer.prompt(
            "What was looked at, and what was found", default="", show_default=False, err=True
        )
    )


async def _meant_by(session: Session, name: str, facts: Facts) -> _Meant:
    """Find workflow and target by the execution or, if it is gone, by its run.

    Raises: NotFoundError where both are gone.
    """
    try:
        raw = await read_execution(session, name)
    except errors.NotFoundError:
        namespace, short = split_key(name)
        for run in facts.runs:
            key = run.owner and (run.owner.namespace, run.owner.name)
            if run.owner and key == (namespace or session.namespace, short):
                return _Meant(run.target or "", run.workflow_id or "", run.owner)
        raise
    execution = parse_execution(raw)
    return _Meant(execution.target, execution.workflow_id, execution)


async def _note_on_all(session: Session, facts: Facts, ends: Sequence[Evidence], note: str) -> str:
    """Annotate each execution and its run: each of them may be deleted before the others.

    Raises: ForbiddenError where the execution that failed last may not be annotated.
    """
    patch = {"metadata": {"annotations": {identity.CLEAR_ANNOTATION: note}}}
    noted = []
    for end in ends:
        name, run = f"{end.namespace}/{end.name}", end.run_name
        if execution_of(facts, end) is not None:
            path, kind = execution_path(end.namespace, end.name), f"WorkflowExecution {name}"
            if end is ends[0]:
                await _patch(session, path, patch)
                noted.append(kind)
            elif await _try_patch(session, path, patch, kind):
                noted.append(kind)
        path = run_path(end.run_namespace or session.execution_namespace, run)
        if run and await _try_patch(session, path, patch, f"PipelineRun {run}"):
            noted.append(f"PipelineRun {run}")
    if not noted:
        raise CommandError("neither the failed execution nor its run is there any more")
    return " and ".join(noted)


async def _try_patch(session: Session, path: str, patch: Mapping[str, Any], what: str) -> bool:
    """Annotate an object that has the note elsewhere as well; without the right, only warn."""
    try:
        await _patch(session, path, patch)
    except errors.NotFoundError:
        return False
    except (errors.ForbiddenError, errors.RejectedError) as error:
        session.printer.note(
            f"warning: {in_words(error)}: once all that was annotated is deleted, "
            f"{what} keeps the workflow away again"
        )
        return False
    return True


async def _patch(session: Session, path: str, patch: Mapping[str, Any]) -> None:
    await session.client.request("PATCH", path, body=patch, content_type=MERGE_PATCH)


async def _record(session: Session, about: Named, last: Ending, note: str) -> None:
    """Record an Event; without the right to, only warn: the annotation has the same text."""
    who = f"WorkflowExecution {last.evidence.namespace}/{last.evidence.name}"
    event = build_event(
        about, CLEARED, f"the failure of {who} was cleared by {note}", session.now()
    )
    name = names.event_name(about.name, about.uid, note)
    meta = {"name": name, "namespace": about.namespace}
    event |= {"metadata": meta, "action": "Clear", "reportingController": "kubectl-wfe"}
    path = f"/apis/events.k8s.io/v1/namespaces/{quote(about.namespace)}/events"
    try:
        await session.client.request("POST", path, body=event)
    except errors.ForbiddenError as error:
        session.printer.note(f"warning: no Event reports it: {in_words(error)}")
