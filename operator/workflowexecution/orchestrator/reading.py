"""Fields of any object, by path: what is missing or of a wrong type reads as nothing.

Nothing here raises: an orchestrator must survive every object that the API server can hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from workflowexecution.api import duration
from workflowexecution.api.fields import parse_time

Raw = Mapping[str, Any]

_NONE: Final[Raw] = {}


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which object of a kind: names are unique within a namespace only."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """The form people read: ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def value(raw: Any, *path: str) -> Any:
    """What is at a path of keys; None where the path breaks off."""
    for key in path:
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw


def mapping(raw: Any, *path: str) -> Raw:
    """The object at a path; empty where there is none."""
    found = value(raw, *path)
    return found if isinstance(found, Mapping) else _NONE


def text(raw: Any, *path: str) -> str:
    """The text at a path; empty where there is none."""
    found = value(raw, *path)
    return found if isinstance(found, str) else ""


def moment(raw: Any, *path: str) -> datetime | None:
    """The time at a path, in UTC; None where there is none that can be told."""
    try:
        return parse_time(text(raw, *path))
    except (ValueError, OverflowError):
        return None


def length(raw: Any, *path: str) -> timedelta | None:
    """The duration at a path; None where there is none that can be told."""
    try:
        return duration.parse_duration(text(raw, *path))
    except ValueError:
        return None


def later(start: datetime | None, by: timedelta | None) -> datetime | None:
    """The instant this long after another; None where either is unknown or none is that late."""
    if start is None or by is None:
        return None
    try:
        return start + by
    except OverflowError:
        return None
