"""Reads fields of objects that others write, and the text forms of times and durations.

A field is read by its path: the keys from the outside in. A missing or wrongly typed field reads as
empty, and that never raises: one malformed object must not stop the reading of all others.

A time is RFC 3339, a duration is written as Go does it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

Raw = Mapping[str, Any]

_NONE: Final[Raw] = {}
# Clients may freeze objects. A dict is found first, as the check for a mapping is slow.
_OBJECTS: Final = (dict, Mapping)
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
DURATION_PATTERN: Final = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"


def mapping(raw: Raw, *path: str) -> Raw:
    """The object at a path; empty where there is none."""
    value = _value(raw, path)
    return value if isinstance(value, _OBJECTS) else _NONE


def mappings(raw: Raw, *path: str) -> list[Raw]:
    """The objects in a list; items of another type are left out."""
    value = _value(raw, path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def item(raw: Raw, *path: str, **wanted: str) -> Raw:
    """The first object in a list that has this text under this key; empty where none has."""
    ((key, value),) = wanted.items()
    return next((one for one in mappings(raw, *path) if one.get(key) == value), _NONE)


def text(raw: Raw, *path: str) -> str:
    """The text at a path; empty where there is none."""
    value = _value(raw, path)
    return value if isinstance(value, str) else ""


def texts(raw: Raw, *paths: tuple[str, ...]) -> tuple[str, ...]:
    """The text at each of many paths."""
    found = [_value(raw, path) for path in paths]
    return tuple([value if isinstance(value, str) else "" for value in found])


def moment(raw: Raw, *path: str) -> datetime | None:
    """The time at a path, in UTC; None where there is none or it cannot be read."""
    try:
        return parse_time(text(raw, *path))
    except (ValueError, OverflowError):
        return None


def moments(raw: Raw, *paths: tuple[str, ...]) -> tuple[datetime | None, ...]:
    """The time at each of many paths."""
    return tuple([moment(raw, *path) for path in paths])


def _value(raw: Raw, path: tuple[str, ...]) -> Any:
    value: Any = raw
    try:
        for key in path:
            value = value.get(key)
    except AttributeError:
        # A text, a number or a list, where an object was expected.
        return None
    return value


def parse_time(value: str) -> datetime:
    """Read an RFC 3339 time; raises ValueError where the text is none."""
    return datetime.fromisoformat(value).astimezone(UTC)


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
    if not re.fullmatch(DURATION_PATTERN, text):
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
