"""The listed objects, as one value: the input of the views."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of targets.

    executions: of all namespaces.
    runs: those in the execution namespace, and those of which only pods are left.
    leftovers: TaskRuns and active pods of runs that are not known to have stopped.
    unread: what could not be read, in words, because a right is missing.
    """

    executions: tuple[Execution, ...] = ()
    runs: tuple[Run, ...] = ()
    leftovers: Mapping[RunKey, Leftovers] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
