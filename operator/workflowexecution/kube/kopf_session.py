"""kopf, its settings, and the session it watches through, whose answers never end kopf.

kopf watches and calls handlers, keeps nothing and writes nothing. It is imported without the
official client, which kopf imports where that is installed: only to recognise that client's typed
objects, of which it never gets one here. They cost 10 MB.

kopf takes a session of one's own (`kopf.AiohttpSession`), and asks it for a list, then for streams
from where that list was. A list tells it here where to begin and nothing else: the relist lists.
"""

import sys
import time
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from typing import Any, Final, NoReturn

import aiohttp
from yarl import URL

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.kube.access import NO_ANSWER, Access, RequestTally
from workflowexecution.kube.answers import LASTS_S, PAUSE_S, SILENCE_S, decode_whole
from workflowexecution.kube.client import error_of
from workflowexecution.kube.retry import EndlessWaits
from workflowexecution.kube.watch_tap import PLACE_LOST, WatchTap

_IS_LOADED = "kubernetes" in sys.modules
if not _IS_LOADED:
    # What is None here cannot be imported; kopf then goes without it.
    sys.modules["kubernetes"] = None  # type: ignore[assignment]
try:
    import kopf
finally:
    if not _IS_LOADED:
        del sys.modules["kubernetes"]

__all__ = ["WatchSessions", "forgetful_memories", "kopf", "new_settings", "set_up"]

_REQUEST_S: Final = 15.0
_CONNECT_S: Final = 5.0
# One worker calls the handlers of a watch, and is kept; to begin one costs more than an event.
_WORKER_RESTS_S: Final = 3600.0
_WORKER_ENDS_WITHIN_S: Final = 0.5
# Beside the streams: discovery asks for some things at once.
_CONNECTIONS: Final = 4


def new_settings() -> kopf.OperatorSettings:
    """Settings that hold before any handler is called."""
    settings = kopf.OperatorSettings()
    # kopf would have this process killed some minutes after it has ended, also where it was begun
    # again meanwhile.
    settings.process.ultimate_exiting_timeout = None
    return settings


def set_up(settings: kopf.OperatorSettings) -> None:
    """Set kopf up; what is not named here is never used."""
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    # kopf takes its own finalizer away from what it has no handlers for, also another operator's.
    settings.persistence.finalizer = "kubernaut.ai/never-set"
    settings.queueing.idle_timeout = _WORKER_RESTS_S
    settings.queueing.exit_timeout = _WORKER_ENDS_WITHIN_S
    settings.networking.request_timeout = _REQUEST_S
    settings.networking.connect_timeout = _CONNECT_S
    settings.networking.error_backoffs = EndlessWaits()
    settings.watching.server_timeout = LASTS_S
    settings.watching.connect_timeout = _CONNECT_S
    settings.watching.inactivity_timeout = SILENCE_S
    settings.watching.reconnect_backoff = PAUSE_S
    # A list only tells where to begin.
    settings.watching.chunk_size = 1


def forgetful_memories() -> Any:
    """No memory of objects: kopf's own keeps a record of each until it is deleted."""
    from kopf._core.reactor.inventory import ResourceMemories

    class Forgetful(ResourceMemories):
        async def recall(self, raw_body: Any, **options: Any) -> Any:
            return await super().recall(raw_body, **{**options, "ephemeral": True})

    return Forgetful()


class NoDiffBase(kopf.DiffBaseStorage):
    """No last-handled state: kopf's own deep-copies every object it gets."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class NoProgress(kopf.ProgressStorage):
    """No handler progress: nothing we register has any."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence

    def flush(self) -> None:
        return None


class WatchSessions:
    """Opens sessions for kopf, and closes what it leaves open."""

    def __init__(self, access: Access, taps: Iterable[WatchTap], tally: RequestTally) -> None:
        self._access = access
        # A proxy may serve several clusters, each at a path of its own.
        prefix = URL(access.server).path.rstrip("/")
        self._taps = {prefix + tap.path: tap for tap in taps}
        self._tally = tally
        self._open: list[aiohttp.ClientSession] = []

    async def login(self) -> kopf.AiohttpSession:
        """Open the session that kopf sends its requests through."""
        session = self._access.open_session(
            connections=_CONNECTIONS + len(self._taps),
            middlewares=(self._attend,),
            response_class=_Answer,
        )
        self._open.append(session)
        return kopf.AiohttpSession(server=self._access.server, aiohttp_session=session)

    async def close(self) -> None:
        """Close all that were opened."""
        while self._open:
            await self._open.pop().close()

    async def _attend(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Hear of one request and of how it is answered."""
        tap = self._taps.get(request.url.path)
        what = f"GET {request.url.path}"
        sent, status, verb = time.monotonic(), NO_ANSWER, _verb_of(request)
        try:
            if tap is not None:
                tap.was_asked.set()
            if tap is not None and verb == "WATCH":
                await tap.pause()
                sent = time.monotonic()
            response = await handler(request)
            status = response.status
            if tap is None:
                return await _discovered(response, what)
            return await (_opened if verb == "WATCH" else _listed)(tap, response, what)
        except errors.ApiError as error:
            self._outlast(tap, error)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            said = str(error) or type(error).__name__
            self._outlast(tap, errors.UnavailableError(f"{what}: no answer: {said}"))
        finally:
            self._tally.note(verb, status, None if verb == "WATCH" else time.monotonic() - sent)

    def _outlast(self, tap: WatchTap | None, error: errors.ApiError) -> NoReturn:
        """Make a lost connection of it: kopf repeats that without end, and ends with others."""
        is_for_a_person = isinstance(error, errors.ForbiddenError | errors.NotFoundError)
        for concerned in [tap] if tap else self._taps.values():
            concerned.refused(str(error), needs_a_person=is_for_a_person)
        raise aiohttp.ClientConnectionError(str(error)) from error


class _Lines:
    """Stands for the content of a stream, of which kopf only asks for its chunks."""

    def __init__(self, content: aiohttp.StreamReader, lines: AsyncIterator[bytes]) -> None:
        self._content = content
        self._lines = lines

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        return self._lines


class _Answer(aiohttp.ClientResponse):
    """An answer as kopf sees it: of a list it gets the version, and no object."""

    async def json(self, **options: Any) -> Any:
        """Decode it; kopf copes with an error in plain text."""
        if self.status >= HTTPStatus.BAD_REQUEST:
            return await super().json(**options)
        answer = decode_whole(await self.read())
        if not (isinstance(answer, dict) and "items" in answer):
            return answer
        return {"metadata": {"resourceVersion": _version_in(answer)}, "items": []}


def _version_in(answer: dict[str, Any]) -> str:
    return reading.text(answer, "metadata", "resourceVersion")


def _verb_of(request: aiohttp.ClientRequest) -> str:
    query = request.url.query
    if query.get("watch") == "true":
        return "WATCH"
    return "LIST" if "limit" in query else request.method


async def _discovered(response: aiohttp.ClientResponse, what: str) -> aiohttp.ClientResponse:
    """An answer of discovery; kopf copes with a version of a group that is not served."""
    if response.status >= HTTPStatus.BAD_REQUEST and response.status != HTTPStatus.NOT_FOUND:
        raise error_of(response, await response.read(), what)
    return response


async def _listed(
    tap: WatchTap, response: aiohttp.ClientResponse, what: str
) -> aiohttp.ClientResponse:
    """The answer with a list, which has the version from which changes are followed."""
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise error_of(response, await response.read(), what)
    answer = await response.json()
    if not (isinstance(answer, dict) and _version_in(answer)):
        raise errors.UnavailableError(f"{what}: no answer: no list")
    tap.found()
    return response


async def _opened(
    tap: WatchTap, response: aiohttp.ClientResponse, what: str
) -> aiohttp.ClientResponse:
    """A stream; one that tells so where kopf would end because its place is lost."""
    if response.status == HTTPStatus.GONE:
        await response.read()
        response.status = HTTPStatus.OK
        lines = _one(PLACE_LOST)
    elif response.status >= HTTPStatus.BAD_REQUEST:
        raise error_of(response, await response.read(), what)
    else:
        tap.opened()
        lines = tap.lines(response.content)
    response.content = _Lines(response.content, lines)  # type: ignore[assignment]
    return response


async def _one(line: bytes) -> AsyncIterator[bytes]:
    yield line
