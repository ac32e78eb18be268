"""The finding of a check."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is. Only an error keeps executions from being carried out."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `fix` says what to do, empty where nothing is to be done."""

    check: str
    state: State
    detail: str
    fix: str = ""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, detail)


def warning(check: str, detail: str, fix: str) -> Finding:
    """Something may not be meant as it is."""
    return Finding(check, State.WARNING, detail, fix)


def error(check: str, detail: str, fix: str) -> Finding:
    """Something keeps executions from being carried out."""
    return Finding(check, State.ERROR, detail, fix)
