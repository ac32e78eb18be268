"""A strict decoder: refuses whatever Go would refuse, and whatever Go would not have written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from go_types.structs import EXTRAS, STRUCTS, Field, Kind

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


class GoDecodeError(AssertionError):
    """A Go client could not read this; names the path and what is there."""


def decode_status(status: Any) -> None:
    """Decode a status as it goes over the wire; raises GoDecodeError where that is refused."""
    _struct(json.loads(json.dumps(status, allow_nan=False)), "WorkflowExecutionStatus", "status")


def _struct(value: Any, name: str, path: str) -> None:
    _refuse(not isinstance(value, Mapping), path, value, f"a {name}")
    fields = {**STRUCTS[name], **EXTRAS.get(name, {})}
    for key, said in value.items():
        _refuse(key not in fields, f"{path}.{key}", said, f"known to {name}")
        _field(said, fields[key], f"{path}.{key}")
    for key, field in fields.items():
        _refuse(field.required and key not in value, f"{path}.{key}", value, "there")


def _field(value: Any, field: Field, path: str) -> None:
    _refuse(not field.required and value in (None, "", [], {}), path, value, "left out")
    if not field.many:
        _one(value, field, path)
        return
    _refuse(not isinstance(value, list), path, value, "a list")
    for index, item in enumerate(value):
        _one(item, field, f"{path}[{index}]")


def _one(value: Any, field: Field, path: str) -> None:
    if isinstance(field.kind, str):
        _struct(value, field.kind, path)
        return
    _refuse(not _READERS[field.kind](value), path, value, f"a {field.kind.name}")
    _refuse(bool(field.enum) and value not in field.enum, path, value, f"one of {field.enum}")
    matches = not isinstance(value, str) or re.fullmatch(field.pattern, value, re.DOTALL)
    _refuse(not matches, path, value, f"like {field.pattern}")


def _refuse(is_wrong: bool, path: str, value: Any, wanted: str) -> None:
    if is_wrong:
        raise GoDecodeError(f"{path}: {value!r} is not {wanted}")


def _is_int(bits: int) -> Callable[[Any], bool]:
    limit = 2 ** (bits - 1)
    return lambda value: type(value) is int and -limit <= value < limit


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_duration(value: Any) -> bool:
    """Whether Go's time.ParseDuration reads it, into 63 bits of nanoseconds."""
    if not isinstance(value, str):
        return False
    size = value.removeprefix("-")
    parts = _PART.findall(size)
    if size != "0" and (not parts or "".join(number + unit for number, unit in parts) != size):
        return False
    return sum(Decimal(number) * _NANOSECONDS[unit] for number, unit in parts) < 2**63


_READERS: dict[Kind, Callable[[Any], bool]] = {
    Kind.STRING: lambda value: isinstance(value, str),
    Kind.BOOL: lambda value: isinstance(value, bool),
    Kind.INT32: _is_int(32),
    Kind.INT64: _is_int(64),
    Kind.TIME: _is_time,
    Kind.DURATION: _is_duration,
}
