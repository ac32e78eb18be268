"""HTTP security of every request: tokens in, headers out, foreign requests refused."""

import asyncio
from typing import Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

COOKIE: Final = "wfe-token"
# Browsers keep no more in a cookie, its name and attributes included.
LONGEST_COOKIE: Final = 3800
# A form is sent in one piece, and is small.
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
    """The name by which the visitor reaches this page, without its port."""
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def is_here(request: web.Request) -> bool:
    """Whether the page is reached by a name of the visitor's own machine.

    Another name that leads there is a trick: a web page elsewhere may give itself one.
    """
    return host_of(request) in _HERE


def is_from_here(request: web.Request) -> bool:
    """Whether a form was sent, or a stream opened, by a page of ours, as far as browsers tell."""
    _, _, origin = request.headers.get("Origin", "").rpartition("://")
    return _is_site_of_ours(request) and origin in ("", request.host)


def is_embedded_elsewhere(request: web.Request) -> bool:
    """Whether a page of another site asks behind its visitor's back; to follow a link is none."""
    return not _is_site_of_ours(request) and request.headers.get("Sec-Fetch-Mode") != "navigate"


async def has_whole_body(request: web.Request) -> bool:
    """Whether the body has come in time, where there is one; it is kept for who reads it."""
    if not request.body_exists:
        return True
    try:
        async with asyncio.timeout(BODY_S):
            await request.read()
    except (TimeoutError, web.RequestPayloadError):
        return False
    return True


async def form_field(request: web.Request, name: str) -> str:
    """A field of the form that was sent; empty where there is none."""
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
    """The token that a request bears: of a proxy, or kept by the browser; empty for none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")


def keep_token(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Have the browser keep a token until it is closed; never sent in the clear over a network."""
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax", secure=not is_here(request), path="/"
    )


def drop_token(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser forget the token."""
    response.del_cookie(
        COOKIE, httponly=True, samesite="Lax", secure=not is_here(request), path="/"
    )
