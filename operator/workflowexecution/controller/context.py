"""The components that all passes share, and the result of a pass."""

from dataclasses import dataclass
from typing import Final

from workflowexecution.cache.memory import Memory
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.recorder import Recorder
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.core.facts.run import RunKey
from workflowexecution.core.policy import Policy
from workflowexecution.core.status.outcome import Outcome
from workflowexecution.kube.clock import Clock


@dataclass(frozen=True, slots=True)
class Context:
    """The components that all passes share; ``executions`` and ``runs`` are the workqueues."""

    cluster: Cluster
    store: Store
    memory: Memory
    recorder: Recorder
    policy: Policy
    clock: Clock
    executions: WorkQueue[str]
    runs: WorkQueue[RunKey]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a pass.

    outcome: for the status of the execution; None where there is nothing to write.
    requeue_after: seconds until the next pass; None where only an event starts one.
    has_new_facts: whether acting has brought new facts, so that a new decision comes first.
    """

    outcome: Outcome | None = None
    requeue_after: float | None = None
    has_new_facts: bool = False


DECIDE_AGAIN: Final = Result(has_new_facts=True)
