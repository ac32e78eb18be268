"""Metrics by the book, and dashboard and rules that use only what there is."""

import re

import pytest

import monitoring
from localcluster.request import REPOSITORY
from workflowexecution.observe.metrics import Metrics

UNITS = ("_total", "_seconds", "_info", "_bytes")
# Numbers of things have no unit.
COUNTS = {
    "workflowexecution_active",
    "workflowexecution_consecutive_failures",
    "workflowexecution_held",
    "workflowexecution_namespaces_left",
    "workflowexecution_leader",
    "workflowexecution_locks_held",
    "workflowexecution_queue_depth",
    "workflowexecution_remembered",
    "workflowexecution_stuck_runs",
    "workflowexecution_tasks",
}
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}
# Of this repository, in pyproject.toml.
SOURCE = "https://kubernaut.ai/workflowexecution-operator/source/"
MOST_SERIES = 150


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def known(metrics: Metrics) -> set[str]:
    return {series for metric in metrics.described for series in metric.series} | PROCESS


def test_names_have_one_prefix_and_end_in_their_unit(metrics: Metrics) -> None:
    names = {metric.name for metric in metrics.described}

    assert {name for name in names if not name.endswith(UNITS)} == COUNTS
    assert all(re.fullmatch(r"workflowexecution_[a-z_]+", name) for name in names)
    counters = {metric.name for metric in metrics.described if metric.kind == "counter"}
    assert counters == {name for name in names if name.endswith("_total")}
    assert all(metric.text.endswith(".") for metric in metrics.described)


def test_what_is_described_is_what_is_served(metrics: Metrics) -> None:
    metrics.requests.note("GET", 200, 0.1)

    served = {sample.name for family in metrics.registry.collect() for sample in family.samples}

    assert served >= known(metrics)
    assert {name for name in served if not name.startswith("process_")} == known(metrics) - PROCESS


def test_every_series_but_those_of_requests_is_there_from_the_start(metrics: Metrics) -> None:
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]

    there = {(s.name, value) for s in samples for value in s.labels.values()}
    for metric in metrics.described:
        if "api_request" in metric.name:
            continue
        for values in metric.labels.values():
            assert {(metric.series[-1], value) for value in values} <= there
    assert len(samples) < MOST_SERIES


@pytest.mark.parametrize("expression", monitoring.dashboard_expressions())
def test_the_dashboard_uses_what_there_is(metrics: Metrics, expression: str) -> None:
    assert monitoring.names_in(expression)
    assert monitoring.names_in(expression) <= known(metrics)


@pytest.mark.parametrize("rule", monitoring.rules(), ids=lambda rule: rule["alert"])
def test_a_rule_uses_what_there_is_and_names_what_to_do(
    metrics: Metrics, rule: dict[str, object]
) -> None:
    assert monitoring.names_in(str(rule["expr"])) <= known(metrics)
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    page, _, section = annotations["runbook_url"].removeprefix(SOURCE).partition("#")
    headings = re.findall(r"^#+ (.+)$", (REPOSITORY / page).read_text(), re.MULTILINE)
    assert section in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_metric_of_ours_is_shown() -> None:
    """The dashboard shows every metric: one that is not shown is not needed."""
    shown = {
        name
        for expression in monitoring.dashboard_expressions()
        for name in monitoring.names_in(expression)
    }

    unseen = [m.name for m in Metrics().described if not set(m.series) & shown]
    assert unseen == ["workflowexecution_build_info"]


def test_panels_do_not_overlap_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in monitoring.panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
