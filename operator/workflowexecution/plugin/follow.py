"""Follows executions: all active ones with each change, or one execution to its end.

Ended executions are not listed: they never change again, and there may be ten thousand of them.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import execution_paths
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.text import one_line
from workflowexecution.kube import errors
from workflowexecution.kube.answers import PAUSE_S, SILENCE_S, read_event, watch_query
from workflowexecution.kube.client import ApiClient
from workflowexecution.plugin.requests import cluster_of, escaped, name_of_kind, query_of
from workflowexecution.plugin.session import Session, let_connections_close
from workflowexecution.plugin.shell import Exit, exit_for
from workflowexecution.views.why import happened_to, progress_of
from workflowexecution.views.wording import in_words

_ACTIVE: Final = ",".join(f"status.phase!={phase}" for phase in TERMINAL_PHASES)


@dataclass(frozen=True, slots=True)
class Change:
    """An execution after a change; its last state, if it was deleted."""

    execution: Execution
    is_deleted: bool = False


class Follower:
    """Follows executions by list and watch, and reconnects after errors.

    Args:
        session: of the command.
        namespaces: one, or none for all.
        which: field selector; empty for all executions.
        labels: label selector; empty for all executions.
        with_ended: whether executions that have ended are listed, too.
        known: executions that had not ended when they were read.
        on_trouble: called with the error each time the API server does not answer.
    """

    def __init__(
        self,
        session: Session,
        namespaces: Sequence[str],
        *,
        which: str = "",
        labels: str = "",
        with_ended: bool = False,
        known: Sequence[Execution] = (),
        on_trouble: Callable[[str], None],
    ) -> None:
        self._session = session
        (self._path,) = execution_paths(namespaces)
        self._which, self._labels = which, labels
        self._listed = "" if with_ended else _ACTIVE
        self._on_trouble = on_trouble
        self._version = ""
        self._active = {item.uid: item for item in known}
        # An error of the first request is raised, unless executions are known: the cluster may be
        # the wrong one.
        self._is_patient = bool(known)

    async def changes(self) -> AsyncGenerator[list[Change], None]:
        """Yield all active executions, then each change, without end; to be closed after use.

        Raises: ApiError where a request is refused, or the first one has no answer and no execution
            is known.
        """
        while True:
            try:
                if not self._version:
                    yield await self._begin()
                self._is_patient = True
                async with aclosing(self._stream()) as stream:
                    async for change in stream:
                        yield [change]
            except errors.GoneError:
                self._version = ""
            except errors.UnavailableError as error:
                if not self._is_patient:
                    raise
                self._on_trouble(in_words(error))
            await asyncio.sleep(PAUSE_S)

    async def _begin(self) -> list[Change]:
        """List active executions, and read those again that are no longer active."""
        version, found = await _list(self._session.client, self._path, self._query(self._listed))
        active = {item.uid: item for item in map(parse_execution, found)}
        missing = [item for uid, item in self._active.items() if uid not in active]
        ended = [await self._end_of(item) for item in missing]
        self._version, self._active = version, active
        return [*map(Change, active.values()), *ended]

    async def _end_of(self, known: Execution) -> Change:
        try:
            raw = await cluster_of(self._session).get_execution(known.namespace, known.name)
        except errors.NotFoundError:
            return Change(known, is_deleted=True)
        found = parse_execution(raw)
        return Change(found) if found.uid == known.uid else Change(known, is_deleted=True)

    async def _stream(self) -> AsyncGenerator[Change, None]:
        """The changes of one watch, until the API server ends it."""
        query = self._query() | watch_query(self._version)
        client = self._session.client
        try:
            async with client.stream(self._path, query, silence=SILENCE_S) as lines:
                async for line in lines:
                    event = read_event(line, self._path)
                    self._version = event.version
                    if event.kind != "BOOKMARK":
                        yield self._note(event.kind, parse_execution(event.changed))
        finally:
            await let_connections_close()

    def _note(self, kind: str, execution: Execution) -> Change:
        is_deleted = kind == "DELETED"
        if is_deleted or execution.has_ended:
            self._active.pop(execution.uid, None)
        else:
            self._active[execution.uid] = execution
        return Change(execution, is_deleted)

    def _query(self, also: str = "") -> dict[str, str]:
        selector = ",".join(filter(None, (self._which, also)))
        return query_of(selector, self._labels)


async def _list(client: ApiClient, path: str, query: dict[str, str]) -> tuple[str, Sequence[Raw]]:
    """The resource version and the objects of a list; a watch starts at this version."""
    page = await client.request("GET", path, params=query)
    return reading.text(page, "metadata", "resourceVersion"), page["items"]


async def wait_for_end(
    session: Session, execution: Execution, limit: float | None, *, prints: bool = False
) -> Exit:
    """Follow an execution to its end, and print its progress to standard error.

    Args:
        session: of the command.
        execution: as it was seen last.
        limit: seconds to wait at most; None for any time.
        prints: whether each state is printed to standard output as well, for programs.
    Raises: NotFoundError where it is deleted; other ApiErrors.
    """
    try:
        async with asyncio.timeout(limit), aclosing(_states_of(session, execution)) as states:
            return await _report_until_end(session, states, prints)
    except TimeoutError:
        session.printer.note("the time to wait is over; it goes on")
        await let_connections_close()
        return Exit.STILL_GOING


async def _report_until_end(
    session: Session, states: AsyncGenerator[Execution, None], prints: bool
) -> Exit:
    printed = ""
    async for seen in states:
        if prints:
            session.printer.print_change(seen.raw, name_of_kind(seen.name))
        if (line := progress_of(seen)) != printed:
            session.printer.note(one_line(line))
            printed = line
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
        on_trouble=lambda problem: session.printer.note(f"warning: {problem}; asking again"),
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
    if message := happened_to(execution):
        session.printer.note(message)
    return exit_for(execution.phase)
