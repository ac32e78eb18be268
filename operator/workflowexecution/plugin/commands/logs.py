"""``logs``: prints the logs of the steps of an execution's run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final, TypeVar

import typer

from workflowexecution.client.cluster import Raw
from workflowexecution.client.pod_logs import follow_log, read_log
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.text import one_line
from workflowexecution.kube import errors, retry
from workflowexecution.plugin.parameters import ExecutionName
from workflowexecution.plugin.requests import cluster_of, read_execution, read_run, run_key
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit
from workflowexecution.views.step_logs import (
    StepLog,
    steps_with_logs,
    unknown_name,
    why_no_log,
)
from workflowexecution.views.why import progress_of
from workflowexecution.views.wording import in_words

T = TypeVar("T")
_POLL_S: Final = 1.0
_STYLES: Final = ("cyan", "magenta", "green", "yellow", "blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a log in JSON and YAML."""

    task: str
    step: str
    line: str


@dataclass(slots=True, kw_only=True)
class _Wanted:
    """A filter of logs, and the progress of printing them.

    seen: steps whose log was or is being printed.
    run, task_runs: as last read.
    is_over: whether all logs are complete.
    """

    task: str
    step: str
    tail: int | None
    prefix: bool
    seen: list[StepLog] = field(default_factory=list)
    run: Run | None = None
    task_runs: Sequence[Raw] = ()
    is_over: bool = False


async def logs(
    session: Session,
    name: ExecutionName,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the execution ends.")
    ] = False,
    task: Annotated[str, typer.Option(help="Only of this task.")] = "",
    step: Annotated[str, typer.Option(help="Only of steps of this name.")] = "",
    tail: Annotated[
        int | None, typer.Option(min=0, help="Only so many last lines of each step.")
    ] = None,
    prefix: Annotated[bool, typer.Option(help="Begin each line with [task/step].")] = True,
) -> Exit | None:
    """Print what the steps of an execution's run have written; -f goes on until it ends."""
    execution = parse_execution(await read_execution(session, name))
    wanted = _Wanted(task=task, step=step, tail=tail, prefix=prefix)
    if follow:
        await _follow(session, execution, wanted)
    else:
        await _read(session, execution, wanted)
    return None


async def _read(session: Session, execution: Execution, wanted: _Wanted) -> None:
    steps = await _new_steps(session, execution, wanted)
    if not steps:
        session.printer.note(f"nothing has been written: {progress_of(execution)}")
    namespace, _ = run_key(session, execution)
    for item in steps:
        lines = read_log(session.client, namespace, item.pod, item.container, wanted.tail)
        await _print_log(session, item, lines, wanted)


async def _follow(session: Session, execution: Execution, wanted: _Wanted) -> None:
    """Print the logs of all steps at the same time, until the execution has ended."""
    try:
        async with asyncio.TaskGroup() as logs_at_once:
            async for seen in _states_of(session, execution):
                new = partial(_new_steps, session, seen, wanted)
                for item in await _patiently(session, new):
                    logs_at_once.create_task(_follow_step(session, seen, item, wanted))
            wanted.is_over = True
    except* (CommandError, errors.ApiError, OSError) as group:
        raise group.exceptions[0] from None


async def _states_of(session: Session, execution: Execution) -> AsyncIterator[Execution]:
    """Yield the execution once a second until it has ended, and print its progress."""
    printed = ""
    while True:
        if (line := progress_of(execution)) != printed:
            session.printer.note(one_line(line))
            printed = line
        yield execution
        if execution.has_ended:
            return
        await asyncio.sleep(_POLL_S)
        ask = partial(cluster_of(session).get_execution, execution.namespace, execution.name)
        execution = parse_execution(await _patiently(session, ask))


async def _patiently(session: Session, ask: Callable[[], Awaitable[T]]) -> T:
    """Send a request again until the API server answers it."""

    def report(error: BaseException, _: int) -> None:
        assert isinstance(error, errors.ApiError)
        session.printer.note(f"warning: {in_words(error)}; asking again")

    return await retry.until_it_succeeds(
        ask, on=errors.UnavailableError, report=report, every_s=_POLL_S
    )


async def _new_steps(session: Session, execution: Execution, wanted: _Wanted) -> list[StepLog]:
    """The steps that have started since the last call."""
    wanted.run, wanted.task_runs = run, task_runs = await read_run(session, execution)
    if problem := unknown_name(run, task_runs, wanted.task, wanted.step):
        raise CommandError(problem, Exit.USAGE)
    found = steps_with_logs(task_runs, wanted.task, wanted.step)
    new = [item for item in found if item not in wanted.seen]
    wanted.seen += new
    return new


async def _follow_step(
    session: Session, execution: Execution, item: StepLog, wanted: _Wanted
) -> None:
    namespace, _ = run_key(session, execution)
    lines = follow_log(
        session.client, namespace, item.pod, item.container, wanted.tail, lambda: wanted.is_over
    )
    await _print_log(session, item, lines, wanted)


async def _print_log(
    session: Session, item: StepLog, lines: AsyncIterator[str], wanted: _Wanted
) -> None:
    """Print a log; only warn if its pod is gone or has none, so that the others are printed."""
    source = item.name if wanted.prefix else ""
    style = _STYLES[wanted.seen.index(item) % len(_STYLES)]
    try:
        async for line in lines:
            if session.printer.is_for_people:
                session.printer.say_from(source, line, style)
            else:
                value = Line(task=item.task, step=item.step, line=line)
                session.printer.print_change(value, item.name)
    except errors.NotFoundError:
        why = why_no_log(wanted.run, wanted.task_runs, item.pod)
        session.printer.note(one_line(f"warning: the log of step {item.name}: {why}"))
    except errors.RejectedError as error:
        session.printer.note(f"warning: the log of step {item.name}: {in_words(error)}")
