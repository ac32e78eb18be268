"""Newer Pythons verify strictly by default: the operator must reach clusters that do not suit them.

``ssl.VERIFY_X509_STRICT`` is what Python 3.13 sets by default; here it is set by hand.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import yaml
from aiohttp import web

from localcluster import certificates
from workflowexecution.kube.access import Access
from workflowexecution.kube.load_access import load_access

Serve = Callable[[certificates.KeyFiles], Awaitable[str]]


@pytest.fixture(autouse=True)
def strict_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every context that is made with defaults is strict, as from Python 3.13 on."""
    usual = ssl.create_default_context

    def strict(*args: object, **given: object) -> ssl.SSLContext:
        context = usual(*args, **given)  # type: ignore[arg-type]
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve HTTPS on loopback with these keys; gives the URL."""
    runners: list[web.AppRunner] = []

    async def start(files: certificates.KeyFiles) -> str:
        async def handle(_: web.Request) -> web.Response:
            return web.json_response({})

        app = web.Application()
        app.router.add_get("/", handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        runners.append(runner)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.server_certificate, files.server_key)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return f"https://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


def keys(folder: Path, *, has_key_identifiers: bool) -> certificates.KeyFiles:
    return certificates.write(
        folder / "pki", ["kubernetes"], ["127.0.0.1"], has_key_identifiers=has_key_identifiers
    )


def access_by_kubeconfig(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: certificates.KeyFiles, **cluster: str
) -> Access:
    content = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {"name": "c", "cluster": {"certificate-authority": str(files.authority), **cluster}}
        ],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(path))
    return load_access()


async def ask(access: Access) -> int:
    async with access.open_session(connections=1) as session:
        return (await session.get(access.server + "/")).status


@pytest.mark.parametrize("has_key_identifiers", [True, False])
async def test_a_cluster_is_reached_whatever_its_authority_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve, has_key_identifiers: bool
) -> None:
    files = keys(tmp_path, has_key_identifiers=has_key_identifiers)
    server = await serve(files)
    assert await ask(access_by_kubeconfig(tmp_path, monkeypatch, files, server=server)) == 200


async def test_an_authority_that_is_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    """Not strict does not mean not verified."""
    server = await serve(keys(tmp_path, has_key_identifiers=True))
    other = certificates.write(tmp_path / "other", ["kubernetes"], ["127.0.0.1"])
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await ask(access_by_kubeconfig(tmp_path, monkeypatch, other, server=server))


async def test_the_name_in_the_certificate_may_differ_from_that_in_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    files = certificates.write(tmp_path / "pki", ["kubernetes"], ["192.0.2.1"])
    server = await serve(files)
    named = {"server": server, "tls-server-name": "kubernetes"}
    assert await ask(access_by_kubeconfig(tmp_path, monkeypatch, files, **named)) == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await ask(access_by_kubeconfig(tmp_path, monkeypatch, files, server=server))


@pytest.mark.parametrize("has_key_identifiers", [True, False])
async def test_the_local_cluster_suits_strict_clients(
    tmp_path: Path, serve: Serve, has_key_identifiers: bool
) -> None:
    """Those of other programs, as the demo and the tests are; without identifiers none may."""
    files = keys(tmp_path, has_key_identifiers=has_key_identifiers)
    server = await serve(files)
    context = ssl.create_default_context(cafile=str(files.authority))
    async with aiohttp.ClientSession() as session:
        if has_key_identifiers:
            assert (await session.get(server, ssl=context)).status == 200
            return
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match="Key Identifier"):
            await session.get(server, ssl=context)


def test_the_proxy_of_a_kubeconfig_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = keys(tmp_path, has_key_identifiers=True)
    cluster = {"server": "https://192.0.2.1", "proxy-url": "http://127.0.0.1:3128"}
    assert (
        access_by_kubeconfig(tmp_path, monkeypatch, files, **cluster).proxy == cluster["proxy-url"]
    )
