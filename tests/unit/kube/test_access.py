"""The way to the API server, from each kind of credentials."""

import asyncio
import ssl
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
import yaml
from aiohttp import web

from localcluster import certificates
from workflowexecution.kube import access
from workflowexecution.kube import load_access as loading
from workflowexecution.kube.kubeconfig import Asked
from workflowexecution.kube.load_access import load_access, proxy_of_environment

Write = Callable[..., None]
SERVER = "https://127.0.0.1:6443"
PROXY = "http://proxy:3128"
LEFT_OUT = ("10.9.8.7", "10.9.8.7:6443", "10.0.0.0/8", "a.example, 10.9.0.0/16", "*")
NOT_LEFT_OUT = ("", "10.9.8.7:443", "192.168.0.0/16", "0.9.8.7", "fd00::/8", ",", "10.9.8.7/x")


@pytest.fixture(autouse=True)
def _outside_of_any_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBECONFIG", "POD_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> certificates.KeyFiles:
    return certificates.write(tmp_path_factory.mktemp("pki") / "pki", ["localhost"], ["127.0.0.1"])


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a kubeconfig of one user, and make it the current one."""

    def write(user: dict[str, object], **cluster: object) -> None:
        path = tmp_path / "kubeconfig"
        content = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": SERVER, **cluster}}],
            "users": [{"name": "u", "user": user}],
        }
        path.write_text(yaml.safe_dump(content))
        monkeypatch.setenv("KUBECONFIG", str(path))

    return write


def test_a_token_proves_who_asks(kubeconfig: Write) -> None:
    kubeconfig({"token": "secret"}, server=f"{SERVER}/")
    found = load_access()
    assert (found.server, found.authorization()) == (SERVER, "Bearer secret")
    assert isinstance(found.ssl_context, ssl.SSLContext)
    assert found.ssl_context.verify_mode is ssl.CERT_REQUIRED


def test_a_client_certificate_proves_who_asks(
    kubeconfig: Write, files: certificates.KeyFiles
) -> None:
    kubeconfig(
        {
            "client-certificate": str(files.server_certificate),
            "client-key": str(files.server_key),
        },
        **{"certificate-authority": str(files.authority)},
    )
    found = load_access()
    assert (found.server, found.authorization()) == (SERVER, None)
    assert isinstance(found.ssl_context, ssl.SSLContext)
    assert len(found.ssl_context.get_ca_certs()) == 1


def test_verification_is_left_out_only_where_asked(kubeconfig: Write) -> None:
    kubeconfig({}, **{"insecure-skip-tls-verify": True})
    context = load_access().ssl_context
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize("content", [None, "", "current-context: gone\n", "{"])
def test_a_missing_kubeconfig_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(ValueError, match=r"(?s)^no usable kubeconfig: .*; set KUBECONFIG to one$"):
        load_access()


@pytest.mark.parametrize("url", ["http://me:s3cret@[::1:3128", "me:s3cret@proxy:port"])
async def test_a_proxy_that_is_no_url_is_told_without_its_password(
    kubeconfig: Write, url: str
) -> None:
    kubeconfig({"token": "t"}, **{"proxy-url": url})
    found = load_access()
    with pytest.raises(ValueError, match="the URL of the proxy cannot be read") as error:
        found.open_session(connections=1)
    assert "s3cret" not in "".join(traceback.format_exception(error.value))
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("start", ["http://", ""])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_is_given_its_password(scheme: str, start: str) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.put_nowait((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        host, port = proxy.sockets[0].getsockname()
        found = access.Access(
            server=f"{scheme}://api.example",
            ssl_context=True,
            authorization=lambda: None,
            proxy=f"{start}me:p%40ss@{host}:{port}",
        )
        async with found.open_session(connections=1) as session:
            with suppress(aiohttp.ClientHttpProxyError):
                await session.get(f"{found.server}/version")
    request = await asked.get()
    assert request.startswith("CONNECT " if scheme == "https" else "GET ")
    assert request.count("Proxy-Authorization: Basic bWU6cEBzcw==") == 1


async def test_a_proxy_that_is_reached_by_tls_is_trusted_as_the_cluster_is(
    kubeconfig: Write, files: certificates.KeyFiles
) -> None:
    """And the API server is spoken to within, by TLS of its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.server_certificate, files.server_key)
    connected: asyncio.Queue[str] = asyncio.Queue()

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        connected.put_nowait(head.splitlines()[0])
        onward = await asyncio.open_connection("127.0.0.1", api_port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        with suppress(OSError):
            await asyncio.gather(_copy(reader, onward[1]), _copy(onward[0], writer))

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    api_port = runner.addresses[0][1]
    proxy = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    kubeconfig(
        {"token": "t"},
        **{
            "server": "https://localhost:6443",
            "certificate-authority": str(files.authority),
            "proxy-url": url,
        },
    )
    found = load_access()
    async with (
        asyncio.timeout(20),
        found.open_session(connections=1) as session,
        session.get(f"{found.server}/") as answer,
    ):
        assert await answer.text() == "hello"
    assert await connected.get() == "CONNECT localhost:6443 HTTP/1.1"
    proxy.close()
    await runner.cleanup()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    writer.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("10.0.0.1", "https://10.0.0.1:443"), ("fd00::1", "https://[fd00::1]:443")],
)
def test_a_pod_uses_its_service_account(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: certificates.KeyFiles,
    host: str,
    expected: str,
) -> None:
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_bytes(files.authority.read_bytes())
    monkeypatch.setattr(loading, "_ACCOUNT_DIR", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = load_access()
    assert (found.server, found.authorization()) == (expected, "Bearer first")
    (tmp_path / "token").write_text("second\n")
    assert found.authorization() == "Bearer second"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": ""}, PROXY),
        ({"HTTPS_PROXY": PROXY, "https_proxy": "http://other:1"}, PROXY),
        ({"http_proxy": PROXY}, None),
        ({"ALL_PROXY": "socks5://127.0.0.1:1080"}, None),
        *(({"https_proxy": PROXY, "no_proxy": left_out}, None) for left_out in LEFT_OUT),
        *(({"HTTPS_PROXY": PROXY, "NO_PROXY": other}, PROXY) for other in NOT_LEFT_OUT),
    ],
)
def test_the_proxy_of_the_environment_is_used_unless_it_is_left_out(
    kubeconfig: Write,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    expected: str | None,
) -> None:
    without_proxies(monkeypatch)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    kubeconfig({"token": "t"}, server="https://10.9.8.7:6443")
    assert load_access().proxy == expected


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("server", "left_out", "expected"),
    [
        ("https://api.shop.example", "", PROXY),
        ("https://api.shop.example", "shop.example", None),
        ("https://api.shop.example", ".shop.example", None),
        ("https://api.shop.example", "*.shop.example", None),
        ("https://api.shop.example", "SHOP.example:443", None),
        ("https://api.shop.example", "shop.example:6443", PROXY),
        ("https://myshop.example", "shop.example", PROXY),
        ("https://shop.example", ".shop.example", PROXY),
        ("https://[fd00::1]:6443", "fd00::/8", None),
        ("https://127.0.0.1:6443", "", None),
        ("https://[::1]:6443", "", None),
        ("https://localhost:6443", "", None),
    ],
)
def test_servers_are_left_out_by_the_rules_of_kubectl(
    monkeypatch: pytest.MonkeyPatch, server: str, left_out: str, expected: str | None
) -> None:
    without_proxies(monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", left_out)
    assert proxy_of_environment(server) == expected


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS4", "ftp"])
def test_a_proxy_of_another_kind_is_refused_naming_the_field_and_no_password(
    kubeconfig: Write, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    url = f"{scheme}://me:s3cret@127.0.0.1:1080"
    kubeconfig({"token": "t"}, **{"proxy-url": url})
    with pytest.raises(
        ValueError, match=rf"clusters\[c\].cluster.proxy-url: .* {scheme}://"
    ) as told:
        load_access()
    without_proxies(monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", url)
    kubeconfig({"token": "t"}, server="https://10.9.8.7")
    with pytest.raises(ValueError, match=rf"HTTPS_PROXY: .* {scheme}://") as also:
        load_access()
    for error in (told, also):
        assert "s3cret" not in "".join(traceback.format_exception(error.value))


async def test_every_request_is_signed() -> None:
    tokens, asked = iter(["Bearer a", "Bearer b", None]), []

    async def handle(request: web.Request) -> web.Response:
        agent = request.headers["User-Agent"].partition("/")[0]
        asked.append((request.path, request.headers.get("Authorization"), agent))
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = f"http://127.0.0.1:{runner.addresses[0][1]}"
    found = access.Access(server=server, ssl_context=True, authorization=lambda: next(tokens))

    async with found.open_session(connections=1) as session:
        for path in ("/x", "/y", "/z"):
            await (await session.get(server + path)).read()
    await runner.cleanup()
    agent = "workflowexecution-operator"
    assert asked == [("/x", "Bearer a", agent), ("/y", "Bearer b", agent), ("/z", None, agent)]


async def test_a_connection_that_is_lost_too_early_is_a_lost_connection() -> None:
    async def lose(_: aiohttp.ClientRequest) -> Any:
        raise AssertionError

    found = access.Access(server="http://x", ssl_context=True, authorization=lambda: None)
    async with found.open_session(connections=1) as session:
        (prepare,) = session._middlewares
        request = SimpleNamespace(headers={}, server_hostname=None)
        with pytest.raises(aiohttp.ClientConnectionError, match="lost before"):
            await prepare(cast("aiohttp.ClientRequest", request), lose)


def test_an_authority_that_is_replaced_is_trusted_from_the_next_request_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: certificates.KeyFiles
) -> None:
    place = tmp_path / "ca.crt"
    place.write_bytes(files.authority.read_bytes())
    (tmp_path / "token").write_text("secret")
    monkeypatch.setattr(loading, "_ACCOUNT_DIR", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    found = load_access()
    assert isinstance(found.ssl_context, ssl.SSLContext)

    def trusted() -> int:
        found.refresh_trust()
        assert isinstance(found.ssl_context, ssl.SSLContext)
        return len(found.ssl_context.get_ca_certs())

    assert trusted() == 1
    place.write_text("half of a certifi")
    assert trusted() == 1
    others = certificates.write(tmp_path / "others", ["localhost"], ["127.0.0.1"])
    place.write_bytes(others.authority.read_bytes())
    assert trusted() == 2
    place.unlink()
    assert trusted() == 2


def test_a_context_and_a_file_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "other"
    clusters = {"a": "https://a.example", "b": "https://b.example"}
    named = {"cluster": "b", "user": "u", "namespace": "team-b"}
    content = {
        "current-context": "a",
        "contexts": [
            {"name": "a", "context": {"cluster": "a", "user": "u"}},
            {"name": "b", "context": named},
        ],
        "clusters": [{"name": key, "cluster": {"server": url}} for key, url in clusters.items()],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    path.write_text(yaml.safe_dump(content))
    assert load_access(Asked(str(path))).server == clusters["a"]
    assert load_access(Asked(str(path), "b")).server == clusters["b"]
    assert loading.load_namespace(Asked(str(path))) == "default"
    assert loading.load_namespace(Asked(str(path), "b")) == "team-b"
    with pytest.raises(ValueError, match="'nobody' is not among the contexts, which are: a, b"):
        load_access(Asked(str(path), "nobody"))


async def test_an_idle_connection_is_kept_and_given_up_before_the_server_closes_it() -> None:
    found = access.Access(server="http://x", ssl_context=True, authorization=lambda: None)
    async with found.open_session(connections=1) as session:
        assert session.connector is not None
        assert 60 < (session.connector._keepalive_timeout or 0) < 90
