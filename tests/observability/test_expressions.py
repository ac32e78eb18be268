"""Every expression that is shipped is evaluated by a real Prometheus against a real operator."""

from __future__ import annotations

import math
import re

import pytest

import monitoring
from harness.executions import name_of
from harness.prometheus import Prometheus, promtool
from harness.waiting import eventually
from harness.world import World
from localcluster.request import REPOSITORY

PAGE = REPOSITORY / "docs" / "how-to" / "observe.md"
# Of the table of questions: a pipe within an expression would end its cell.
QUESTIONS = re.findall(r"^\| .*\? \| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("expression", monitoring.dashboard_expressions())
def test_a_panel_shows_something(prometheus: Prometheus, expression: str) -> None:
    found = prometheus.query(expression)
    assert found, f"{expression} gives nothing"
    values = [float(sample["value"][1]) for sample in found]
    assert not all(math.isnan(value) for value in values), f"{expression} gives no number"


@pytest.mark.parametrize("expression", QUESTIONS)
def test_a_question_of_the_page_has_an_answer(prometheus: Prometheus, expression: str) -> None:
    assert prometheus.query(expression)


def test_the_page_has_questions() -> None:
    assert len(QUESTIONS) == 5


@pytest.mark.parametrize("rule", monitoring.rules(), ids=lambda rule: rule["alert"])
def test_what_a_rule_looks_at_is_there(prometheus: Prometheus, rule: dict[str, str]) -> None:
    """The expression of a rule gives nothing where all is well, so its series are asked for."""
    prometheus.query(rule["expr"])
    for name in monitoring.names_in(rule["expr"]):
        assert prometheus.query(name), f"{name} is not there"


def test_every_rule_has_been_evaluated(prometheus: Prometheus) -> None:
    def evaluated() -> None:
        states = {rule["name"]: (rule["health"], rule.get("lastError")) for rule in rules()}
        assert states == {rule["alert"]: ("ok", None) for rule in monitoring.rules()}

    rules = prometheus.rules
    eventually(evaluated)


def test_nothing_is_alarmed_but_what_is_broken_on_purpose(prometheus: Prometheus) -> None:
    active = prometheus.query("ALERTS")
    assert {sample["metric"]["alertname"] for sample in active} <= {
        "WorkflowExecutionCloudEventsLost",
        "WorkflowExecutionRightMissing",
    }


def test_the_metrics_are_by_the_book(prometheus: Prometheus, busy_world: World) -> None:
    _, text = busy_world.operator.ask("/metrics")
    done = promtool("check", "metrics", feed=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert busy_world.execution_namespace not in text
    for item in busy_world.executions.list(busy_world.source):
        assert name_of(item) not in text
        assert item["spec"]["targetResource"] not in text
