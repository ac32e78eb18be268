"""Values to HTML, and HTML to answers.

What others have written is escaped, and cannot reorder the text around it.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
import structlog
from aiohttp import web
from markupsafe import Markup

from workflowexecution.core.text import command, printable
from workflowexecution.kube import errors
from workflowexecution.manager.view import OperatorView
from workflowexecution.page import http_security
from workflowexecution.page.gate import Visitor
from workflowexecution.views.wording import missing_right, short

_FOLDER: Final = Path(__file__).parent
_LONGEST: Final = 4000
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
STATIC: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Pages:
    """The templates, compiled at once so that no request waits for it."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=harmless,
        )
        self._environment.filters.update(
            short=short, at=at, machine=machine, path=path_of, word=command
        )
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def render(self, name: str, **given: Any) -> str:
        """One page, by the name of its template."""
        return self._environment.get_template(name).render(given)


def static_files() -> dict[str, bytes]:
    """Styles, script and icon, by name."""
    return {name: (_FOLDER / "static" / name).read_bytes() for name in STATIC}


def harmless(value: Any) -> Any:
    """A text of others without control characters and changes of direction, of bounded length."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = printable(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def at(moment: datetime) -> str:
    """A moment for people, in UTC; programs beside it get `machine`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def machine(moment: datetime) -> str:
    """A moment as HTML's time element has it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(execution: str) -> str:
    """Where the story of `namespace/name` is; empty where that names no execution."""
    namespace, _, name = execution.partition("/")
    if not (_NAME.fullmatch(namespace) and _NAME.fullmatch(name)):
        return ""
    return f"/executions/{quote(namespace)}/{quote(name)}"


class Answers:
    """Makes answers; every page says which operator made it, and what is in doubt."""

    def __init__(self, window: OperatorView, *, is_for_loopback: bool, audience: str) -> None:
        self._window = window
        self._audience = audience
        self._is_for_loopback = is_for_loopback
        self._pages = Pages()
        self._log = structlog.get_logger("page")

    def page(self, template: str, visitor: Visitor, **given: Any) -> web.Response:
        """A page for one who is let in."""
        window = self._window
        text = self._pages.render(
            template,
            visitor=visitor,
            standing=window.standing(),
            doubt=window.doubt(),
            shard=window.policy.shard,
            is_confined=bool(window.policy.watch_namespaces),
            is_for_loopback=self._is_for_loopback,
            **given,
        )
        return _html(text)

    def sign_in(self, status: int, problem: str = "") -> web.Response:
        """The form for a token."""
        text = self._pages.render("sign-in.html", problem=problem, audience=self._audience)
        return _html(text, status)

    def unknown_token(self) -> web.Response:
        """The form, for one who has sent a token that does not count."""
        meant = f", or it is not made for the audience {self._audience}" if self._audience else ""
        return self.sign_in(401, f"the API server does not know this token{meant}")

    def problem(self, status: int, title: str, text: str) -> web.Response:
        """Why there is nothing to be seen."""
        return _html(self._pages.render("problem.html", title=title, text=text), status)

    def too_slow(self) -> web.Response:
        """Why a request is not answered that never came to its end; its connection is closed."""
        response = self.problem(408, "Too slow", "the request did not come to its end in time")
        response.force_close()
        return response

    def unanswered(self, error: errors.ApiError) -> web.Response:
        """Say that the API server gave no answer, or refuses to tell the operator."""
        self._log.debug("a visitor could not be answered", error=errors.text_for_logs(error))
        if isinstance(error, errors.MissingRightError):
            fix = "install manifests/components/status-page, or set the chart's value statusPage"
            told = f"the operator cannot ask: {missing_right(str(error))}; {fix}"
            return self.problem(503, "The operator lacks a right", told)
        # Who may read this is not known yet, so that it does not say where the server is.
        told = "the API server does not answer as needed; try again in a moment"
        return self.problem(503, "No answer", told)


def moved_to(path: str) -> web.Response:
    """Send the browser to another page."""
    return web.Response(status=303, headers={**http_security.HEADERS, "Location": path})


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(
        text=text, status=status, content_type="text/html", headers=http_security.HEADERS
    )
