"""An API server that answers as a test has written down, one answer after the other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from workflowexecution.kube.client import OF_SERVER, ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.plugin.rendering import Output, Printer
from workflowexecution.plugin.session import Session

# What a request brought.
BODY = web.RequestKey("body", str)
Answer = Callable[[web.Request], web.Response | bytes]
# The API server's answer where an object is not there.
NOT_FOUND = {"kind": "Status", "reason": "NotFound", "message": "not found"}


@asynccontextmanager
async def scripted(*answers: Answer) -> AsyncIterator[tuple[Session, list[web.Request]]]:
    """A session with such a server, and the requests that it was sent; the last answer stays."""
    left, asked = list(answers), list[web.Request]()

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        request[BODY] = await request.text()
        answer = (left.pop(0) if len(left) > 1 else left[0])(request)
        if not isinstance(answer, web.Response):
            return await _cut(request, answer)
        answer.headers.setdefault(OF_SERVER, "an-id")
        return answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = ServerClock()
    try:
        async with aiohttp.ClientSession() as http:
            client = ApiClient(http, f"http://127.0.0.1:{runner.addresses[0][1]}", clock)
            yield session_of(client, clock), asked
    finally:
        await runner.cleanup()


async def _cut(request: web.Request, told: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(told)
    assert request.transport
    request.transport.close()
    return response


def session_of(client: ApiClient, clock: ServerClock) -> Session:
    """A command at work in namespace team-a."""
    return Session(
        client=client,
        clock=clock,
        printer=Printer(Output.TABLE),
        namespace="team-a",
        all_namespaces=False,
        execution_namespace="runs",
    )


def json_of(value: Any, status: int = 200) -> Answer:
    """Answer with an object."""
    return lambda _: web.json_response(value, status=status)


def cut_after(*lines: str) -> Answer:
    """Answer with a stream of texts whose connection is lost then."""
    return lambda _: "".join(f"{line}\n" for line in lines).encode()


def lines_of(*lines: Any) -> Answer:
    """Answer with a stream of objects, or of texts, that then ends."""
    told = [item if isinstance(item, str) else json.dumps(item) for item in lines]
    return lambda _: web.Response(text="".join(f"{line}\n" for line in told))


def group_list(group: str, plural: str, kind: str, scope: str = "Namespaced") -> dict[str, Any]:
    """The answer of an API server with one kind when it is asked for all kinds."""
    resource = {"resource": plural, "responseKind": {"kind": kind}, "scope": scope}
    versions = [{"version": "v1", "resources": [resource]}]
    return {"items": [{"metadata": {"name": group}, "versions": versions}]}
