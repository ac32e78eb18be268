"""Metrics of the operator; labels are bounded: never a name, never a target."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from workflowexecution.api.status import TERMINAL_PHASES, SkipReason

_BUCKETS: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)


class Metrics:
    """All metrics, in a registry of their own so that tests do not share them."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.executions = Counter(
            "workflowexecution_total",
            "Executions that ended, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.duration = Histogram(
            "workflowexecution_duration_seconds",
            "Time from start to end of executions that had a run, by outcome.",
            ["outcome"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.runs_created = Counter(
            "workflowexecution_pipelinerun_creation_total",
            "PipelineRuns created.",
            registry=self.registry,
        )
        self.skips = Counter(
            "workflowexecution_skip_total",
            "Executions that were skipped, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.lock_violations = Counter(
            "workflowexecution_lock_violations_total",
            "Times two unfinished runs were seen on one target; must stay zero.",
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "workflowexecution_queue_depth",
            "Executions with work to do now.",
            registry=self.registry,
        )
        self.active = Gauge(
            "workflowexecution_active",
            "Executions whose run is active.",
            registry=self.registry,
        )
        # Every series is there from the start: a rate over a series that appears is wrong.
        for outcome in TERMINAL_PHASES:
            self.executions.labels(outcome=outcome)
        for reason in (SkipReason.RESOURCE_BUSY, SkipReason.RECENTLY_REMEDIATED):
            self.skips.labels(reason=reason)
