"""Answers fit into 80 and 120 columns, and are whole in a pipe, with names as they are found.

`pytest --snapshot-update` writes the answers anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from builders import raw_spec, run_status
from unit.plugin.played import Terminal, Told, terminal_on
from unit.plugin.stage import (
    RUNS,
    completed,
    failed,
    put_execution,
    put_hold,
    put_run,
    put_settings,
    skipped,
    staged,
)
from workflowexecution.api.reading import format_time
from workflowexecution.core.names import run_name
from workflowexecution.plugin import rendering

PAYMENT = "payment-processing/Deployment/payment-gateway-api"
LEDGER = "accounting-production/StatefulSet/general-ledger-postgresql-primary"
BASKET, COMPLETED = "shop/Deployment/basket", "rr-basket-restart-5b0c"
WORKFLOW = "increase-memory-limit-and-restart"
COMMANDS = {
    "list": ("list",),
    "list-all": ("list", "-A"),
    "list-wide": ("list", "-o", "wide"),
    "locks": ("locks",),
    "locks-wide": ("locks", "-o", "wide"),
    "cooldowns": ("cooldowns",),
    "holds": ("holds",),
    "hold": ("hold", "--workflow", WORKFLOW, "--in", "payment-processing", "--reason", "look"),
    "release": ("release", "freeze-of-the-quarter"),
    "describe": ("describe", "rr-payment-gateway-api-high-memory-7f9c"),
    "describe-completed": ("describe", COMPLETED),
    "describe-skipped": ("describe", "rr-payment-gateway-api-high-memory-2a1b"),
    "describe-running": ("describe", "rr-payment-gateway-api-high-memory-9d3e"),
    "why": ("why", "rr-payment-gateway-api-high-memory-2a1b"),
    "why-failed": ("why", "rr-payment-gateway-api-high-memory-7f9c"),
    "can-run": ("can-run", "--target", BASKET, "--workflow", WORKFLOW),
    "can-run-busy": ("can-run", "--target", LEDGER, "--workflow", WORKFLOW),
    "can-run-cooling": ("can-run", "--target", PAYMENT, "--workflow", WORKFLOW),
    "cancel": ("cancel", "rr-payment-gateway-api-high-memory-7f9c"),
    "not-found": ("describe", "rr-payment-gateway-api-high-memory-0000"),
    "no-such-flag": ("list", "--targets", PAYMENT),
    "no-such-task": ("logs", "rr-payment-gateway-api-high-memory-7f9c", "--task", "no-such-task"),
    "top": ("top", "--by", "target", "--since", "24h"),
    "nothing": ("top", "-n", "elsewhere"),
    "doctor": ("doctor", "--service-account", "a-runner-that-nobody-has-created"),
    "version": ("version",),
}
# Texts that are too long for 80 columns, and are one word.
_LONG = re.compile(r"\S{70,}")


@pytest.fixture
def long_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A cluster with names as generated ones are; everything happened long enough ago."""
    server, now = staged(), datetime.now(UTC)
    for path in [path for path in server.objects if "team-a" in path or "pipelineruns" in path]:
        del server.objects[path]
    begun, ended = now - timedelta(minutes=25, seconds=30), now - timedelta(minutes=15, seconds=30)
    age = timedelta(minutes=25, seconds=30)
    running = {
        "phase": "Running",
        "startTime": format_time(begun),
        "pipelineRunRef": {"name": run_name(LEDGER, 1), "namespace": RUNS},
    }
    names = [f"rr-payment-gateway-api-high-memory-{end}" for end in ("9d3e", "2a1b", "7f9c")]
    spec = raw_spec(LEDGER, WORKFLOW)
    put_execution(server, names[0], running, spec=spec, age=age)
    status = skipped(names[0], ended)
    put_execution(server, names[1], status, spec=spec, age=age)
    status = failed(PAYMENT, ended)
    put_execution(server, names[2], status, spec=raw_spec(PAYMENT, WORKFLOW), age=age)
    put_execution(
        server, "held", {"phase": "Pending"}, spec=raw_spec("shop/Deployment/cart"), age=age
    )
    put_execution(
        server, COMPLETED, completed(BASKET, begun, ended), spec=raw_spec(BASKET, "wait"), age=age
    )
    put_run(server, names[0], LEDGER, run_status(started_at=begun))
    over = partial(run_status, started_at=begun, completed_at=ended)
    put_run(server, names[2], PAYMENT, over("False", "Failed"))
    put_run(server, COMPLETED, BASKET, over("True", "Succeeded"), exit_code=0)
    long = "the quarter is being closed, so accounting must not be restarted before Friday"
    put_hold(server, "freeze-of-the-quarter", namespace="shop", reason=long)
    put_settings(server, cooldown=timedelta(hours=2))
    with terminal_on(server, tmp_path, monkeypatch) as opened:
        yield opened


def at_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the output be a terminal of this width, without colours."""

    def console(_: bool, *, stderr: bool) -> Console:
        return Console(
            file=sys.stderr if stderr else sys.stdout,
            width=width,
            force_terminal=True,
            color_system=None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    monkeypatch.setattr(rendering, "_console", console)


@pytest.mark.parametrize("width", [80, 120, 0])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_answer_fits_its_place(
    long_names: Terminal,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    width: int,
) -> None:
    if width:
        at_width(width, monkeypatch)
    told = long_names.ask(*COMMANDS[command])
    lines = [*told.out.splitlines(), *told.err.splitlines()]
    assert [line for line in lines if line != line.rstrip()] == []
    assert [line for line in lines if "…" in line] == []
    if width:
        too_long = [line for line in lines if len(line) > width]
        assert [line for line in too_long if not _is_one_piece(line)] == []
    assert transcript(COMMANDS[command], told) == snapshot


def _is_one_piece(line: str) -> bool:
    """Whether it is one word or one command, which must stay whole to be copied."""
    return bool(_LONG.search(line)) or line.strip().startswith("kubectl ")


def transcript(command: tuple[str, ...], told: Told) -> str:
    """Command, answer and notes; times and versions masked by texts of the same length."""
    text = f"$ kubectl wfe {' '.join(command)}\n{told.out}--- notes\n{told.err}"
    text = re.sub(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d", r"2026-01-02\g<1>12:00:00", text)
    text = re.sub(r"\d\ds ago", "90s ago", text)
    text = re.sub(r"at \d\d:\d\d:\d\d UTC", "at 12:00:00 UTC", text)
    text = re.sub(r"in \d+m?\d*s\b|in \d+m\b", "in 1m", text)
    text = re.sub(r"in 1h\d\dm\d+s", "in 1h43m28s", text)
    return re.sub(r"(\nplugin +)\S+", r"\1VERSION", text)
