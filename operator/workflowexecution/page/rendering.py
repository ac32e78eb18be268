"""Values to HTML; what others have written is escaped, and cannot reorder the text around it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from workflowexecution.core.text import command, printable
from workflowexecution.views.wording import short

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
