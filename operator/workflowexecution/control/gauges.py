"""What there is at this moment, for whoever reads the metrics."""

from collections.abc import Callable, Sequence

from workflowexecution.control.ledger import Ledger
from workflowexecution.control.memory import Memory
from workflowexecution.control.workqueue import WorkQueue
from workflowexecution.core.facts.hold import Hold, hold_on
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.kube.clock import Clock
from workflowexecution.observe.metrics import Metrics


def set_gauges(
    metrics: Metrics,
    ledger: Ledger,
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
    metrics.active.set_function(lambda: len(_holding(ledger)))
    metrics.locks_held.set_function(lambda: len({run.target_key for run in _holding(ledger)}))
    metrics.oldest_run_age.set_function(lambda: _oldest_age(ledger, clock))
    metrics.held.set_function(lambda: _held_count(ledger, holds(), clock))
    remembered = {
        "execution": lambda: len(ledger.executions()),
        "run": lambda: len(ledger.runs()),
        "target": ledger.target_count,
        "slot": lambda: len(ledger.slots),
        "ending": lambda: len(ledger.endings),
        "pass": lambda: len(memory),
        "timer": lambda: executions.timer_count() + runs.timer_count(),
    }
    for kind, count in remembered.items():
        metrics.remembered.labels(kind=kind).set_function(count)


def _holding(ledger: Ledger) -> list[Run]:
    return [run for run in ledger.runs() if run.state is not RunState.FINISHED]


def _held_count(ledger: Ledger, holds: Sequence[Hold], clock: Clock) -> int:
    """Number of executions that have no run, and that a hold concerns now."""
    now = clock.now()
    waiting = [item for item in ledger.executions() if not item.has_ended and not item.run_name]
    return sum(hold_on(holds, item, now) is not None for item in waiting)


def _oldest_age(ledger: Ledger, clock: Clock) -> float:
    """Seconds since the oldest run that holds its target was created."""
    now = clock.now()
    ages = ((now - run.created_at).total_seconds() for run in _holding(ledger))
    return max(ages, default=0.0)
