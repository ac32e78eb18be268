"""``clear``: marks a failure as reviewed, so that its workflow may run on the target again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import typer

from workflowexecution.api import identity
from workflowexecution.api.fields import format_time
from workflowexecution.client.paths import execution_path, run_path
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.guards import Ending
from workflowexecution.kube import errors
from workflowexecution.kube.client import MERGE_PATCH
from workflowexecution.observe.events import Named, build_event
from workflowexecution.plugin.answers import in_words
from workflowexecution.plugin.gather import gather_facts
from workflowexecution.plugin.parameters import ExecutionName
from workflowexecution.plugin.requests import read_execution, split_key, user_name
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit
from workflowexecution.views.preview import Facts, ending_on

CLEARED = "ExecutionBlockCleared"


@dataclass(frozen=True, slots=True)
class _Meant:
    """A workflow on a target, and the object that an Event is recorded for."""

    target: str
    workflow_id: str
    about: Named


async def clear(
    session: Session,
    name: ExecutionName,
    reason: Annotated[str, typer.Option(help="What was looked at, and what was found.")],
) -> Exit | None:
    """Let a workflow run again on a target where a guard keeps it from that after failures."""
    facts = await gather_facts(session)
    if facts.unread:
        raise CommandError(f"this is not known: {'; '.join(facts.unread)}", Exit.FORBIDDEN)
    meant = await _meant_by(session, name, facts)
    target, workflow = meant.target, meant.workflow_id
    last = ending_on(facts, target, workflow, session.execution_namespace, session.now())
    if last is None or not last.blocks:
        raise CommandError(_nothing_to_clear(last, target, workflow))
    note = f"{await user_name(session)} at {format_time(session.now())}: {reason}"
    failed = next((item for item in facts.executions if _is_of(item, last)), None)
    places = await _annotate(session, last, failed, note)
    session.printer.say(
        f"cleared: workflow {workflow} may run on target {target} again; noted on {places}"
    )
    await _record(session, failed or meant.about, last, note)
    return None


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


def _is_of(execution: Execution, last: Ending) -> bool:
    return (execution.namespace, execution.name) == (last.evidence.namespace, last.evidence.name)


def _nothing_to_clear(last: Ending | None, target: str, workflow: str) -> str:
    if last is None:
        return f"workflow {workflow} has not ended on target {target}: there is nothing to clear"
    who = f"{last.evidence.namespace}/{last.evidence.name}"
    how = "is cleared already" if last.is_cleared else f"ended as {last.evidence.outcome}"
    return f"workflow {workflow} ended last on target {target} with {who}, which {how}"


async def _annotate(session: Session, last: Ending, failed: Execution | None, note: str) -> str:
    """Annotate the execution and its run: either may be deleted before the other."""
    patch = {"metadata": {"annotations": {identity.CLEAR_ANNOTATION: note}}}
    noted = []
    if failed is not None:
        await _patch(session, execution_path(failed.namespace, failed.name), patch)
        noted.append(f"WorkflowExecution {failed.namespace}/{failed.name}")
    run, namespace = last.evidence.run_name, last.evidence.run_namespace
    if run and await _note_on_run(session, namespace or session.execution_namespace, run, patch):
        noted.append(f"PipelineRun {run}")
    if not noted:
        raise CommandError("neither the failed execution nor its run is there any more")
    return " and ".join(noted)


async def _note_on_run(
    session: Session, namespace: str, name: str, patch: Mapping[str, Any]
) -> bool:
    try:
        await _patch(session, run_path(namespace, name), patch)
    except errors.NotFoundError:
        return False
    except (errors.ForbiddenError, errors.RejectedError) as error:
        session.printer.note(
            f"warning: {in_words(error)}: once the execution is deleted, its run blocks "
            "the workflow again"
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
