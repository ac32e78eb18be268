"""The parts that every pass works with, and the result of a pass."""

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
    """One of each for the whole controller; ``executions`` and ``runs`` are the workqueues."""

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
    """What to write, and when to come back.

    outcome: for the status of the execution; None where there is nothing to write.
    requeue_after: seconds until the next pass; None for: when something happens.
    has_new_facts: whether acting has brought new facts, so that it is decided once more first.
    """

    outcome: Outcome | None = None
    requeue_after: float | None = None
    has_new_facts: bool = False


DECIDE_AGAIN: Final = Result(has_new_facts=True)
