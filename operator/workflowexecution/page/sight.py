"""The objects that one visitor may see."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from workflowexecution.core.facts.run import Run
from workflowexecution.page.gate import Gate, Right, Visitor, to_list_executions

# Each takes a question to the API server, now and then.
MOST_NAMESPACES: Final = 200
_RUNS: Final = ("tekton.dev", "pipelineruns")
_TASKS: Final = ("tekton.dev", "taskruns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The namespaces whose executions a visitor may list.

    has_all: whether that is all of them, also those in which nothing is yet.
    sees_runs, sees_tasks: whether they may list the runs and the TaskRuns themselves.
    is_cut: whether there are more namespaces than were asked about.
    """

    has_all: bool = False
    namespaces: frozenset[str] = frozenset()
    sees_runs: bool = False
    sees_tasks: bool = False
    is_cut: bool = False

    @property
    def is_blind(self) -> bool:
        """Whether there is nothing that they may see."""
        return not (self.has_all or self.namespaces)

    def sees(self, namespace: str) -> bool:
        """Whether executions of a namespace are shown."""
        return self.has_all or namespace in self.namespaces

    def sees_run(self, run: Run) -> bool:
        """Whether it is shown that a run holds its target; one without an execution is a run."""
        return self.sees(run.owner.namespace) if run.owner else self.sees_runs


async def sight_of(
    gate: Gate, visitor: Visitor, candidates: Collection[str], run_namespace: str
) -> Sight:
    """Find out what a visitor may see.

    Args:
        gate: who is asked.
        visitor: who wants to see.
        candidates: namespaces of which something could be shown.
        run_namespace: where the runs are.

    Raises: ApiError where the API server gives no answer.
    """
    some = sorted(candidates)[:MOST_NAMESPACES]
    has_all, sees_runs, sees_tasks = await asyncio.gather(
        gate.may(visitor, to_list_executions("")),
        gate.may(visitor, Right("list", *_RUNS, run_namespace)),
        gate.may(visitor, Right("list", *_TASKS, run_namespace)),
    )
    asked = () if has_all else some
    answers = await asyncio.gather(*(gate.may(visitor, to_list_executions(name)) for name in asked))
    return Sight(
        has_all=has_all,
        namespaces=frozenset(name for name, may in zip(asked, answers, strict=True) if may),
        sees_runs=sees_runs,
        sees_tasks=sees_tasks,
        is_cut=not has_all and len(some) < len(candidates),
    )
