"""Gauges of the present state: what is active, held, waiting and remembered."""

from collections.abc import Callable, Sequence

from workflowexecution.cache.memory import Memory
from workflowexecution.cache.store import Store
from workflowexecution.controller.workqueue import WorkQueue
from workflowexecution.core.facts.hold import Hold, hold_on
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.kube.clock import Clock
from workflowexecution.observe.metrics import Metrics


def set_gauges(
    metrics: Metrics,
    store: Store,
    memory: Memory,
    executions: WorkQueue[str],
    runs: WorkQueue[RunKey],
    holds: Callable[[], Sequence[Hold]],
    clock: Clock,
) -> None:
    """Have every gauge of the work look at these parts when it is read."""
    metrics.queue_depth.set_function(lambda: len(executions) + len(runs))
    metrics.queue_age.set_function(lambda: max(executions.oldest_age(), runs.oldest_age()))
    metrics.stuck.set_function(memory.stuck_runs)
    metrics.active.set_function(lambda: len(_holding(store)))
    metrics.locks_held.set_function(lambda: len({run.target_key for run in _holding(store)}))
    metrics.oldest_run_age.set_function(lambda: _oldest_age(store, clock))
    metrics.held.set_function(lambda: _held_count(store, holds(), clock))
    remembered = {
        "execution": lambda: len(store.executions()),
        "run": lambda: len(store.runs()),
        "target": store.target_count,
        "slot": lambda: len(store.slots),
        "ending": lambda: len(store.endings),
        "pass": lambda: len(memory),
        "timer": lambda: executions.timer_count() + runs.timer_count(),
    }
    for kind, count in remembered.items():
        metrics.remembered.labels(kind=kind).set_function(count)


def _holding(store: Store) -> list[Run]:
    return [run for run in store.runs() if run.state is not RunState.FINISHED]


def _held_count(store: Store, holds: Sequence[Hold], clock: Clock) -> int:
    """Number of executions that have no run, and that a hold concerns now."""
    now = clock.now()
    waiting = [item for item in store.executions() if not item.has_ended and not item.run_name]
    return sum(hold_on(holds, item, now) is not None for item in waiting)


def _oldest_age(store: Store, clock: Clock) -> float:
    """Seconds since the oldest run that holds its target was created."""
    now = clock.now()
    ages = ((now - run.created_at).total_seconds() for run in _holding(store))
    return max(ages, default=0.0)
