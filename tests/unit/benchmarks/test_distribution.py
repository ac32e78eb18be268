"""The benchmarks' own arithmetic: percentiles, ratios, medians with their spread."""

from __future__ import annotations

import math

import pytest

from benchmarks.distribution import (
    percentile,
    rate_over_time,
    ratio,
    spread,
    summary_ms,
)

HUNDRED = [float(number) for number in range(100, 0, -1)]


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50), (90, 90), (99, 99), (99.5, 100), (100, 100), (0, 1)]
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile(HUNDRED, percent) == expected


def test_the_percentiles_of_one_value_are_that_value() -> None:
    assert [percentile([7.0], percent) for percent in (1, 50, 99, 100)] == [7.0] * 4


def test_few_values_have_their_largest_as_high_percentile() -> None:
    assert percentile([1.0, 2.0, 9.0], 99) == 9.0
    assert percentile([1.0, 2.0, 9.0], 50) == 2.0


def test_without_values_there_is_no_percentile() -> None:
    assert math.isnan(percentile([], 50))


def test_times_are_summed_up_in_milliseconds() -> None:
    assert summary_ms("reply", [0.010, 0.020]) == {
        "reply_p50_ms": 10.0,
        "reply_p90_ms": 20.0,
        "reply_p99_ms": 20.0,
        "reply_max_ms": 20.0,
    }


def test_a_ratio_needs_a_floor() -> None:
    assert ratio(30, 20) == 1.5
    assert math.isnan(ratio(30, 0))


def test_the_median_of_runs_is_told_with_its_extremes() -> None:
    found = spread([3.0, 1.0, 2.0, 9.0, 2.5])
    assert (found.median, found.low, found.high, found.runs) == (2.5, 1.0, 9.0, 5)


def test_what_one_run_has_not_measured_does_not_spoil_the_others() -> None:
    found = spread([math.nan, 4.0])
    assert (found.median, found.runs) == (4.0, 1)
    assert math.isnan(spread([math.nan]).median)


def test_a_rate_over_time_counts_each_moment_once() -> None:
    rates = rate_over_time([10.0, 10.4, 10.5, 12.0], 0.5)
    assert rates == [(0.0, 4.0), (0.5, 2.0), (1.0, 0.0), (1.5, 0.0), (2.0, 2.0)]
    assert rate_over_time([], 0.5) == []
