"""An operator that has launched, skipped and failed, and a Prometheus that has read it all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.executions import unique_target
from harness.prometheus import Prometheus, open_prometheus
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster

HAS_READ_IT_ALL = (
    'workflowexecution_total{outcome="Completed"} == 1',
    'workflowexecution_total{outcome="Failed"} >= 1',
    'workflowexecution_total{outcome="Skipped"} == 1',
    'workflowexecution_cloudevents_total{result="retried"} >= 1',
    'rate(workflowexecution_api_requests_total{code="404"}[1m]) >= 0',
)


@pytest.fixture(scope="session")
def busy_world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator that leads, whose sink for CloudEvents nobody answers."""
    flags = ("--leader-election", "--cloudevents-sink=http://127.0.0.1:1/")
    with open_world(bare_cluster, *flags) as world:
        yield world


@pytest.fixture(scope="session")
def prometheus(busy_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It reads before and after everything has happened once, so that rates have two samples."""
    folder = tmp_path_factory.mktemp("prometheus")
    with open_prometheus(folder, busy_world.operator.metrics_port) as found:
        _let_everything_happen(busy_world)
        for expression in HAS_READ_IT_ALL:
            eventually(lambda expression=expression: _gives(found, expression), 60)  # type: ignore[misc]
        yield found


def _let_everything_happen(world: World) -> None:
    target = unique_target()
    world.completed(target)
    world.ended(world.create(target), "Skipped")
    _, run = world.launched(target, workflow="other")
    world.tekton.begin(run)
    world.tekton.fail(run)
    # That an execution is gone is only learnt by an answer that is no success.
    deleted, _ = world.launched(unique_target())
    world.executions.delete(deleted)


def _gives(prometheus: Prometheus, expression: str) -> None:
    assert prometheus.query(expression), f"{expression} gives nothing"
