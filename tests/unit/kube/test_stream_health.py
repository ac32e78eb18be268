"""Streams are judged by what has come over them."""

from types import SimpleNamespace
from typing import Any

import pytest

from workflowexecution.kube.stream_health import StreamHealth

RUNS, OTHERS = "/runs", "/others"


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def streams(time: Time) -> StreamHealth:
    return StreamHealth("pods", time)


def content() -> Any:
    return SimpleNamespace(total_bytes=0)


def test_what_was_never_begun_is_not_silent(streams: StreamHealth) -> None:
    assert streams.silence() == 0
    assert streams.not_ready() == ""


def test_silence_lasts_until_something_comes(streams: StreamHealth, time: Time) -> None:
    body = content()
    streams.opened(RUNS, body)
    time.now += 60
    streams.listen()
    assert streams.silence() == 60
    body.total_bytes += 10
    streams.listen()
    assert streams.silence() == 0


def test_what_came_counts_from_when_it_was_heard(streams: StreamHealth, time: Time) -> None:
    body = content()
    streams.opened(RUNS, body)
    body.total_bytes += 10
    time.now += 1
    streams.listen()
    time.now += 50
    streams.listen()
    assert streams.silence() == 50


def test_the_stream_that_is_silent_longest_counts(streams: StreamHealth, time: Time) -> None:
    streams.opened(RUNS, content())
    time.now += 30
    streams.opened(OTHERS, content())
    assert streams.silence() == 30


def test_refusals_neither_end_the_silence_nor_begin_it_anew(
    streams: StreamHealth, time: Time
) -> None:
    streams.opened(RUNS, content())
    for _ in range(3):
        time.now += 20
        streams.refused(RUNS, "403 Forbidden")
    assert streams.silence() == 60
    assert streams.not_ready() == "the watch of pods is refused: 403 Forbidden"


def test_once_it_is_open_nothing_is_refused(streams: StreamHealth, time: Time) -> None:
    streams.refused(RUNS, "refused")
    time.now += 20
    streams.opened(RUNS, content())
    assert streams.not_ready() == ""
    assert streams.silence() == 0


def test_a_stream_that_was_just_closed_is_given_time_again(
    streams: StreamHealth, time: Time
) -> None:
    streams.opened(RUNS)
    streams.heard(RUNS)
    time.now += 59
    streams.opened(RUNS)
    time.now += 60
    assert streams.silence() == 60


def test_a_stream_that_is_closed_again_and_again_is_silent(
    streams: StreamHealth, time: Time
) -> None:
    for _ in range(120):
        streams.opened(RUNS)
        time.now += 1
    assert streams.not_ready() == "the watch of pods has delivered nothing for 120 s"
    assert streams.not_alive() == streams.not_ready()


def test_a_silent_stream_stays_silent_when_it_is_opened_anew(
    streams: StreamHealth, time: Time
) -> None:
    streams.opened(RUNS)
    streams.heard(RUNS)
    time.now += 75
    streams.opened(RUNS)
    time.now += 20
    assert streams.not_ready() == "the watch of pods has delivered nothing for 95 s"
    assert streams.not_alive() == ""


def test_after_an_outage_a_stream_is_given_time(streams: StreamHealth, time: Time) -> None:
    streams.opened(RUNS)
    time.now += 600
    streams.refused(RUNS, "refused")
    assert streams.not_alive() != ""
    streams.opened(RUNS)
    assert (streams.not_ready(), streams.not_alive()) == ("", "")
