"""Waits for one execution's end, and tells each step on the way once."""

import asyncio
from collections.abc import AsyncIterator

from workflowexecution.core.facts.execution import Execution
from workflowexecution.kube import errors
from workflowexecution.plugin.exits import Exit, exit_for
from workflowexecution.plugin.follow import Follower
from workflowexecution.plugin.gather import escaped
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.views.progress import progress_of
from workflowexecution.plugin.views.why import happened_to


async def wait_for_end(session: Session, execution: Execution, limit: float | None) -> Exit:
    """Follow an execution to its end, telling what changes on standard error.

    Args:
        session: of the command.
        execution: as it was seen last.
        limit: seconds to wait at most; None for any time.
    Raises: NotFoundError where it is deleted; other ApiErrors.
    """
    told = ""
    try:
        async with asyncio.timeout(limit):
            async for seen in _states_of(session, execution):
                if (line := progress_of(seen)) != told:
                    session.printer.note(line)
                    told = line
                if seen.has_ended:
                    return _ended(session, seen)
    except TimeoutError:
        session.printer.note("the time to wait is over; it goes on")
    return Exit.STILL_GOING


async def _states_of(session: Session, execution: Execution) -> AsyncIterator[Execution]:
    yield execution
    follower = Follower(
        session,
        [execution.namespace],
        which=f"metadata.name={escaped(execution.name)}",
        known=[execution],
        on_trouble=lambda said: session.printer.note(f"warning: {said}; asking again"),
    )
    async for changes in follower.changes():
        for change in changes:
            if change.execution.uid != execution.uid:
                continue
            if change.is_deleted:
                raise errors.NotFoundError(f"{execution.namespace}/{execution.name} was deleted")
            yield change.execution


def _ended(session: Session, execution: Execution) -> Exit:
    if said := happened_to(execution):
        session.printer.note(said)
    return exit_for(execution.phase)
