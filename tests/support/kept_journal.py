"""A journal in memory: the executions and the mark that an operator leaves to the next one."""

from collections.abc import AsyncIterator
from datetime import datetime

from builders import NOW
from workflowexecution.core.facts.execution import Execution
from workflowexecution.kube import errors


class KeptJournal:
    """Answers like the API server; `refusals` are used up first, `lists` counts the lists."""

    def __init__(self, *executions: Execution, mark: str = "", now: datetime = NOW) -> None:
        self.held = list(executions)
        self.mark = mark
        self.moment = now
        self.lists = 0
        self.refusals: list[errors.ApiError] = []

    async def executions(self) -> AsyncIterator[Execution]:
        self.lists += 1
        for execution in self.held:
            yield execution
        self._answer()

    async def read_mark(self) -> str:
        self._answer()
        return self.mark

    async def write_mark(self, text: str) -> None:
        self._answer()
        self.mark = text

    def now(self) -> datetime:
        return self.moment

    def _answer(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
