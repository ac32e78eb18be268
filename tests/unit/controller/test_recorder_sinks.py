"""Traces and CloudEvents are off unless asked for, and cost nothing then."""

import subprocess
import sys
from datetime import timedelta

import pytest

from workflowexecution.cli.commands import policy_of
from workflowexecution.controller.recorder import open_event_sinks
from workflowexecution.observe.metrics import Metrics
from workflowexecution.settings import Settings

DAY = timedelta(days=1)
EXTRAS = ("opentelemetry", "cloudevents")
OF_EXTRAS = ("workflowexecution.observe.traces", "workflowexecution.observe.cloud_event")


async def test_nobody_follows_unless_asked_for() -> None:
    assert open_event_sinks(Metrics(), DAY, traces_endpoint="", cloudevents_sink="") == ()


def test_tekton_is_told_of_spans_only_where_there_are_any() -> None:
    assert not policy_of(Settings()).template.is_traced
    assert policy_of(Settings(traces_endpoint="http://collector/v1/traces")).template.is_traced


def test_the_operator_does_not_load_what_it_does_not_use() -> None:
    program = "import sys, workflowexecution.cli.commands; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "aiohttp" in loaded, done.stderr
    assert not loaded & set(EXTRAS)


@pytest.mark.parametrize(
    ("setting", "package", "extra"),
    [
        ("traces_endpoint", "opentelemetry", "traces"),
        ("cloudevents_sink", "cloudevents", "cloudevents"),
    ],
)
def test_an_extra_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, setting: str, package: str, extra: str
) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] == package or name.startswith(OF_EXTRAS):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    where = {"traces_endpoint": "", "cloudevents_sink": "", setting: "http://127.0.0.1:1/"}
    with pytest.raises(ValueError, match=rf"{setting} is set.*operator\[{extra}\]"):
        open_event_sinks(Metrics(), DAY, **where)
