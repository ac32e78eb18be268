"""The server's time: what replies prove, and what they do not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflowexecution.kube.clock import ServerClock

START = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@dataclass
class Times:
    """The true time, and our own clock that may be wrong."""

    ahead: float = 0.0
    passed: float = 0.0

    @property
    def true(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def wall(self) -> float:
        return self.true.timestamp() + self.ahead

    def monotonic(self) -> float:
        return self.passed


def reply(clock: ServerClock, times: Times, *, took: float = 0.02, wrong: float = 0.0) -> None:
    """A request whose reply is dated half-way, in whole seconds."""
    sent = times.passed
    date = (times.true + timedelta(seconds=took / 2 + wrong)).replace(microsecond=0)
    times.passed += took
    clock.observe(date, sent=sent, received=times.passed)


def error_of(clock: ServerClock, times: Times) -> float:
    return (clock.now() - times.true).total_seconds()


def clock_of(times: Times) -> ServerClock:
    return ServerClock(wall=times.wall, monotonic=times.monotonic)


def test_a_clock_that_is_right_is_left_alone() -> None:
    times = Times()
    clock = clock_of(times)
    for _ in range(50):
        reply(clock, times)
        times.passed += 0.7
    assert clock.offset == 0.0
    assert abs(error_of(clock, times)) < 0.001
    assert clock.monotonic() == times.passed


@pytest.mark.parametrize("ahead", [360.0, -360.0, 2.5])
def test_a_clock_that_is_wrong_is_put_right(ahead: float) -> None:
    times = Times(ahead=ahead)
    clock = clock_of(times)
    assert error_of(clock, times) == pytest.approx(ahead)
    for _ in range(20):
        reply(clock, times)
        times.passed += 0.37
    assert abs(error_of(clock, times)) <= 1.1
    assert clock.offset == pytest.approx(-ahead, abs=1.1)


def test_one_reply_that_is_wrong_changes_nothing_and_two_do() -> None:
    times = Times()
    clock = clock_of(times)
    reply(clock, times)
    reply(clock, times, wrong=600)
    assert abs(error_of(clock, times)) < 0.1
    reply(clock, times)
    reply(clock, times, wrong=600)
    reply(clock, times, wrong=600)
    assert clock.offset == pytest.approx(600, abs=1.1)


def test_a_step_of_our_own_clock_has_no_effect() -> None:
    times = Times()
    clock = clock_of(times)
    reply(clock, times)
    times.ahead = 3600.0
    assert abs(error_of(clock, times)) < 0.1


def test_a_slow_drift_is_followed() -> None:
    times = Times()
    clock = clock_of(times)
    drifted = 0.0
    for _ in range(400):
        reply(clock, times, wrong=drifted)
        times.passed += 10
        drifted += 0.005
    assert clock.offset == pytest.approx(drifted, abs=1.2)


@given(st.floats(-1e5, 1e5), st.lists(st.tuples(st.floats(0, 5), st.floats(0, 100)), max_size=30))
def test_what_is_left_of_an_error_is_never_more_than_a_second_and_a_request(
    ahead: float, replies: list[tuple[float, float]]
) -> None:
    times = Times(ahead=ahead)
    clock = clock_of(times)
    for took, pause in replies:
        reply(clock, times, took=took)
        times.passed += pause
    if replies:
        least = min(took for took, _ in replies)
        drift = 0.001 * times.passed
        assert abs(error_of(clock, times)) <= 1 + least + drift + 0.01
