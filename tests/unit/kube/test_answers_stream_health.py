"""A watch is judged by what has come over it."""

import pytest

from workflowexecution.kube.answers import StreamHealth


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
def health(time: Time) -> StreamHealth:
    return StreamHealth("pods", time)


def test_what_was_never_begun_is_not_silent(health: StreamHealth) -> None:
    assert (health.silence(), health.not_ready(), health.not_alive()) == (0, "", "")


def test_silence_lasts_until_something_comes(health: StreamHealth, time: Time) -> None:
    health.opened()
    time.now += 60
    assert health.silence() == 60
    health.heard()
    assert health.silence() == 0


def test_refusals_neither_end_the_silence_nor_begin_it_anew(
    health: StreamHealth, time: Time
) -> None:
    health.opened()
    for _ in range(3):
        time.now += 20
        health.refused("403 Forbidden")
    assert health.silence() == 60
    assert health.not_ready() == "the watch of pods is refused: 403 Forbidden"


def test_once_it_is_open_nothing_is_refused(health: StreamHealth, time: Time) -> None:
    health.refused("refused")
    time.now += 20
    health.opened()
    assert (health.not_ready(), health.silence()) == ("", 0)


def test_a_stream_that_was_just_closed_is_given_time_again(
    health: StreamHealth, time: Time
) -> None:
    health.opened()
    health.heard()
    time.now += 59
    health.opened()
    time.now += 60
    assert health.silence() == 60


def test_streams_that_are_closed_again_and_again_are_silence(
    health: StreamHealth, time: Time
) -> None:
    for _ in range(120):
        health.opened()
        time.now += 1
    assert health.not_ready() == "the watch of pods has delivered nothing for 120 s"
    assert health.not_alive() == health.not_ready()


def test_a_silent_watch_stays_silent_when_a_stream_is_opened_anew(
    health: StreamHealth, time: Time
) -> None:
    health.opened()
    health.heard()
    time.now += 75
    health.opened()
    time.now += 20
    assert health.not_ready() == "the watch of pods has delivered nothing for 95 s"
    assert health.not_alive() == ""


def test_after_an_outage_it_is_given_time(health: StreamHealth, time: Time) -> None:
    health.opened()
    time.now += 600
    health.refused("refused")
    assert health.not_alive() != ""
    health.opened()
    assert (health.not_ready(), health.not_alive()) == ("", "")
