"""A visitor of the status page: over HTTP, as a browser is, but without a screen."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit

_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Page:
    """The answer to a visit."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def text(self) -> str:
        """The text that a person reads, blanks folded; where a name may break, nothing is read."""
        whole = self.body.replace("<wbr>", "")
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", whole)).split())

    def section(self, name: str) -> str:
        """The text that a person reads of one section, by its id."""
        found = re.search(rf'<section id="{name}".*?</section>', self.body, re.DOTALL)
        assert found is not None, f"no section {name} in:\n{self.text}"
        return Page(self.status, self.headers, found[0]).text


@dataclass(frozen=True)
class Guest:
    """Visits the page at `url`, with these headers."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str = "/") -> Page:
        """Ask for a page."""
        return self._ask("GET", path)

    def post(self, path: str, **form: str) -> Page:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form), kind)

    @contextmanager
    def listen(self) -> Iterator[Iterator[str]]:
        """The names of the events that are told of, as they come."""
        connection = self._connection()
        try:
            connection.request("GET", "/events", headers=self.headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read().decode()
            yield _events(answer)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT_S)

    def _ask(
        self, method: str, path: str, body: str | None = None, more: dict[str, str] | None = None
    ) -> Page:
        connection = self._connection()
        try:
            connection.request(method, path, body, {**self.headers, **(more or {})})
            answer = connection.getresponse()
            return Page(answer.status, dict(answer.headers), answer.read().decode())
        finally:
            connection.close()


def guest_with(url: str, token: str) -> Guest:
    """A visitor who bears a token."""
    return Guest(url, {"Authorization": f"Bearer {token}"})


def _events(answer: http.client.HTTPResponse) -> Iterator[str]:
    while line := answer.readline().decode():
        if line.startswith("event:"):
            yield line.partition(":")[2].strip()
