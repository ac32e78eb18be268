"""The part of the page that a visitor requests, from its address."""

from typing import Final

from aiohttp import web

from workflowexecution.api.status import Phase
from workflowexecution.api.target import parse_target
from workflowexecution.views.executions import Wanted

_FIELDS: Final = ("namespace", "target", "workflow", "phase")
_MOST_PAGES: Final = 100


def fields_of(request: web.Request) -> dict[str, str]:
    """What the form was filled in with; empty for what is left open."""
    return {name: request.query.get(name, "").strip() for name in _FIELDS}


def problem_of(fields: dict[str, str]) -> str:
    """Why nothing can match; empty where something can."""
    try:
        if fields["target"]:
            parse_target(fields["target"])
    except ValueError as error:
        return str(error)
    return ""


def wanted_by(fields: dict[str, str]) -> Wanted:
    """Which executions match."""
    phase = fields["phase"]
    return Wanted(
        target=fields["target"],
        workflow_id=fields["workflow"],
        phases=(Phase(phase),) if phase in list(Phase) else (),
    )


def number_of(request: web.Request) -> int:
    """Which part of the executions is asked for, from 1."""
    given = request.query.get("page", "")
    is_number = given.isascii() and given.isdecimal() and len(given) < 4
    return min(max(int(given), 1), _MOST_PAGES) if is_number else 1
