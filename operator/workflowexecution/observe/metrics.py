"""Metrics of the operator; labels are bounded: never a name, never a target.

Gauges are functions, which look a value up when Prometheus asks for it.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from workflowexecution import __version__
from workflowexecution.api import identity
from workflowexecution.api.status import TERMINAL_PHASES, UNTIL_CLEARED, Phase, SkipReason
from workflowexecution.kube.access import RequestTally
from workflowexecution.observe import api_requests
from workflowexecution.observe.api_requests import Described

# Seconds. A remediation takes from moments to its time limit.
_RUN_BUCKETS: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
# Between two timestamps of the API server, which are whole seconds.
_CLOCK_BUCKETS: Final = (1, 2, 5, 10, 30, 60, 120, 300)
_REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)


class Metrics:
    """All metrics, in a registry of their own so that tests do not share them."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.described: list[Described] = []
        self._add_outcomes()
        self._add_latencies()
        self._add_what_is_held()
        self._add_work()
        self._add_repairs()
        self._add_process()

    def _add_outcomes(self) -> None:
        self.executions = self._counter(
            "workflowexecution_total",
            "Executions that ended, by outcome.",
            outcome=TERMINAL_PHASES,
        )
        self.skips = self._counter(
            "workflowexecution_skip_total",
            "Executions that were skipped, by reason.",
            reason=SkipReason,
        )
        self.backoff_skips = self._counter(
            "workflowexecution_backoff_skip_total",
            "Executions that were skipped until a person clears a failure, by reason.",
            reason=UNTIL_CLEARED,
        )
        self.runs_created = self._counter(
            "workflowexecution_pipelinerun_creation_total", "PipelineRuns created."
        )
        self.lock_violations = self._counter(
            "workflowexecution_lock_violations_total",
            "Times two unfinished runs were seen on one target; must stay zero.",
        )
        self.cloud_events = self._counter(
            "workflowexecution_cloudevents_total",
            "CloudEvents that were delivered or given up (failed), and attempts that are repeated "
            "(retried).",
            result=("delivered", "failed", "retried"),
        )

    def _add_latencies(self) -> None:
        self.duration = self._histogram(
            "workflowexecution_duration_seconds",
            "Time from start to end of executions that had a run, by outcome.",
            _RUN_BUCKETS,
            outcome=(Phase.COMPLETED, Phase.FAILED),
        )
        self.creation_to_launch = self._histogram(
            "workflowexecution_creation_to_launch_seconds",
            "Time from an execution's creation, in whole seconds, until its run was created; where "
            "it was held, from the end of the last hold.",
            _CLOCK_BUCKETS,
        )
        self.decision_to_launch = self._histogram(
            "workflowexecution_decision_to_launch_seconds",
            "Time from the decision to launch until the run was created.",
            _REQUEST_BUCKETS,
        )
        self.end_to_status = self._histogram(
            "workflowexecution_end_to_status_seconds",
            "Time from a run's end, in whole seconds, until the status said so.",
            _CLOCK_BUCKETS,
        )

    def _add_what_is_held(self) -> None:
        self.active = self._gauge("workflowexecution_active", "Runs that hold their target.")
        self.locks_held = self._gauge(
            "workflowexecution_locks_held", "Targets that are held by a run."
        )
        self.oldest_run_age = self._gauge(
            "workflowexecution_oldest_run_age_seconds",
            "Age of the oldest run that holds its target; 0 where none does.",
        )
        self.stuck = self._gauge(
            "workflowexecution_stuck_runs",
            "Runs that hold their target because Kubernetes cannot end a pod of theirs.",
        )

        self.held = self._gauge(
            "workflowexecution_held", "Executions that are not launched because of a WorkflowHold."
        )
        self.consecutive_failures = self._gauge(
            "workflowexecution_consecutive_failures",
            "Most failures in a row before the first step that a workflow has on a target and that "
            "no person has cleared; 0 where no guard is on.",
        )
        self.namespaces_left = self._gauge(
            "workflowexecution_namespaces_left",
            "Namespaces that are left to another installation, which has claimed them.",
        )

    def _add_work(self) -> None:
        self.queue_depth = self._gauge(
            "workflowexecution_queue_depth", "Executions and runs with work to do now."
        )
        self.queue_age = self._gauge(
            "workflowexecution_queue_oldest_age_seconds",
            "How long the oldest key in the queue has waited, including repeated passes.",
        )
        self.pass_failures = self._counter(
            "workflowexecution_reconcile_failures_total",
            "Passes that failed and are repeated, by kind of object.",
            kind=("execution", "run"),
        )
        self.leader = self._gauge(
            "workflowexecution_leader", "1 where this operator leads, 0 where it stands by."
        )
        self.remembered = self._gauge(
            "workflowexecution_remembered",
            "Objects in memory, by kind. Their number grows with active objects and cooldowns; the "
            "kind of 12 bytes each, `slot`, grows with the targets that have a stored run.",
            kind=("execution", "run", "target", "slot", "ending", "pass", "timer"),
        )

    def _add_repairs(self) -> None:
        self.watch_silence = self._gauge(
            "workflowexecution_watch_silence_seconds",
            "Time since the API server was last heard on a watch, by what is watched.",
            watch=(identity.PLURAL, "pipelineruns", identity.HOLD_PLURAL, identity.CLAIM_PLURAL),
        )
        self.resyncs = self._counter(
            "workflowexecution_resyncs_total",
            "Times everything was listed again after the start, by result.",
            result=("done", "failed"),
        )
        self.repaired = self._counter(
            "workflowexecution_resync_repairs_total",
            "Objects of which a resync found changes that no watch had reported, by kind.",
            kind=("execution", "run"),
        )
        self.leftover_pods_deleted = self._counter(
            "workflowexecution_leftover_pods_deleted_total",
            "Pods of ended runs that Tekton left and the operator deleted.",
        )
        self.removed = self._counter(
            "workflowexecution_retention_removed_total",
            "Finished runs and ended executions removed for their age, by kind.",
            kind=("execution", "run"),
        )

    def _add_process(self) -> None:
        self.requests = RequestTally()
        self.registry.register(api_requests.ApiRequests(self.requests))
        self.described += api_requests.DESCRIBED
        self.clock_offset = self._gauge(
            "workflowexecution_clock_offset_seconds",
            "How far the API server's clock is ahead of the operator's own.",
        )
        self.loop_lag = self._gauge(
            "workflowexecution_event_loop_lag_seconds",
            "How late the event loop woke from its last pause of one second.",
        )
        self.tasks = self._gauge(
            "workflowexecution_tasks", "Tasks in the event loop; steady while the load is."
        )
        info = self._gauge(
            "workflowexecution_build_info",
            "Always 1; its label tells the operator's version.",
            version=(__version__,),
        )
        info.labels(version=__version__).set(1)
        ProcessCollector(registry=self.registry)

    def _counter(self, name: str, text: str, **labels: Iterable[str]) -> Counter:
        counter = Counter(name, text, list(labels), registry=self.registry)
        self._describe(counter, Described(name, "counter", text, _values(labels)))
        return counter

    def _gauge(self, name: str, text: str, **labels: Iterable[str]) -> Gauge:
        gauge = Gauge(name, text, list(labels), registry=self.registry)
        self._describe(gauge, Described(name, "gauge", text, _values(labels)))
        return gauge

    def _histogram(
        self, name: str, text: str, buckets: Sequence[float], **labels: Iterable[str]
    ) -> Histogram:
        histogram = Histogram(name, text, list(labels), buckets=buckets, registry=self.registry)
        self._describe(histogram, Described(name, "histogram", text, _values(labels)))
        return histogram

    def _describe(self, metric: Counter | Gauge | Histogram, described: Described) -> None:
        """Note a metric, and have all its series from the start.

        A rate over a series that appears is wrong.
        """
        self.described.append(described)
        if described.labels:
            for values in itertools.product(*described.labels.values()):
                metric.labels(*values)


def _values(labels: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {label: tuple(map(str, values)) for label, values in labels.items()}
