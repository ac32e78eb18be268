"""Renders values as HTML pages, and these as HTTP responses.

Text by users is escaped, and cannot change the direction of the text around it.
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
# Up to a slash or hyphen, or 24 characters, so that a word never makes a table wider than a screen.
_PIECES: Final = re.compile(r"[^/-]{24}|[^/-]*[/-]|[^/-]+")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
STATIC: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Pages:
    """The templates, compiled in advance so that no request waits for it."""

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
            short=short,
            at=at,
            machine=machine,
            path=path_of,
            word=command,
            breakable=breakable,
        )
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def render(self, name: str, **given: Any) -> str:
        """Render one page, by the name of its template."""
        return self._environment.get_template(name).render(given)


def static_files() -> dict[str, bytes]:
    """Styles, script and icon, by name."""
    return {name: (_FOLDER / "static" / name).read_bytes() for name in STATIC}


def harmless(value: Any) -> Any:
    """A text without control characters and changes of direction, of bounded length."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = printable(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def breakable(text: str) -> Markup:
    """A text that a browser may wrap after a slash, and within a word only if that is very long."""
    return Markup("<wbr>").join(_PIECES.findall(harmless(text)))


def at(moment: datetime) -> str:
    """A time for people, in UTC; `machine` is for programs."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def machine(moment: datetime) -> str:
    """A time in the format of HTML's time element."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(execution: str) -> str:
    """The path of the story of `namespace/name`; empty where that is not a valid name."""
    namespace, _, name = execution.partition("/")
    if not (_NAME.fullmatch(namespace) and _NAME.fullmatch(name)):
        return ""
    return f"/executions/{quote(namespace)}/{quote(name)}"


class Answers:
    """Makes HTTP responses; every page names the operator, and why its data may be stale."""

    def __init__(self, view: OperatorView, *, is_for_loopback: bool, audience: str) -> None:
        self._view = view
        self._audience = audience
        self._is_for_loopback = is_for_loopback
        self._pages = Pages()
        self._log = structlog.get_logger("page")

    def page(self, template: str, visitor: Visitor, **given: Any) -> web.Response:
        """A page for an authenticated visitor."""
        view = self._view
        text = self._pages.render(
            template,
            visitor=visitor,
            standing=view.standing(),
            stale_reason=view.stale_reason(),
            shard=view.policy.shard,
            is_confined=bool(view.policy.watch_namespaces),
            is_for_loopback=self._is_for_loopback,
            **given,
        )
        return _html(text)

    def sign_in(self, status: int, problem: str = "") -> web.Response:
        """The sign-in form."""
        text = self._pages.render("sign-in.html", problem=problem, audience=self._audience)
        return _html(text, status)

    def unknown_token(self) -> web.Response:
        """The sign-in form, after a token that is not valid."""
        meant = f", or it is not made for the audience {self._audience}" if self._audience else ""
        return self.sign_in(401, f"the API server does not know this token{meant}")

    def problem(self, status: int, title: str, text: str) -> web.Response:
        """A page that explains an error."""
        return _html(self._pages.render("problem.html", title=title, text=text), status)

    def too_slow(self) -> web.Response:
        """The response to a request whose body did not arrive in time; closes the connection."""
        response = self.problem(408, "Too slow", "the request did not come to its end in time")
        response.force_close()
        return response

    def unanswered(self, error: errors.ApiError) -> web.Response:
        """The response where the API server gave no answer, or refused the operator's request."""
        self._log.debug("a visitor could not be answered", error=errors.text_for_logs(error))
        if isinstance(error, errors.MissingRightError):
            fix = "add the component status-page to its manifests, or set statusPage in its chart"
            text = f"the operator cannot ask: {missing_right(str(error))}; {fix}"
            return self.problem(503, "The operator lacks a right", text)
        # The visitor is perhaps not authenticated yet, so the text does not name the API server.
        text = "the API server does not answer as needed; try again in a moment"
        return self.problem(503, "No answer", text)


def moved_to(path: str) -> web.Response:
    """Redirect the browser to another page."""
    return web.Response(status=303, headers={**http_security.HEADERS, "Location": path})


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(
        text=text, status=status, content_type="text/html", headers=http_security.HEADERS
    )
