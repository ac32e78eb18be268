"""The text forms of times and of lengths of time in the API: RFC 3339 and Go durations."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

_UNITS: Final = {
    "ns": Decimal("0.001"),
    "us": Decimal(1),
    "µs": Decimal(1),
    "ms": Decimal(1_000),
    "s": Decimal(1_000_000),
    "m": Decimal(60_000_000),
    "h": Decimal(3_600_000_000),
}
_PART: Final = r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)"
PATTERN: Final = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"


# The times of one status are the same few.
@lru_cache(maxsize=256)
def format_time(value: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as ``metav1.Time`` writes it."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


# The same few durations, such as the default time limit, are read and written all the time.
@lru_cache(maxsize=256)
def parse_duration(text: str) -> timedelta:
    """Read a Go duration such as ``1h30m`` or ``500ms``.

    Returns: the duration, to the microsecond.
    Raises: ValueError naming the text and the form expected; handled where input is parsed.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is not a duration; write it like 30m, 1h30m or 45s")
    micros = sum(Decimal(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    try:
        return timedelta(microseconds=round(micros))
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than any duration that can be kept") from error


@lru_cache(maxsize=256)
def format_duration(value: timedelta) -> str:
    """Write a duration as Go's ``Duration.String`` does, e.g. ``1m5s``, ``1.5s``, ``0s``."""
    micros = value // timedelta(microseconds=1)
    sign = "-" if micros < 0 else ""
    micros = abs(micros)
    if 0 < micros < 1_000_000:
        return sign + _short(micros)
    minutes, rest = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1_000_000:.6f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _short(micros: int) -> str:
    """Write a duration under a second, in the largest unit of which it has at least one."""
    if micros < 1_000:
        return f"{micros}µs"
    return f"{micros / 1_000:.3f}".rstrip("0").rstrip(".") + "ms"
