"""What the operator was told to do: the part of the settings that reconciling needs."""

from dataclasses import dataclass, field
from datetime import timedelta

from workflowexecution.core.guards import Guards
from workflowexecution.core.pipelinerun import RunTemplate
from workflowexecution.core.retention import Retention
from workflowexecution.core.shard import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """See Settings for what each means; durations are at least 0.

    watch_namespaces: namespaces whose executions are served; empty means all.
    """

    cooldown: timedelta
    progress_interval: timedelta
    cancel_grace: timedelta
    deadline_grace: timedelta
    leftover_grace: timedelta
    retention: Retention
    template: RunTemplate
    watch_namespaces: tuple[str, ...]
    guards: Guards = field(default_factory=Guards)
    shard: Shard = field(default_factory=Shard)

    def serves(self, namespace: str) -> bool:
        """Whether executions of this namespace are served by this operator."""
        return not self.watch_namespaces or namespace in self.watch_namespaces
