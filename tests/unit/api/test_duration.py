"""Durations read and written as Go does; the tables are Go's own answers."""

from datetime import timedelta

import pytest

from workflowexecution.api.reading import format_duration, parse_duration

LONGEST_US = 9_223_372_036_854_775


@pytest.mark.parametrize(
    ("micros", "expected"),
    [
        (0, "0s"),
        (1, "1µs"),
        (999, "999µs"),
        (1_000, "1ms"),
        (1_100, "1.1ms"),
        (1_500, "1.5ms"),
        (100_000, "100ms"),
        (999_999, "999.999ms"),
        (1_000_000, "1s"),
        (1_000_001, "1.000001s"),
        (1_500_000, "1.5s"),
        (59_999_999, "59.999999s"),
        (60_000_000, "1m0s"),
        (65_000_000, "1m5s"),
        (90_500_000, "1m30.5s"),
        (3_599_999_999, "59m59.999999s"),
        (3_600_000_000, "1h0m0s"),
        (3_661_000_000, "1h1m1s"),
        (5_400_000_000, "1h30m0s"),
        (86_400_000_000, "24h0m0s"),
        (LONGEST_US, "2562047h47m16.854775s"),
        (-1, "-1µs"),
        (-1_500_000, "-1.5s"),
        (-5_400_000_000, "-1h30m0s"),
    ],
)
def test_formats_as_go_does(micros: int, expected: str) -> None:
    assert format_duration(timedelta(microseconds=micros)) == expected


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0s", 0),
        ("1ns", 0),
        ("499ns", 0),
        ("501ns", 1),
        ("1500ns", 2),
        ("1µs", 1),
        ("1us", 1),
        ("100ms", 100_000),
        ("1.5s", 1_500_000),
        ("0.5m", 30_000_000),
        ("1m0s", 60_000_000),
        ("90m", 5_400_000_000),
        ("1.5h", 5_400_000_000),
        ("1h30m", 5_400_000_000),
        ("1h0m0s", 3_600_000_000),
        ("1m1h", 3_660_000_000),
        ("2562047h47m16.854775s", LONGEST_US),
        ("2562047h47m16.854775807s", LONGEST_US + 1),
    ],
)
def test_reads_what_go_reads(text: str, micros: int) -> None:
    assert parse_duration(text) == timedelta(microseconds=micros)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5 m",
        " 5m",
        "5m\n",
        "1d",
        "1e3s",
        "-5m",
        "1,5s",
        "h",
        "s5",
        "\u0661s",
        "1h 30m",
        "five",
    ],
)
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it like 30m, 1h30m or 45s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["999999999999h", "1" + "0" * 400 + "h", "9" * 30 + "m"])
def test_refuses_what_is_too_long_to_keep(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than any duration that can be kept"):
        parse_duration(text)
