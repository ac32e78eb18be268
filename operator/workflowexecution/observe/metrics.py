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
            "Runs that hold their target.",
            registry=self.registry,
        )
        self.stuck = Gauge(
            "workflowexecution_stuck_runs",
            "Runs that hold their target because Kubernetes cannot end a pod of theirs.",
            registry=self.registry,
        )
        self.leftover_pods_deleted = Counter(
            "workflowexecution_leftover_pods_deleted_total",
            "Pods of ended runs that Tekton left and the operator deleted.",
            registry=self.registry,
        )
        self.clock_offset = Gauge(
            "workflowexecution_clock_offset_seconds",
            "How far the API server's clock is ahead of the operator's own.",
            registry=self.registry,
        )
        self.leader = Gauge(
            "workflowexecution_leader",
            "1 where this operator leads, 0 where it stands by.",
            registry=self.registry,
        )
        self.watch_silence = Gauge(
            "workflowexecution_watch_silence_seconds",
            "Time since the API server was last heard on a watch, by what is watched.",
            ["watch"],
            registry=self.registry,
        )
        self.resyncs = Counter(
            "workflowexecution_resyncs_total",
            "Times everything was listed anew after the start, by result.",
            ["result"],
            registry=self.registry,
        )
        self.repaired = Counter(
            "workflowexecution_resync_repairs_total",
            "Objects of which a resync found what no watch had told, by kind.",
            ["kind"],
            registry=self.registry,
        )
        self.loop_lag = Gauge(
            "workflowexecution_event_loop_lag_seconds",
            "How late the event loop woke from its last pause of one second.",
            registry=self.registry,
        )
        self.tasks = Gauge(
            "workflowexecution_tasks",
            "Tasks in the event loop; steady while the load is.",
            registry=self.registry,
        )
        self.remembered = Gauge(
            "workflowexecution_remembered",
            "What is kept in memory, by kind; it goes with what is active or cools down.",
            ["kind"],
            registry=self.registry,
        )
        self.removed = Counter(
            "workflowexecution_retention_removed_total",
            "Finished runs and ended executions removed for their age, by kind.",
            ["kind"],
            registry=self.registry,
        )
        for kind in ("run", "execution"):
            self.removed.labels(kind=kind)
            self.repaired.labels(kind=kind)
        for result in ("done", "failed"):
            self.resyncs.labels(result=result)
        # Every series is there from the start: a rate over a series that appears is wrong.
        for outcome in TERMINAL_PHASES:
            self.executions.labels(outcome=outcome)
        for reason in (SkipReason.RESOURCE_BUSY, SkipReason.RECENTLY_REMEDIATED):
            self.skips.labels(reason=reason)
