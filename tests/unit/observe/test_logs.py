"""Log lines: one object a line, with what was bound, from our code and from libraries."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from workflowexecution.core.text import is_printable
from workflowexecution.observe.logs import configure_logs

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Put back what configuring changes for the whole process."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(output: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.readouterr().err.splitlines()]


def test_a_line_carries_what_was_bound(capsys: Output) -> None:
    configure_logs("json", "info")
    with structlog.contextvars.bound_contextvars(execution="team-a/mine", target="Node/a"):
        structlog.get_logger("status").bind(attempt=2).info("phase changed", phase="Running")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "phase changed",
        "level": "info",
        "logger": "status",
        "execution": "team-a/mine",
        "target": "Node/a",
        "attempt": 2,
        "phase": "Running",
    }


def test_lines_of_libraries_look_the_same(capsys: Output) -> None:
    configure_logs("json", "info")
    with structlog.contextvars.bound_contextvars(execution="team-a/mine"):
        logging.getLogger("some.library").warning("it said %s", "so")
    (line,) = lines(capsys)
    del line["timestamp"]
    assert line == {
        "event": "it said so",
        "level": "warning",
        "logger": "some.library",
        "execution": "team-a/mine",
    }


def test_an_error_carries_its_traceback_in_the_line(capsys: Output) -> None:
    configure_logs("json", "info")
    structlog.get_logger("x").error("it failed", exc_info=ValueError("wrong"))
    (line,) = lines(capsys)
    assert line["exception"].endswith("ValueError: wrong")


def test_people_are_given_text(capsys: Output) -> None:
    configure_logs("text", "info")
    structlog.get_logger("status").info("phase changed", phase="Running")
    told = capsys.readouterr().err
    assert "phase changed" in told
    assert "phase=Running" in told
    assert "\x1b" not in told


def test_text_for_people_is_not_obeyed_and_forges_no_line(capsys: Output) -> None:
    configure_logs("text", "info")
    evil = "a/b/\x1b[2J\x1b]0;owned\x07\x9b\u202e\n2026-01-01T00:00:00Z [info     ] all is well"
    log = structlog.get_logger("x")
    log.info(f"launched {evil}", target=evil, many=[evil], of={"a": evil})
    log.error("it failed", exc_info=ValueError(evil))
    logging.getLogger("some.library").warning("it said %s", evil)
    told = capsys.readouterr().err
    assert is_printable(told)
    assert not [line for line in told.splitlines() if line.startswith("2026-01-01")]
    assert "ValueError: a/b/" in told


def test_what_is_less_severe_or_only_noise_is_left_out(capsys: Output) -> None:
    configure_logs("json", "warning")
    structlog.get_logger("x").info("a detail")
    logging.getLogger("some.library").info("a detail")
    structlog.get_logger("x").warning("a warning")
    assert [line["event"] for line in lines(capsys)] == ["a warning"]


@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_tell_no_details_at_any_level(capsys: Output, level: str) -> None:
    """At debug level some of them log requests with all headers, and so the credentials."""
    configure_logs("json", level)
    for name in ("requests_oauthlib.oauth2_session", "kubernetes.client.rest", "asyncio"):
        logging.getLogger(name).debug("request headers were %s", {"Authorization": "Bearer x"})
        logging.getLogger(name).info("refreshed the token x")
    structlog.get_logger("app").info("ours")
    assert [line["event"] for line in lines(capsys)] == ["ours"]
