"""Groups skipped executions by the one that they duplicate, so that people are notified once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workflowexecution.orchestrator.interpret import Interpretation, interpret
from workflowexecution.orchestrator.reading import Key


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """All executions that were skipped because of one; members are in order of their names."""

    of: Key
    members: tuple[Interpretation, ...]


def group_duplicates(executions: Iterable[Mapping[str, Any]]) -> tuple[DuplicateGroup, ...]:
    """Group skipped executions by the execution they duplicate; all others are left out.

    The order of the result is that of names and never that of the arguments. An execution given
    twice counts once, as it was given last. The one duplicated need not be among those given.

    Raises: nothing, for any objects.
    """
    latest = {item.execution: item for item in map(interpret, executions)}
    groups: dict[Key, list[Interpretation]] = {}
    for key in sorted(latest):
        item = latest[key]
        if item.duplicate_of is not None:
            groups.setdefault(item.duplicate_of, []).append(item)
    return tuple(DuplicateGroup(of, tuple(groups[of])) for of in sorted(groups))
