"""One request to the API server, with a time limit, answered by a dict or an error."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

import aiohttp
import msgspec

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.kube.access import NO_ANSWER, RequestTally
from workflowexecution.kube.answers import Decode, decode_whole
from workflowexecution.kube.clock import ServerClock

MERGE_PATCH: Final = "application/merge-patch+json"
# Server-side apply; JSON is YAML.
APPLY_PATCH: Final = "application/apply-patch+yaml"
# Objects asked for at a time. An object may be a megabyte and a half, and a page is held whole: one
# that has more bytes than this is not read to its end, and is asked for again with fewer objects.
PAGE: Final = 100
PAGE_BYTES: Final = 8 * 2**20
# The API server adds it to each of its answers, and proxies pass it on: one without it is theirs.
OF_SERVER: Final = "Audit-Id"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=5)


class ApiClient:
    """Sends requests over one bounded session; holds no knowledge of any kind of object.

    ``tally`` counts how they are answered.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: str,
        clock: ServerClock | None = None,
        tally: RequestTally | None = None,
    ) -> None:
        self._session = session
        self._server = server
        self._clock = clock
        self.tally = tally or RequestTally()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "",
        decode: Decode = decode_whole,
        at_most: int | None = None,
    ) -> dict[str, Any]:
        """Send one request and return the object answered, as far as ``decode`` reads it.

        ``accept`` asks for another form of the answer than the usual one.

        Raises: ApiError of the kind the answer means; UnavailableError where there was none;
            TooLargeError where it has more than ``at_most`` bytes.
        """
        what, sent, status = f"{method} {path}", time.monotonic(), NO_ANSWER
        try:
            headers = {"Content-Type": content_type} if body is not None else {}
            headers |= {"Accept": accept} if accept else {}
            response, text = await self._exchange(method, path, body, params, headers, at_most)
            status = response.status
        except errors.TooLargeError as error:
            status = error.status
            raise
        finally:
            verb = "LIST" if params and "limit" in params else method
            self.tally.note(verb, status, time.monotonic() - sent)
        self._note_date(response.headers.get("Date", ""), sent)
        if response.status >= 400:
            raise error_of(response, text, what)
        answer = _object_of(text, decode)
        if answer is None:
            # It is not quoted: what is wrong may be that half of an object was lost on the way.
            found = f"{len(text)} bytes of {response.content_type}"
            raise errors.UnavailableError(f"{what}: no answer: {found}, which are not an object")
        return answer

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str], *, silence: float, with_rest: bool = False
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of lines, which may go on without end.

        Args:
            path: of what is asked for.
            params: the query.
            silence: seconds after which a stream that delivers nothing counts as lost.
            with_rest: whether what follows the last line end is a line as well, as in a log, and
                not half of an object.

        Raises: ApiError of the kind the answer means; UnavailableError, also from within, where
            there was none or the stream was lost.
        """
        with _no_answer(f"GET {path}"):
            async with await self._open(path, params, silence) as response:
                if response.status >= 400:
                    raise error_of(response, await response.read(), f"GET {path}")
                yield _lines_of(response.content, with_rest)

    async def list_pages(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        decode: Decode = decode_whole,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield every object of a list, fetched in pages so that memory stays bounded.

        Raises: GoneError where the list has expired and must begin again.
        """
        query, limit = dict(params or {}), PAGE
        while True:
            query["limit"] = str(limit)
            try:
                page = await self.request(
                    "GET",
                    path,
                    params=query,
                    decode=decode,
                    at_most=PAGE_BYTES if limit > 1 else None,
                )
            except errors.TooLargeError:
                limit = max(limit // 4, 1)
                continue
            for item in page.get("items") or ():
                yield item
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            # Those that come next may be small again.
            query["continue"], limit = token, min(limit * 2, PAGE)

    async def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        at_most: int | None,
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Send one request and read the whole answer; UnavailableError where there is none."""
        with _no_answer(f"{method} {path}"):
            async with self._session.request(
                method,
                self._server + path,
                data=None if body is None else msgspec.json.encode(body),
                params=params,
                headers=headers,
                timeout=_TIMEOUT,
            ) as response:
                return response, await _read(response, f"{method} {path}", at_most)

    async def _open(
        self, path: str, params: Mapping[str, str], silence: float
    ) -> aiohttp.ClientResponse:
        """Begin a stream; the caller closes the response."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence)
        status = NO_ANSWER
        try:
            response = await self._session.get(self._server + path, params=params, timeout=timeout)
            status = response.status
        finally:
            self.tally.note("WATCH", status)
        return response

    def _note_date(self, header: str, sent: float) -> None:
        """Learn the server's time from a reply."""
        date = _date_of(header)
        if self._clock is not None and date is not None:
            self._clock.observe(date, sent=sent, received=time.monotonic())


async def _read(response: aiohttp.ClientResponse, what: str, at_most: int | None) -> bytes:
    """Read an answer to its end, unless it turns out to be too large: it is then let go."""
    if at_most is None:
        return await response.read()
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > at_most:
            raise errors.TooLargeError(f"{what}: more than {at_most} bytes", status=response.status)
    return b"".join(parts)


# Many replies bear the same second.
@lru_cache(maxsize=4)
def _date_of(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date if date.tzinfo else None


def _seconds(header: str) -> float | None:
    """Seconds of a ``Retry-After`` header; the API server sends no dates."""
    return float(header) if header.isdecimal() else None


def _object_of(text: bytes, decode: Decode = decode_whole) -> dict[str, Any] | None:
    """The JSON object a body holds, or None where it holds none."""
    try:
        answer = decode(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def error_of(response: aiohttp.ClientResponse, text: bytes, what: str) -> errors.ApiError:
    """The error that an answer means.

    Args:
        response: of a status of 400 or above.
        text: its body.
        what: was asked, as method and path.
    """
    # Not every error is a Status: of a kind it does not serve the API server says so in plain
    # text, and proxies in front of it have pages of their own.
    told = _object_of(text) or {"message": " ".join(text.decode(errors="replace").split())}
    message = str(told.get("message", ""))[:2000]
    error = errors.error_for(
        response.status,
        reading.text(told, "reason"),
        f"{what}: {response.status} {message}",
        name=reading.text(told, "details", "name"),
        cause=_first_cause(told),
        retry_after=_seconds(response.headers.get("Retry-After", "")),
        is_of_server=OF_SERVER in response.headers,
    )
    error.request = what
    return error


@contextmanager
def _no_answer(what: str) -> Iterator[None]:
    """Turn each transport error into UnavailableError."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        said = str(error) or type(error).__name__
        raise errors.UnavailableError(f"{what}: no answer: {said}") from error


async def _lines_of(content: aiohttp.StreamReader, with_rest: bool) -> AsyncIterator[bytes]:
    """Yield every whole line as it comes; objects may be larger than any buffer."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest and with_rest:
        yield rest


def _first_cause(told: Mapping[str, Any]) -> str:
    causes = reading.mappings(told, "details", "causes")
    return reading.text(causes[0], "reason") if causes else ""
