"""HTTP security: reads tokens, sets headers, and recognises requests of other sites."""

import asyncio
from typing import Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

COOKIE: Final = "wfe-token"
# Browsers limit a cookie to this length, with its name and attributes.
LONGEST_COOKIE: Final = 3800
# A form is small, and arrives at once.
BODY_S: Final = 5.0
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = 16
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "workflowexecution-operator",
}


def host_of(request: web.Request) -> str:
    """The host name of the request, without the port."""
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def is_here(request: web.Request) -> bool:
    """Whether the request names the loopback address as its host.

    Another name that resolves to it is DNS rebinding: an attack by another web site.
    """
    return host_of(request) in _HERE


def is_from_here(request: web.Request) -> bool:
    """Whether a page of ours sent this form or opened this stream, by headers of the browser."""
    _, _, origin = request.headers.get("Origin", "").rpartition("://")
    return _is_site_of_ours(request) and origin in ("", request.host)


def is_embedded_elsewhere(request: web.Request) -> bool:
    """Whether a page of another site sent the request; a link that was followed is allowed."""
    return not _is_site_of_ours(request) and request.headers.get("Sec-Fetch-Mode") != "navigate"


async def has_whole_body(request: web.Request) -> bool:
    """Read the body; whether it arrived in time, or there is none. aiohttp keeps what was read."""
    if not request.body_exists:
        return True
    try:
        async with asyncio.timeout(BODY_S):
            await request.read()
    except (TimeoutError, web.RequestPayloadError):
        return False
    return True


async def form_field(request: web.Request, name: str) -> str:
    """A field of the form in the body; empty where it is missing."""
    if request.content_type != _FORM:
        return ""
    text = (await request.read()).decode(errors="replace")
    try:
        return parse_qs(text, max_num_fields=_FIELDS).get(name, [""])[0].strip()
    except ValueError:
        return ""


def _is_site_of_ours(request: web.Request) -> bool:
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


def token_of(request: web.Request) -> str:
    """The token of a request, from its Authorization header or its cookie; empty for none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")


def keep_token(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Set the token as a session cookie, which the browser sends over a network only with TLS."""
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax", secure=not is_here(request), path="/"
    )


def drop_token(request: web.Request, response: web.StreamResponse) -> None:
    """Delete the cookie with the token."""
    response.del_cookie(
        COOKIE, httponly=True, samesite="Lax", secure=not is_here(request), path="/"
    )
