"""``describe``: the history of one execution, and the last log lines of its failed step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from workflowexecution.cli.table import Column
from workflowexecution.client.cluster import Raw
from workflowexecution.client.pod_logs import read_tail
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, Release
from workflowexecution.core.facts.run import Run
from workflowexecution.kube import errors
from workflowexecution.plugin.gather import read_holds, read_releases
from workflowexecution.plugin.last_lines import StepLines, print_lines
from workflowexecution.plugin.parameters import ExecutionNames
from workflowexecution.plugin.requests import (
    is_kind_unknown,
    name_of_kind,
    read_execution,
    read_run,
    read_scheduled,
    run_key,
)
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, answer_each, report_unread
from workflowexecution.views.executions import reason_of
from workflowexecution.views.step_logs import StepLog, failed_step_of, why_no_log
from workflowexecution.views.story import Moment, may_have_been_held, moments_of
from workflowexecution.views.why import happened_to, warnings_of
from workflowexecution.views.wording import in_words, missing_right


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The output of ``describe``.

    message: of the operator.
    warnings: of the conditions, as of parameters that the workflow does not declare.
    log: the last lines of the failed step, oldest first.
    unread: says what could not be read.
    """

    execution: str
    phase: str
    reason: str
    message: str
    warnings: Sequence[str]
    target: str
    workflow_id: str
    run: str
    timeline: Sequence[Moment]
    failed_step: StepLog | None
    log: Sequence[str]
    unread: Sequence[str]


async def describe(
    session: Session,
    names: ExecutionNames,
    lines: Annotated[
        int, typer.Option(min=0, max=1000, help="Lines of the failed step's log.")
    ] = 10,
) -> Exit | None:
    """Tell the story of executions: what happened when, and what failed."""
    return await answer_each(session, names, lambda name: _tell(session, name, lines))


async def _tell(session: Session, name: str, lines: int) -> Exit | None:
    execution = parse_execution(await read_execution(session, name))
    session.printer.begin_answer()
    lacking: list[str] = []
    story = await _read(session, execution, lines, lacking)
    if session.printer.is_for_people:
        _print(session, story, lacking)
    else:
        session.printer.print_answer(story, name_of_kind(execution.name), "")
    return report_unread(session.printer, "a part of its story", lacking)


async def _read(session: Session, execution: Execution, lines: int, lacking: list[str]) -> Story:
    """Read all of it; missing rights are added to ``lacking``."""
    gone: list[str] = []
    run, task_runs = await _run_of(session, execution, lacking, gone)
    holds, releases = await _holds_of(session, execution, lacking)
    scheduled: Sequence[Raw] = ()
    if run and task_runs:
        scheduled = await read_scheduled(session, run.namespace, lacking)
    failed = failed_step_of(execution, task_runs)
    log: Sequence[str] = ()
    if failed and lines:
        log = await _log_of(session, (run, task_runs), failed, lines, lacking, gone)
    return Story(
        execution=f"{execution.namespace}/{execution.name}",
        phase=execution.phase or "",
        reason=reason_of(execution),
        message=happened_to(execution),
        warnings=warnings_of(execution),
        target=execution.target,
        workflow_id=execution.workflow_id,
        run="/".join(run_key(session, execution)) if execution.run_name else "",
        timeline=moments_of(
            execution, run, task_runs, holds, releases=releases, scheduled=scheduled
        ),
        failed_step=failed,
        log=log,
        unread=[*lacking, *gone],
    )


async def _holds_of(
    session: Session, execution: Execution, lacking: list[str]
) -> tuple[Sequence[Hold], Sequence[Release]]:
    """The holds and releases that may concern it; none where it did not wait."""
    if not may_have_been_held(execution):
        return (), ()
    return await read_holds(session, lacking), await read_releases(session, lacking)


async def _run_of(
    session: Session, execution: Execution, lacking: list[str], gone: list[str]
) -> tuple[Run | None, list[Raw]]:
    try:
        return await read_run(session, execution)
    except errors.MissingRightError as error:
        lacking.append(missing_right(str(error)))
    except errors.NotFoundError as error:
        if is_kind_unknown(error):
            raise
        gone.append(in_words(error))
    return None, []


async def _log_of(
    session: Session,
    seen: tuple[Run | None, list[Raw]],
    failed: StepLog,
    lines: int,
    lacking: list[str],
    gone: list[str],
) -> tuple[str, ...]:
    """The last lines of the failed step, of the run and the TaskRuns that were seen."""
    run, task_runs = seen
    namespace = run.namespace if run else session.execution_namespace
    try:
        return await read_tail(session.client, namespace, failed.pod, failed.container, lines)
    except errors.MissingRightError as error:
        lacking.append(missing_right(str(error)))
    except errors.NotFoundError:
        gone.append(f"the log of step {failed.name}: {why_no_log(run, task_runs, failed.pod)}")
    except errors.ApiError as error:
        gone.append(f"the log of step {failed.name}: {in_words(error)}")
    return ()


def _print(session: Session, story: Story, lacking: Sequence[str]) -> None:
    reason = f" ({story.reason})" if story.reason not in ("", story.phase) else ""
    session.printer.print_fields(
        {
            "Execution": story.execution,
            "Phase": f"{story.phase or 'not seen yet'}{reason}",
            "Workflow": story.workflow_id,
            "Target": story.target,
            "Run": story.run,
            "Message": story.message,
            "Warning": "; ".join(story.warnings),
        }
    )
    session.printer.say("")
    columns: tuple[Column[Moment], ...] = (
        Column("TIME (UTC)", lambda moment: f"{moment.at:%Y-%m-%d %H:%M:%S}"),
        Column("WHAT", lambda moment: moment.what),
        Column("DETAIL", lambda moment: moment.detail, is_text=True),
    )
    session.printer.print_table(story.timeline, columns)
    if story.failed_step:
        print_lines(session, StepLines(story.failed_step.name, story.log))
    for line in story.unread:
        if line not in lacking:
            session.printer.note(f"warning: {line}")
