"""Reads fields of objects that others write; a missing or wrongly typed field reads as empty.

Nothing here raises: one malformed object must not stop the reading of all others.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from workflowexecution.api.fields import parse_time

Raw = Mapping[str, Any]

_NONE: Final[Raw] = {}


def mapping(raw: Raw, key: str) -> Raw:
    """The object under a key; empty where there is none."""
    value = raw.get(key)
    # Clients may freeze objects. A dict is found first, as the check for a mapping is slow.
    return value if isinstance(value, dict | Mapping) else _NONE


def mappings(raw: Raw, key: str) -> list[Raw]:
    """The objects in a list; items of another type are left out."""
    value = raw.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(raw: Raw, key: str) -> str:
    """The text under a key; empty where there is none."""
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def moment(raw: Raw, key: str) -> datetime | None:
    """The time under a key, in UTC; None where there is none or it cannot be read."""
    try:
        return parse_time(text(raw, key))
    except (ValueError, OverflowError):
        return None
