"""Reads fields of objects that others write, by their path: the keys from the outside in.

A missing or wrongly typed field reads as empty, and nothing here raises: one malformed object must
not stop the reading of all others.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

Raw = Mapping[str, Any]

_NONE: Final[Raw] = {}
# Clients may freeze objects. A dict is found first, as the check for a mapping is slow.
_OBJECTS: Final = (dict, Mapping)


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


def parse_time(value: str) -> datetime:
    """Read an RFC 3339 time; raises ValueError where the text is none."""
    return datetime.fromisoformat(value).astimezone(UTC)


def _value(raw: Raw, path: tuple[str, ...]) -> Any:
    value: Any = raw
    try:
        for key in path:
            value = value.get(key)
    except AttributeError:
        # A text, a number or a list, where an object was expected.
        return None
    return value
