"""The official client behaves in ways that we cannot use; our own code exists for these.

Each test says what the ``kubernetes`` package does today. One that fails tells that the package
has changed: look in docs/decisions/0027-own-access.md which module may go.
"""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import kubernetes.aio.client
import kubernetes.aio.config
import kubernetes.client
import kubernetes.client.rest
import kubernetes.config
import pytest
import yaml
from aiohttp import web
from kubernetes.config import incluster_config, kube_config

from localcluster import certificates
from official_client import Write, header, loaded
from workflowexecution.kube.load_access import proxy_of_environment


@pytest.fixture(autouse=True)
def _outside_of_any_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
    for name in (*names, *map(str.upper, names), "KUBERNETES_SERVICE_HOST", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a pod's account."""
    authority = certificates.write(tmp_path / "pki", ["kubernetes"], ["10.0.0.1"]).authority
    (tmp_path / "ca.crt").write_bytes(authority.read_bytes())
    (tmp_path / "token").write_text("first")
    for module in (incluster_config, kubernetes.aio.config.incluster_config):
        monkeypatch.setattr(module, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
        monkeypatch.setattr(module, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return tmp_path


def loaded_in_pod() -> Any:
    config = kubernetes.client.Configuration()
    kubernetes.config.load_incluster_config(config)
    return config


# load_access: which cluster is meant


def test_which_file_is_meant_is_decided_at_import(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(write({"token": "t"})))
    assert os.environ["KUBECONFIG"] != kube_config.KUBE_CONFIG_DEFAULT_LOCATION


def test_in_a_pod_a_list_of_files_is_passed_over_for_the_pods_own_cluster(
    write: Write, pod: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two = f"{write({'token': 't'}, 'one')}:{write({'token': 't'}, 'two')}"
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", two)
    monkeypatch.setattr(kubernetes.config, "KUBE_CONFIG_DEFAULT_LOCATION", two)
    config = kubernetes.client.Configuration()
    kubernetes.config.load_config(client_configuration=config)
    assert config.host == "https://10.0.0.1:443"
    # It says so where the answers of `kubectl wfe -o json` go.
    assert "Using inCluster Config" in capsys.readouterr().out


def test_in_a_pod_a_kubeconfig_that_says_nothing_is_an_error(
    pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pod / "empty").write_text("")
    monkeypatch.setattr(kubernetes.config, "KUBE_CONFIG_DEFAULT_LOCATION", str(pod / "empty"))
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(pod / "empty"))
    with pytest.raises(kubernetes.config.ConfigException, match="file is empty"):
        kubernetes.config.load_config()


def test_it_is_large() -> None:
    """Megabytes that a pod, which needs a host, a token and an authority, would carry for ever."""
    program = """
import resource, aiohttp, yaml
size = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before = size()
import kubernetes.config
print((size() - before) >> 20)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) >= 15


def test_it_loads_hundreds_of_modules() -> None:
    """They are a large part of the time in which `kubectl wfe list` answers."""
    program = """
import sys, aiohttp, pydantic, typer, yaml
before = len(sys.modules)
import kubernetes.config
print(len(sys.modules) - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) >= 200


# kubeconfig: which context, cluster and user of which file


def test_of_several_files_the_last_one_decides_on_the_current_context(tmp_path: Path) -> None:
    """The first does for kubectl."""
    for name in ("one", "two"):
        content = {
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}}],
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        (tmp_path / name).write_text(yaml.safe_dump(content))
    assert loaded(f"{tmp_path}/one:{tmp_path}/two").host == "https://two.example"


def test_one_empty_file_among_several_is_an_error(write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(kubernetes.config.ConfigException, match="file is empty"):
        loaded(f"{tmp_path}/empty:{write({'token': 't'})}")


def test_a_user_that_is_missing_is_nobody(tmp_path: Path, write: Write) -> None:
    """Requests are sent as system:anonymous; kubectl refuses."""
    content = yaml.safe_load(write({"token": "t"}).read_text())
    content["users"][0]["name"] = "other"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    assert header(loaded(tmp_path / "kubeconfig")) is None


def test_nobody_is_impersonated(write: Write) -> None:
    """Requests are made with more rights than were asked for."""
    config = loaded(write({"token": "t", "as": "weak", "as-groups": ["few"]}))
    client = kubernetes.client.ApiClient(config)
    sent = str({**client.default_headers, **config.auth_settings()})
    assert "mpersonate" not in sent
    assert "weak" not in sent


def test_a_proxy_that_the_client_does_not_speak_to_is_taken(write: Write) -> None:
    config = loaded(write({"token": "t"}, **{"proxy-url": "socks5://127.0.0.1:1080"}))
    assert config.proxy == "socks5://127.0.0.1:1080"


def test_a_server_that_is_to_be_trusted_and_verified_is_trusted(write: Write) -> None:
    """Kubectl refuses, as one of the two is a mistake."""
    beside = {"insecure-skip-tls-verify": True, "certificate-authority-data": "bm9uZQ=="}
    assert loaded(write({"token": "t"}, **beside)).verify_ssl is False


def test_a_server_without_a_scheme_is_no_url(write: Write) -> None:
    """It fails with each request; kubectl speaks without TLS, and without credentials."""
    config = loaded(write({"token": "t"}, server="10.9.8.7:6443"))
    assert config.host == "10.9.8.7:6443"


# credentials, files: tokens and authorities that are replaced


def test_a_token_of_a_pod_that_is_replaced_is_not_seen_for_a_minute(pod: Path) -> None:
    config = loaded_in_pod()
    (pod / "token").write_text("second")
    assert header(config) == "bearer first"


def test_a_token_in_a_file_is_read_once(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    config = loaded(write({"tokenFile": "token"}))
    assert config.refresh_api_key_hook is not None
    (tmp_path / "token").write_text("second")
    assert header(config) == "Bearer first"


async def test_an_authority_that_is_replaced_is_never_trusted(pod: Path) -> None:
    config = kubernetes.aio.client.Configuration()
    kubernetes.aio.config.load_incluster_config(config)
    async with kubernetes.aio.client.ApiClient(config) as client:
        before = client.rest_client.ssl_context.get_ca_certs(binary_form=True)
        others = certificates.write(pod / "others", ["kubernetes"], ["10.0.0.1"]).authority
        (pod / "ca.crt").write_bytes(others.read_bytes())
        await client.param_serialize("GET", "/", auth_settings=["BearerToken"])
        after = client.rest_client.ssl_context.get_ca_certs(binary_form=True)
    assert after == before


# credentials: what stands in the header


@pytest.mark.parametrize("around", ["\n", "\r\n"])
def test_the_line_end_of_a_token_is_part_of_the_header(
    write: Write, tmp_path: Path, pod: Path, around: str
) -> None:
    """The HTTP client refuses to send such a header."""
    (tmp_path / "token").write_bytes(f"secret{around}".encode())
    assert header(loaded(write({"tokenFile": "token"}))) == "Bearer secret\n"
    assert header(loaded_in_pod()) == "bearer secret\n"


def test_a_password_is_sent_in_an_encoding_of_its_own(write: Write) -> None:
    """kubectl sends UTF-8."""
    sent = header(loaded(write({"username": "me", "password": "ö"})))
    assert sent is not None
    assert base64.b64decode(sent.removeprefix("Basic ")) == "me:ö".encode("latin-1")
    with pytest.raises(UnicodeEncodeError):
        loaded(write({"username": "me", "password": "ł"}))


# login: which of several ways is taken


def test_a_token_wins_over_the_file_beside_it(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file")
    assert header(loaded(write({"tokenFile": "token", "token": "beside"}))) == "Bearer beside"


def test_a_name_without_a_password_is_nobody(write: Write) -> None:
    assert header(loaded(write({"username": "me"}))) is None


# credentials, TLS: whom a connection trusts, and what stays on disk


async def test_a_cluster_whose_authority_does_not_suit_python_3_13_is_refused(
    pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ssl.create_default_context

    def strict(*args: Any, **given: Any) -> ssl.SSLContext:
        context = usual(*args, **given)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    config = kubernetes.aio.client.Configuration()
    kubernetes.aio.config.load_incluster_config(config)
    async with kubernetes.aio.client.ApiClient(config) as client:
        assert client.rest_client.ssl_context.verify_flags & ssl.VERIFY_X509_STRICT


def test_a_key_stays_on_disk_where_a_process_does_not_end_in_peace(
    write: Write, tmp_path: Path
) -> None:
    files = certificates.write(tmp_path / "pki", ["localhost"], [])
    pair = {
        "client-certificate-data": base64.b64encode(files.server_certificate.read_bytes()),
        "client-key-data": base64.b64encode(files.server_key.read_bytes()),
    }
    path = write({key: value.decode() for key, value in pair.items()})
    place = tmp_path / "temporary"
    place.mkdir()
    program = (
        "import os, kubernetes.config as k\n"
        f"k.load_kube_config({str(path)!r}, persist_config=False)\n"
        "os._exit(1)\n"
    )
    environment = {**os.environ, "TMPDIR": str(place)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert sorted(file.read_bytes() for file in place.iterdir()) == sorted(
        [files.server_certificate.read_bytes(), files.server_key.read_bytes()]
    )


# load_access, proxy: for which server the environment's proxy is


@pytest.mark.parametrize(
    ("server", "left_out"),
    [
        ("https://api.shop.example", "*.shop.example"),
        ("https://api.shop.example", "SHOP.example:443"),
        ("https://shop.example", ".shop.example"),
        ("https://127.0.0.1:6443", ""),
        ("https://[::1]:6443", ""),
        ("https://localhost:6443", ""),
    ],
)
def test_servers_are_not_left_out_by_the_rules_of_kubectl(
    server: str, left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", left_out)
    ours = proxy_of_environment(server) is None
    assert kubernetes.client.rest.should_bypass_proxies(server, left_out) is not ours


async def test_the_asynchronous_half_leaves_no_network_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It leaves the proxy of the environment to aiohttp, and that to the standard library."""
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    async with kubernetes.aio.client.ApiClient(kubernetes.aio.client.Configuration()) as client:
        client.rest_client.pool_manager = client.rest_client._create_pool_manager()
        assert client.rest_client.pool_manager.trust_env
    assert not urllib.request.proxy_bypass("10.9.8.7")


# access: the session


async def test_its_connections_are_given_up_between_executions() -> None:
    """Executions come seconds to minutes apart; each handshake costs both sides milliseconds."""
    async with kubernetes.aio.client.ApiClient(kubernetes.aio.client.Configuration()) as client:
        connector = client.rest_client._create_connector()
        assert connector._keepalive_timeout == 15
        await connector.close()


async def test_it_sends_the_password_of_the_users_netrc_to_the_api_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp does for a session that trusts the environment, where no token is sent."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password of-another-service\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    told: list[str | None] = []

    async def handle(request: web.Request) -> web.Response:
        told.append(request.headers.get("Authorization"))
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    config = kubernetes.aio.client.Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    async with kubernetes.aio.client.ApiClient(config) as client:
        asked = await client.param_serialize("GET", "/", auth_settings=["BearerToken"])
        await (await client.call_api(*asked, _preload_content=False)).read()
    await runner.cleanup()
    assert told == [aiohttp.encode_basic_auth("me", "of-another-service")]
