"""What goes in and out with every request: tokens in, headers out, strangers turned away."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

COOKIE: Final = "wfe-token"
# Browsers keep no more in a cookie, its name and attributes included.
LONGEST_COOKIE: Final = 3800
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
    """Whether a form was sent by a page of ours, as far as the browser tells."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    _, _, origin = request.headers.get("Origin", "").rpartition("://")
    return site in ("same-origin", "none") and origin in ("", request.host)


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
