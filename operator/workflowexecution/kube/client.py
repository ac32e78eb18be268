"""One request to the API server: sent, awaited within a bound, and answered by dict or error."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.kube.clock import ServerClock

MERGE_PATCH: Final = "application/merge-patch+json"
PAGE: Final = 500
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=5)


class ApiClient:
    """Sends requests over one bounded session; holds no knowledge of any kind of object."""

    def __init__(
        self, session: aiohttp.ClientSession, server: str, clock: ServerClock | None = None
    ) -> None:
        self._session = session
        self._server = server
        self._clock = clock

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Send one request and return the object answered.

        Raises: ApiError of the kind the answer means; UnavailableError where there was none.
        """
        sent = time.monotonic()
        try:
            async with self._session.request(
                method,
                self._server + path,
                json=body,
                params=params,
                headers={"Content-Type": content_type} if body is not None else None,
                timeout=_TIMEOUT,
            ) as response:
                text = await response.text()
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise errors.UnavailableError(
                f"{method} {path}: no answer: {error or type(error).__name__}"
            ) from error
        self._note_date(response.headers.get("Date", ""), sent)
        answer = _object_of(text)
        if response.status >= 400:
            # Not every error is a Status: of a kind it does not serve the API server says so in
            # plain text, and proxies in front of it have pages of their own.
            told = answer or {"message": text}
            wait = _seconds(response.headers.get("Retry-After", ""))
            raise _error_of(response.status, told, f"{method} {path}", wait)
        if answer is None:
            raise errors.UnavailableError(f"{method} {path}: no answer: not an object: {text:.200}")
        return answer

    async def list_pages(
        self, path: str, params: Mapping[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield every object of a list, fetched in pages so that memory stays bounded.

        Raises: GoneError where the list has changed so much meanwhile that it must begin anew.
        """
        query = {**(params or {}), "limit": str(PAGE)}
        while True:
            page = await self.request("GET", path, params=query)
            for item in page.get("items") or ():
                yield item
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            query["continue"] = token

    def _note_date(self, header: str, sent: float) -> None:
        """Learn the server's time from a reply."""
        date = _date_of(header)
        if self._clock is not None and date is not None:
            self._clock.observe(date, sent=sent, received=time.monotonic())


def _date_of(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date if date.tzinfo else None


def _seconds(header: str) -> float | None:
    """What ``Retry-After`` asks for; the API server gives seconds."""
    return float(header) if header.isdecimal() else None


def _object_of(text: str) -> dict[str, Any] | None:
    """The JSON object a body holds, or None where it holds none."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _error_of(
    status: int, told: Mapping[str, Any], what: str, retry_after: float | None
) -> errors.ApiError:
    message = str(told.get("message", ""))[:2000]
    return errors.error_for(
        status,
        reading.text(told, "reason"),
        f"{what}: {status} {message}",
        cause=_first_cause(told),
        retry_after=retry_after,
    )


def _first_cause(told: Mapping[str, Any]) -> str:
    causes = reading.mappings(reading.mapping(told, "details"), "causes")
    return reading.text(causes[0], "reason") if causes else ""
