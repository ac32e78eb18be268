"""One visitor, with any intent, leaves the page to the others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from harness.page_scene import Scene
from harness.visits import Guest
from harness.waiting import eventually

_POST = (
    b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 10000\r\n\r\ntoken="
)


@contextmanager
def _sent(scene: Scene, *texts: bytes) -> Iterator[list[socket.socket]]:
    """Connections to the page, each with a text sent and nothing more."""
    place = urlsplit(scene.world.operator.page_url)
    with ExitStack() as opened:
        held = []
        for text in texts:
            one = socket.create_connection((place.hostname, place.port), timeout=20)
            opened.enter_context(one)
            one.sendall(text)
            held.append(one)
        yield held


def test_forms_that_never_end_shut_nobody_out(scene: Scene) -> None:
    with _sent(scene, *([_POST % b"sign-in"] * 80), *([_POST % b"sign-out"] * 80)) as held:
        for _ in range(5):
            assert scene.guest(scene.world.source).get("/").status == 200
            assert Guest(scene.world.operator.page_url).get("/sign-in").status == 200
        # Each is told so after some seconds, and its connection is closed.
        told = held[0].recv(65536).decode()
        assert told.startswith("HTTP/1.1 408")
        assert "connection: close" in told.lower()
        while held[0].recv(65536):
            pass


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 10\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n",
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n\r\n--x--",
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999\r\n\r\n"
        + b"a=&" * 33333,
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 300\r\n\r\n"
        + b"a=&" * 100,
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ntoken=\xff",
    ],
    ids=["none", "half-a-chunk", "no-chunk", "multipart", "too-long", "many-fields", "no-utf-8"],
)
def test_a_form_that_is_none_is_refused_and_no_fault_of_the_page(scene: Scene, body: bytes) -> None:
    with _sent(scene, b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + body) as (held,):
        status = int(held.recv(65536).split()[1])
    assert 400 <= status < 500
    assert "Traceback" not in scene.world.operator.log_text()


def test_who_may_see_nothing_has_no_stream(scene: Scene) -> None:
    stranger = scene.guest()
    scene.guest(scene.world.source).get("/")

    def check() -> None:
        # While executions are being read for the first time nobody knows who may see one.
        assert stranger.get("/events?namespace=nowhere").status == 403

    eventually(check, dump=scene.world.dump)
    for path in ("/events", f"/events?namespace={scene.world.sources[1]}"):
        assert stranger.get(path).status == 403
    assert scene.guest(scene.world.source).get("/events?namespace=nowhere").status == 403
    with scene.guest(scene.world.source).listen() as events:
        assert next(events) == "changed"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_site_opens_a_stream_or_asks_for_a_part(scene: Scene, site: str) -> None:
    own = scene.guest(scene.world.source)
    for mode in ("cors", "no-cors", "navigate", "websocket"):
        headers = {**own.headers, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        elsewhere = Guest(own.url, headers)
        assert elsewhere.get("/events").status == 403
        # To follow a link from a chat or a ticket is what links are for.
        expected = 200 if mode == "navigate" else 403
        assert elsewhere.get("/").status == expected
        assert elsewhere.get("/static/page.js").status == expected
    foreign = Guest(own.url, {**own.headers, "Origin": "https://elsewhere.example"})
    assert foreign.get("/events").status == 403


def test_a_page_asks_for_changes_of_what_it_shows(scene: Scene) -> None:
    guest = scene.guest(scene.world.source)
    shown = guest.get("/").body
    assert 'data-events="/events"' in shown
    narrowed = guest.get(f"/?namespace={scene.world.source}").body
    assert f'data-events="/events?namespace={scene.world.source}"' in narrowed
    story = guest.get(f"/executions/{scene.world.source}/{scene.running}").body
    assert f'data-events="/events?namespace={scene.world.source}"' in story
