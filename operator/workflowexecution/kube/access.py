"""Access to the API server: its address, HTTP sessions, and a count of requests."""

import ssl
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

import workflowexecution

# Executions may come seconds apart, and a handshake costs both sides milliseconds. The API server
# closes what is idle for 90 seconds: a request must not meet that.
_KEPT_OPEN_S: Final = 75.0


@dataclass(frozen=True, slots=True)
class Access:
    """The address of the API server and the proof of who sends a request.

    authorization: returns the header's value, called for each request: tokens are rotated on disk.
    refresh_trust: has the context trust whom its file names now; called before each request.
    proxy: URL of the proxy to go through, with its password if it wants one; None for none.
    tls_server_name: the name in the server's certificate, None where it is that in the URL.
    impersonation: headers of every request, by which it is made as somebody else.
    """

    server: str
    ssl_context: ssl.SSLContext | bool
    authorization: Callable[[], str | None]
    proxy: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None
    refresh_trust: Callable[[], None] = lambda: None
    impersonation: tuple[tuple[str, str], ...] = ()

    def open_session(
        self,
        *,
        connections: int,
        middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (),
        response_class: type[aiohttp.ClientResponse] = aiohttp.ClientResponse,
    ) -> aiohttp.ClientSession:
        """Open a session of at most this many connections, in the running event loop.

        Args:
            connections: how many there may be at once.
            middlewares: are asked before a request is given what proves who sends it.
            response_class: of the answers.

        Raises: ValueError where the proxy's URL is none.
        """
        proxy, proxy_authorization = _split_proxy(self.proxy or "")
        user_agent = f"workflowexecution-operator/{workflowexecution.__version__}"

        async def prepare(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            if value := self.authorization():
                request.headers["Authorization"] = value
            self.refresh_trust()
            if proxy_authorization:
                _authorize_at_proxy(request, proxy_authorization)
            request.server_hostname = self.tls_server_name
            try:
                return await handler(request)
            except AssertionError as error:
                # aiohttp asserts that a connection from its pool is still open when it is used.
                lost = "the connection was lost before the request was sent"
                raise aiohttp.ClientConnectionError(lost) from error

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, ssl=self.ssl_context, keepalive_timeout=_KEPT_OPEN_S
            ),
            headers=CIMultiDict([("User-Agent", user_agent), *self.impersonation]),
            middlewares=(*middlewares, prepare),
            response_class=response_class,
            proxy=proxy,
        )


def _split_proxy(url: str) -> tuple[str | None, str | None]:
    """A proxy's address and its Proxy-Authorization, each None where there is none.

    Apart, because errors name the address.
    """
    if not url:
        return None, None
    try:
        parsed = URL(url if "://" in url else f"http://{url}")
        address, user = str(parsed.with_user(None)), parsed.user
        basic = aiohttp.encode_basic_auth(user, parsed.password or "") if user else None
    except ValueError:
        # It is not quoted: the password may be part of what is wrong with it.
        fix = "write it like http://proxy.example:3128"
        raise ValueError(f"the URL of the proxy cannot be read; {fix}") from None
    return address, basic


def _authorize_at_proxy(request: aiohttp.ClientRequest, value: str) -> None:
    """Send it to the proxy alone: within a tunnel, the API server gets the request's headers."""
    header = {hdrs.PROXY_AUTHORIZATION: value}
    if request.is_ssl():
        request.proxy_headers = CIMultiDict(header)
    else:
        request.headers.update(header)


# Stands where a status would: a time-out, a lost connection, a request that was given up.
NO_ANSWER: Final = 0


class RequestTally:
    """Counts that only grow.

    answers: number of requests by verb and HTTP status; NO_ANSWER where there was none.
    seconds: time that requests took in all, by verb; streams are counted and not timed.
    """

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def note(self, verb: str, status: int, seconds: float | None = None) -> None:
        """Count one request."""
        self.answers[verb, status] += 1
        if seconds is not None:
            self.seconds[verb] += seconds
