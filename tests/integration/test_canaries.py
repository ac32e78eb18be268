"""Values of an execution and credentials of the operator reach no log and no Event.

The API server, Tekton and policies quote values in what they say. Of that the status alone may
tell: whoever reads it reads the spec beside it.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import faults, rights
from harness.executions import execution
from harness.faults import Fault
from harness.objects import OLD_FINALIZER
from harness.policies import admission_policy
from harness.process import OperatorProcess
from harness.receiver import open_receiver
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object, write_kubeconfig

PARAMETER, RATIONALE, NOTE, PASSWORD = (
    f"canary-{kind}-{secrets.token_hex(8)}" for kind in ("parameter", "rationale", "note", "proxy")
)
IS_OURS = "object.spec.params.exists(p, p.name == 'FORBIDDEN_HERE')"
QUOTES = "'no parameter may be ' + object.spec.params.map(p, p.value).join(', ')"


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator that logs all it ever logs."""
    with open_world(bare_cluster, "--log-level=debug", trouble=True) as opened:
        yield opened


def launched(world: World, target: str, **spec: Any) -> tuple[Object, Object]:
    item = created(world, target, **spec)
    return world.in_phase(item, "Running"), world.run_of(item)


def created(world: World, target: str, **spec: Any) -> Object:
    """Create an execution that carries a canary wherever one fits."""
    parameters = {"PASSWORD": PARAMETER, **spec.pop("parameters", {})}
    item = execution(
        target, namespace=world.source, parameters=parameters, rationale=RATIONALE, **spec
    )
    item["metadata"] |= {"annotations": {"note": NOTE}}
    return world.executions.create(item)


def assert_no_canary(world: World) -> None:
    """Nothing of all that was told, to whomever, holds a canary."""
    token = rights.token_in(world.operator.kubeconfig)
    told = {
        "logs": world.operator.log_text(),
        "metrics": world.operator.ask("/metrics")[1],
        "probes": world.operator.ask("/readyz")[1] + world.operator.ask("/healthz")[1],
        "Events": json.dumps([world.events.list(namespace) for namespace in world.sources]),
    }
    for where, text in told.items():
        for canary in (PARAMETER, RATIONALE, NOTE, token):
            assert canary not in text, f"{canary} is in the {where}:\n{_around(text, canary)}"


def _around(text: str, canary: str) -> str:
    at = text.index(canary)
    return text[max(at - 300, 0) : at + 100]


def logged(world: World, event: str, *words: str) -> None:
    """Wait until this was logged, all words in one line."""

    def check() -> None:
        lines = [line for line in world.operator.log_text().splitlines() if event in line]
        assert any(all(word in line for word in words) for line in lines), f"{event} is not logged"

    eventually(check, dump=world.dump)


def test_a_good_end_and_skips(world: World, target: str) -> None:
    item, run = launched(world, target)
    world.ended(created(world, target), "Skipped")
    world.tekton.succeed(world.tekton.begin(run))
    world.ended(item, "Completed")
    world.ended(created(world, target), "Skipped")
    assert_no_canary(world)


def test_what_tekton_quotes_is_in_the_status_alone(world: World, target: str) -> None:
    item, run = launched(world, target)
    world.tekton.refuse(run, "InvalidParamValue", f"param value {PARAMETER} is not in the enum")
    failure = world.ended(item, "Failed")["status"]["failureDetails"]
    assert PARAMETER in failure["message"]
    eventually(lambda: _assert_failure_is_told(world, item, "ConfigurationError"))
    assert_no_canary(world)


def _assert_failure_is_told(world: World, item: Object, reason: str) -> None:
    notes = [event["note"] for event in world.events_of(item) if event["type"] == "Warning"]
    assert [reason in note for note in notes] == [True]


def test_what_a_policy_quotes_is_in_the_status_alone(world: World, target: str) -> None:
    with admission_policy(world, IS_OURS, QUOTES):
        item = created(world, target, parameters={"FORBIDDEN_HERE": "1"})
        failure = world.ended(item, "Failed")["status"]["failureDetails"]
        assert PARAMETER in failure["message"]
        eventually(lambda: _assert_failure_is_told(world, item, "Forbidden"))
    assert_no_canary(world)


def test_a_refusal_to_end_a_run_is_in_its_event_and_in_no_log(world: World, target: str) -> None:
    """An execution that is deleted has no status that could tell who keeps its run."""
    quote = f"denied the request: no parameter may be {PARAMETER}"
    item, run = launched(world, target)
    world.tekton.begin(run)
    for kind in ("patch pipelineruns", "delete pipelineruns"):
        act = faults.answer(422, "Invalid", message=quote)
        world.proxy.inject(Fault(matches=faults.kind(kind), when="before", act=act, times=10**6))
    world.executions.delete(item)

    def is_told() -> None:
        notes = {event["reason"]: event["note"] for event in world.events_of(item)}
        assert PARAMETER in notes.get("PipelineRunNotEnded", "")

    eventually(is_told, 30, dump=world.dump)
    logged(world, "a run cannot be ended in this way", "422")
    assert PARAMETER not in world.operator.log_text()
    world.proxy.heal()


def test_a_create_that_is_in_doubt_and_refused_when_repeated(world: World, target: str) -> None:
    lost = Fault(matches=faults.kind("create pipelineruns"), when="before", act=faults.drop)
    with admission_policy(world, IS_OURS, QUOTES):
        world.proxy.inject(lost)
        created(world, target, parameters={"FORBIDDEN_HERE": "1"})
        logged(world, "reconcile failed", "POST", "/pipelineruns: 422")
    assert_no_canary(world)


@pytest.mark.parametrize(
    ("request_kind", "event"),
    [
        ("patch workflowexecutions", "reconcile failed"),
        ("patch workflowexecutions/status", "reconcile failed"),
        ("create events", "event not recorded"),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_write_whose_refusal_quotes_the_object(
    world: World, target: str, request_kind: str, event: str, status: int
) -> None:
    quote = f'is invalid: spec: Invalid value: {{"PASSWORD":"{PARAMETER}","r":"{RATIONALE}"}}'
    act = faults.answer(status, "Invalid", message=quote)
    world.proxy.inject(Fault(matches=faults.kind(request_kind), when="before", act=act, times=2))
    item = execution(target, namespace=world.source)
    item["metadata"]["finalizers"] = [OLD_FINALIZER]
    world.executions.create(item)
    logged(world, event, str(status))
    world.run_of(item := _again(world, item))
    world.in_phase(item, "Running")
    assert_no_canary(world)


def _again(world: World, item: Object) -> Object:
    """An execution as it is stored."""
    found = world.executions.get(world.source, item["metadata"]["name"])
    assert found is not None
    return found


async def test_what_is_sent_to_collectors(bare_cluster: Cluster, target: str) -> None:
    async with open_receiver("/events") as sink, open_receiver("/v1/traces") as collector:
        flags = (f"--cloudevents-sink={sink.url}", f"--traces-endpoint={collector.url}")
        token = await asyncio.to_thread(_play_a_failure, bare_cluster, target, flags)
    sent = [*sink.taken, *collector.taken]
    assert min(len(sink.taken), len(collector.taken)) > 0
    for headers, content in sent:
        zipped = headers.get("Content-Encoding") == "gzip"
        text = str(headers).encode() + (gzip.decompress(content) if zipped else content)
        for canary in (PARAMETER, RATIONALE, NOTE, token):
            assert canary.encode() not in text


def _play_a_failure(cluster: Cluster, target: str, flags: tuple[str, ...]) -> str:
    """Have Tekton quote a parameter in what is told; returns the operator's token."""
    with open_world(cluster, *flags) as world:
        item, run = launched(world, target)
        world.tekton.refuse(run, "InvalidParamValue", f"param value {PARAMETER} is not in the enum")
        assert PARAMETER in world.ended(item, "Failed")["status"]["failureDetails"]["message"]
        world.ended(created(world, target), "Skipped")
        eventually(lambda: _assert_delivered(world), dump=world.dump)
        world.operator.stop()
        return rights.token_in(world.operator.kubeconfig)


def _assert_delivered(world: World) -> None:
    assert world.operator.metric('workflowexecution_cloudevents_total{result="delivered"}') >= 3


@pytest.mark.parametrize("given_by", ["kubeconfig", "environment"])
def test_the_password_of_a_proxy_that_refuses(
    bare_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_by: str
) -> None:
    # No proxy of the environment counts for what is on this machine, as for kubectl.
    server = bare_cluster.server if given_by == "kubeconfig" else "https://192.0.2.1"
    path = write_kubeconfig(tmp_path / "config", server, bare_cluster.ca, "no-token")
    with refusing_proxy() as address:
        url = f"http://user:{PASSWORD}@{address}"
        if given_by == "kubeconfig":
            config = json.loads(path.read_text())
            config["clusters"][0]["cluster"]["proxy-url"] = url
            path.write_text(json.dumps(config))
        else:
            monkeypatch.setenv("HTTPS_PROXY", url)
            monkeypatch.setenv("NO_PROXY", "")
        operator = OperatorProcess(path, tmp_path / "log", ["--log-level=debug"])
        operator.start(wait=False)
        try:
            eventually(lambda: _assert_told(operator, "407"))
            probes = operator.ask("/readyz")[1]
        finally:
            operator.kill()
    encoded = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    for text in (operator.log_text(), probes):
        assert PASSWORD not in text
        assert encoded not in text


def _assert_told(operator: OperatorProcess, word: str) -> None:
    assert word in operator.ask("/readyz")[1]
    assert word in operator.log_text()


@contextmanager
def refusing_proxy() -> Iterator[str]:
    """A proxy on loopback that wants another password; gives its address."""
    loop = asyncio.new_event_loop()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(refuse, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
