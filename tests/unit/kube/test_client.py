"""Answers of an API server, as odd as they come, and the errors they mean."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from workflowexecution.client.pod_logs import read_tail
from workflowexecution.kube import client as transport
from workflowexecution.kube import errors
from workflowexecution.kube.access import NO_ANSWER
from workflowexecution.kube.client import MERGE_PATCH, OF_SERVER, PAGE, ApiClient

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """A server on loopback that answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer
        self.is_over = asyncio.Event()
        self.asked: list[tuple[str, str, dict[str, str], str, str]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        kind = request.headers.get("Content-Type", "") if body else ""
        self.asked.append((request.method, request.path, dict(request.query), kind, body))
        return await self.answer(request)

    def answers(
        self, status: int, body: str, kind: str = "application/json", *, is_proxy: bool = False
    ) -> None:
        headers = {} if is_proxy else {OF_SERVER: "an-id"}

        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, text=body, content_type=kind, headers=headers)

        self.answer = answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest_asyncio.fixture
async def client(server: Server) -> AsyncIterator[ApiClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield ApiClient(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
    server.is_over.set()
    await runner.cleanup()


def told(reason: str, message: str = "it said") -> str:
    return f'{{"kind": "Status", "reason": "{reason}", "message": "{message}"}}'


async def test_an_object_is_answered_as_it_is(server: Server, client: ApiClient) -> None:
    server.answers(201, '{"kind": "A"}')
    answer = await client.request("POST", "/x", body={"a": 1})
    assert answer == {"kind": "A"}
    await client.request("PATCH", "/x", body={"a": None}, content_type=MERGE_PATCH)
    await client.request("GET", "/x", params={"limit": "1"})
    assert server.asked == [
        ("POST", "/x", {}, "application/json", '{"a":1}'),
        ("PATCH", "/x", {}, "application/merge-patch+json", '{"a":null}'),
        ("GET", "/x", {"limit": "1"}, "", ""),
    ]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(400, told("BadRequest"), errors.RejectedError, id="bad-request"),
        pytest.param(401, told("Unauthorized"), errors.UnknownCallerError, id="token-refused"),
        pytest.param(403, told("Forbidden"), errors.ForbiddenError, id="no-right"),
        pytest.param(404, told("NotFound"), errors.NotFoundError, id="no-object"),
        pytest.param(409, told("Conflict"), errors.ConflictError, id="changed"),
        pytest.param(409, told("AlreadyExists"), errors.AlreadyExistsError, id="exists"),
        pytest.param(410, told("Expired"), errors.GoneError, id="list-expired"),
        pytest.param(422, told("Invalid"), errors.RejectedError, id="invalid"),
        pytest.param(429, told("TooManyRequests"), errors.UnavailableError, id="overloaded"),
        pytest.param(500, told("InternalError"), errors.UnavailableError, id="server-error"),
        pytest.param(503, "", errors.UnavailableError, id="nothing"),
        pytest.param(504, "<html>", errors.UnavailableError, id="proxy"),
        pytest.param(404, "404 page not found", errors.NotFoundError, id="kind-not-served"),
        pytest.param(403, "[1]", errors.ForbiddenError, id="no-status-object"),
        pytest.param(403, "no", errors.ForbiddenError, id="not-even-json"),
    ],
)
async def test_an_error_is_told_by_its_kind(
    server: Server, client: ApiClient, status: int, body: str, expected: type[errors.ApiError]
) -> None:
    server.answers(status, body)
    with pytest.raises(errors.ApiError, match=f"^GET /x: {status}") as caught:
        await client.request("GET", "/x")
    assert (type(caught.value), caught.value.status) == (expected, status)
    assert ("it said" in str(caught.value)) is ("it said" in body)


NAMED = '{"reason": "NotFound", "message": "it said", "details": {"name": "x"}}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("404 page not found\n", errors.UnavailableError, id="of-a-go-program"),
        pytest.param(told("NotFound"), errors.UnavailableError, id="status-without-a-name"),
        pytest.param(NAMED, errors.NotFoundError, id="status-with-a-name"),
    ],
)
async def test_nothing_is_missing_because_a_proxy_says_so(
    server: Server, client: ApiClient, body: str, expected: type[errors.ApiError]
) -> None:
    server.answers(404, body, is_proxy=True)
    with pytest.raises(errors.ApiError) as caught:
        await client.request("GET", "/x")
    assert (type(caught.value), caught.value.status) == (expected, 404)


@pytest.mark.parametrize("body", ["", "null", "[1, 2]", "7", "<html>", '{"a":', "\x00"])
async def test_garbage_is_no_answer(server: Server, client: ApiClient, body: str) -> None:
    server.answers(200, body)
    with pytest.raises(errors.UnavailableError, match=r"^GET /x: no answer"):
        await client.request("GET", "/x")


async def test_a_page_for_people_is_told_on_one_line(server: Server, client: ApiClient) -> None:
    server.answers(404, "404 page\n not found\r\n")
    with pytest.raises(errors.ApiError) as caught:
        await client.request("GET", "/x")
    assert str(caught.value) == "GET /x: 404 404 page not found"


async def test_long_messages_are_cut(server: Server, client: ApiClient) -> None:
    server.answers(422, told("Invalid", "x" * 10_000))
    with pytest.raises(errors.RejectedError) as caught:
        await client.request("GET", "/x")
    assert len(str(caught.value)) < 2_100


async def test_a_server_that_says_nothing_is_not_waited_for_without_end(
    server: Server, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await server.is_over.wait()
        return web.Response()

    server.answer = hang
    monkeypatch.setattr(transport, "_TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    with pytest.raises(errors.UnavailableError, match="no answer: "):
        await client.request("GET", "/x")


async def test_a_connection_that_breaks_is_no_answer(server: Server, client: ApiClient) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    server.answer = hang_up
    with pytest.raises(errors.UnavailableError, match=r"^POST /x: no answer"):
        await client.request("POST", "/x", body={})


async def test_no_server_is_no_answer() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(errors.UnavailableError, match=r"^GET /x: no answer"):
            await ApiClient(session, "http://127.0.0.1:1").request("GET", "/x")


async def test_lists_are_fetched_page_by_page(server: Server, client: ApiClient) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        token = request.query.get("continue")
        following = {"": "1", "1": "2"}.get(token or "")
        items = [{"page": token or "0"}] if token != "1" else None
        return web.json_response({"metadata": {"continue": following}, "items": items})

    server.answer = page
    found = [item async for item in client.list_pages("/x", {"labelSelector": "a"})]
    assert found == [{"page": "0"}, {"page": "2"}]
    assert [query for _, _, query, _, _ in server.asked] == [
        {"labelSelector": "a", "limit": str(PAGE)},
        {"labelSelector": "a", "limit": str(PAGE), "continue": "1"},
        {"labelSelector": "a", "limit": str(PAGE), "continue": "2"},
    ]


async def test_a_page_that_is_too_large_is_asked_for_again_with_fewer_objects(
    server: Server, client: ApiClient
) -> None:
    """A hundred objects of a megabyte each would be held as text and as what it says at once."""
    sizes, sent = [1_400_000] * 30 + [100] * 60, []

    async def page(request: web.Request) -> web.StreamResponse:
        first = int(request.query.get("continue", "0"))
        last = first + int(request.query["limit"])
        items = [{"at": at, "x": "x" * sizes[at]} for at in range(first, min(last, len(sizes)))]
        following = str(last) if last < len(sizes) else ""
        answer = web.json_response({"metadata": {"continue": following}, "items": items})
        sent.append(answer.content_length)
        return answer

    server.answer = page
    found = [item["at"] async for item in client.list_pages("/x")]
    assert found == list(range(90))
    limits = [int(query["limit"]) for _, _, query, _, _ in server.asked]
    assert limits[:3] == [100, 25, 6]
    assert max(limits[10:]) > 6
    assert client.tally.answers["LIST", 200] == len(limits)


async def test_a_single_object_is_read_however_large_it_is(
    server: Server, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "PAGE_BYTES", 10)
    server.answers(200, '{"metadata": {}, "items": [{"x": "longer than that"}]}')
    assert [item async for item in client.list_pages("/x")] == [{"x": "longer than that"}]
    assert [query["limit"] for _, _, query, _, _ in server.asked] == ["100", "25", "6", "1"]


@pytest.mark.parametrize(("with_rest", "lines"), [(False, [b"a", b""]), (True, [b"a", b"", b"b"])])
async def test_what_follows_the_last_line_end_is_a_line_only_where_asked(
    server: Server, client: ApiClient, with_rest: bool, lines: list[bytes]
) -> None:
    server.answers(200, "a\n\nb", "text/plain")
    async with client.stream("/log", {}, silence=5, with_rest=with_rest) as stream:
        assert [line async for line in stream] == lines


async def test_the_end_of_a_log_is_asked_for_and_long_lines_are_cut(
    server: Server, client: ApiClient
) -> None:
    server.answers(200, f"first\n{'x' * 900}", "text/plain")
    lines = await read_tail(client, "runs", "the-pod", "step-work", 2)
    assert [len(line) for line in lines] == [5, 500]
    assert server.asked[-1][:3] == (
        "GET",
        "/api/v1/namespaces/runs/pods/the-pod/log",
        {"container": "step-work", "tailLines": "2", "limitBytes": "262144"},
    )


async def test_every_request_is_counted_by_verb_and_status(
    server: Server, client: ApiClient
) -> None:
    tally = client.tally
    server.answers(201, "{}")
    await client.request("POST", "/x", body={})
    await client.request("GET", "/x", params={"limit": "1"})
    server.answers(409, told("Conflict"))
    with pytest.raises(errors.ConflictError):
        await client.request("PATCH", "/x", body={})
    with pytest.raises(errors.ConflictError):
        async with client.stream("/x", {"watch": "true"}, silence=1):
            pass
    assert tally.answers == {
        ("POST", 201): 1,
        ("LIST", 201): 1,
        ("PATCH", 409): 1,
        ("WATCH", 409): 1,
    }
    assert set(tally.seconds) == {"POST", "LIST", "PATCH"}
    assert all(0 < seconds < 5 for seconds in tally.seconds.values())


async def test_what_is_not_answered_is_counted_as_that() -> None:
    async with aiohttp.ClientSession() as session:
        client = ApiClient(session, "http://127.0.0.1:1")
        with pytest.raises(errors.UnavailableError):
            await client.request("GET", "/x")
        with pytest.raises(errors.UnavailableError):
            async with client.stream("/x", {}, silence=1):
                pass
        assert client.tally.answers == {("GET", NO_ANSWER): 1, ("WATCH", NO_ANSWER): 1}
