"""Holds, as one visitor may see them."""

from collections.abc import Iterable
from dataclasses import replace

from workflowexecution.page.sight import Sight
from workflowexecution.views.blockers import HeldBy


def holds_for(holds: Iterable[HeldBy], sight: Sight) -> list[HeldBy]:
    """The holds that a visitor may see, each with those who wait that they may see.

    Whoever may not list executions in the namespace of a hold is not shown it: what it means for an
    execution of theirs is in that one's own status.
    """
    return [
        replace(hold, waiting=[name for name in hold.waiting if _is_seen(name, sight)])
        for hold in holds
        if sight.sees(hold.namespace)
    ]


def _is_seen(execution: str, sight: Sight) -> bool:
    return sight.sees(execution.partition("/")[0])
