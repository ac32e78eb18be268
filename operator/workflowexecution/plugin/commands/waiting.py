"""Waits for one execution's end, and tells each step on the way once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.text import one_line
from workflowexecution.kube import errors
from workflowexecution.plugin.exits import Exit, exit_for
from workflowexecution.plugin.follow import Change, Follower
from workflowexecution.plugin.gather import escaped
from workflowexecution.plugin.session import Session, let_connections_close
from workflowexecution.views.why import happened_to, progress_of


async def wait_for_end(session: Session, execution: Execution, limit: float | None) -> Exit:
    """Follow an execution to its end, telling what changes on standard error.

    Args:
        session: of the command.
        execution: as it was seen last.
        limit: seconds to wait at most; None for any time.
    Raises: NotFoundError where it is deleted; other ApiErrors.
    """
    try:
        async with asyncio.timeout(limit), aclosing(_states_of(session, execution)) as states:
            return await _tell_until_end(session, states)
    except TimeoutError:
        session.printer.note("the time to wait is over; it goes on")
        await let_connections_close()
        return Exit.STILL_GOING


async def _tell_until_end(session: Session, states: AsyncGenerator[Execution, None]) -> Exit:
    told = ""
    async for seen in states:
        if (line := progress_of(seen)) != told:
            session.printer.note(one_line(line))
            told = line
        if seen.has_ended:
            return _ended(session, seen)
    raise AssertionError("an execution is followed until it has ended")


async def _states_of(session: Session, execution: Execution) -> AsyncGenerator[Execution, None]:
    yield execution
    follower = Follower(
        session,
        [execution.namespace],
        which=f"metadata.name={escaped(execution.name)}",
        known=[execution],
        on_trouble=lambda said: session.printer.note(f"warning: {said}; asking again"),
    )
    async with aclosing(follower.changes()) as batches:
        async for changes in batches:
            for change in changes:
                if change.execution.uid == execution.uid:
                    yield _still_there(change)


def _still_there(change: Change) -> Execution:
    if change.is_deleted:
        where = f"{change.execution.namespace}/{change.execution.name}"
        raise errors.NotFoundError(f"WorkflowExecution {where} was deleted")
    return change.execution


def _ended(session: Session, execution: Execution) -> Exit:
    if said := happened_to(execution):
        session.printer.note(said)
    return exit_for(execution.phase)
