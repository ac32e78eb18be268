"""A read-only view of a running operator, for the status page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workflowexecution.cache.store import Store
from workflowexecution.core.facts.hold import Hold
from workflowexecution.core.policy import Policy
from workflowexecution.kube.clock import Clock


class EventListener(Protocol):
    """Receives each event of the watches; must return at once and never raises."""

    def on_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in a change of an execution."""
        ...

    def on_run(self, event_type: str, raw: dict[str, Any]) -> None:
        """Take in a change of a run."""
        ...

    def missed(self) -> None:
        """Note that changes may have been missed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderStatus:
    """The leader status of one of several operators.

    identity: empty where there is no election, and each operator works.
    leader: as last seen; empty for none.
    """

    identity: str = ""
    leader: str = ""

    @property
    def is_standby(self) -> bool:
        """Whether another operator leads."""
        return bool(self.identity) and self.identity != self.leader


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorView:
    """A view into one operator.

    cache: to be read only, and without waiting between reads.
    stale_reason: why the data may be incomplete or stale; empty where it is current.
    """

    store: Store
    policy: Policy
    clock: Clock
    holds: Callable[[], Sequence[Hold]]
    standing: Callable[[], LeaderStatus]
    stale_reason: Callable[[], str]
