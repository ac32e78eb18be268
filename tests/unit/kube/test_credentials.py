"""Credentials come from tokens in files, passwords, and programs that log in."""

import base64
import json
import os
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from localcluster import certificates
from workflowexecution.kube import login
from workflowexecution.kube.credentials import CredentialError, Token, basic, bearer
from workflowexecution.kube.kubeconfig import Asked
from workflowexecution.kube.load_access import load_access
from workflowexecution.kube.login import CredentialPlugin, PluginLogin

Write = Callable[..., Path]
Plugin = Callable[..., CredentialPlugin]
V1 = "client.authentication.k8s.io/v1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HINT = "Install it from https://login.example/cli"


@pytest.fixture(autouse=True)
def _outside_of_any_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBECONFIG", "POD_NAMESPACE", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a kubeconfig of one user."""

    def write(user: dict[str, Any], **cluster: Any) -> Path:
        content = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://api.example", **cluster}}],
            "users": [{"name": "u", "user": user}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """A plugin that is a script."""

    def make(script: str, cluster: dict[str, Any] | None = None, **more: Any) -> CredentialPlugin:
        path = tmp_path / "login"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        settings = {"apiVersion": V1, "command": "./login", "installHint": HINT, **more}
        return CredentialPlugin(settings, "users[u].user.exec", tmp_path, cluster or {})

    return make


def answer(**status: Any) -> str:
    """A script that gives a credential."""
    told = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    return f"cat <<'EOF'\n{json.dumps(told)}\nEOF"


def header_of(kubeconfig: Path) -> str | None:
    return load_access(Asked(str(kubeconfig))).authorization()


@pytest.mark.parametrize("around", ["", "\n", "\r\n", "  \n\n", "\t"])
def test_white_space_around_a_token_is_none_of_it(
    write: Write, tmp_path: Path, around: str
) -> None:
    (tmp_path / "token").write_bytes(f"{around}secret{around}".encode())
    assert header_of(write({"tokenFile": "token"})) == "Bearer secret"
    assert header_of(write({"token": f"secret{around}"})) == "Bearer secret"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfes\0e\0", b"\xef\xbb\xbfs", b"\0"]
)
def test_a_file_without_a_token_is_named_and_not_quoted(
    write: Write, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(CredentialError, match="token") as told:
        header_of(write({"tokenFile": "token"}))
    assert str(tmp_path / "token") in str(told.value)
    assert "two" not in str(told.value).replace(str(tmp_path), "")


def test_a_token_file_that_is_missing_is_named(write: Write, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path / "token")):
        header_of(write({"tokenFile": "token"}))


def test_a_token_in_a_file_wins_over_the_one_beside_it_and_is_read_again(
    write: Write, tmp_path: Path
) -> None:
    authorization = load_access(
        Asked(str(write({"tokenFile": "token", "token": "beside"})))
    ).authorization
    assert authorization() == "Bearer beside"
    for token in ("first", "second-one"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert authorization() == f"Bearer {token}"
    (tmp_path / "token").write_text("")
    assert authorization() == "Bearer beside"


def test_a_token_of_a_pod_that_is_empty_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(CredentialError, match="holds no token"):
        Token(tmp_path / "token").header()


def test_a_password_is_sent_to_the_letter(write: Write) -> None:
    header = header_of(write({"username": "me", "password": "ö s3cret\n"}))
    assert header == basic("me", "ö s3cret\n")
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "me:ö s3cret\n"


def test_one_who_has_nothing_asks_without_a_header(write: Write) -> None:
    assert header_of(write({})) is None


@pytest.mark.parametrize("also", [{"token": "own"}, {"username": "me", "password": "p"}])
def test_what_the_kubeconfig_has_itself_wins_over_a_plugin(
    write: Write, also: dict[str, str]
) -> None:
    missing = {"apiVersion": V1, "command": "no-such-login"}
    assert header_of(write({"exec": missing, **also}))
    with pytest.raises(CredentialError):
        header_of(write({"exec": missing}))


def test_a_plugin_is_found_beside_the_kubeconfig(
    write: Write, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plugin(answer(token="secret\n"))
    monkeypatch.chdir("/")
    assert header_of(write({"exec": dict(made.settings)})) == "Bearer secret"


def test_a_plugin_is_told_what_it_may_know(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("trusted")
    cluster = {
        "server": "https://api.example",
        "certificate-authority": str(tmp_path / "ca"),
        "extensions": [{"name": login._CONFIG_EXTENSION, "extension": {"a": 1}}],
    }
    script = (
        f'printf "%s|%s|%s" "$1" "$OWN" "$KUBERNETES_EXEC_INFO" >{tmp_path}/seen; '
        f"{answer(token='secret')}"
    )
    more = {"args": ["a b"], "env": [{"name": "OWN", "value": "x"}], "provideClusterInfo": True}
    assert plugin(script, cluster, **more).run().authorization == "Bearer secret"
    argument, own, info = (tmp_path / "seen").read_text().split("|", 2)
    assert (argument, own) == ("a b", "x")
    assert json.loads(info) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://api.example",
                "certificate-authority-data": base64.b64encode(b"trusted").decode(),
                "config": {"a": 1},
            },
        },
    }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo over >&2; echo run login >&2; exit 7", "ended with status 7: over run login"),
        ("exit 1", "ended with status 1;"),
        ("kill -9 $$", r"a signal ended it \(9\)"),
        ("", "what it wrote is not"),
        ("echo secret", "what it wrote is not"),
        ("printf '\\377'", "what it wrote is not"),
        ("echo []", "what it wrote is not"),
        (answer(), "what it wrote is not"),
        (answer(token=""), "what it wrote is not"),
        (answer(token=5), "what it wrote is not"),
        (answer(token=["secret"]), "what it wrote is not"),
        (answer(clientCertificateData="secret"), "what it wrote is not"),
        (answer(token="secret", clientKeyData="secret"), "what it wrote is not"),
        (answer(token="secret", expirationTimestamp="soon"), "what it wrote is not"),
        (answer(token="secret").replace("/v1", "/v1beta1"), "what it wrote is not"),
        (answer(token="secret").replace("ExecCredential", "Secret"), "what it wrote is not"),
    ],
)
def test_what_goes_wrong_with_a_plugin_is_told_without_secrets(
    plugin: Plugin, script: str, said: str
) -> None:
    with pytest.raises(CredentialError, match=said) as told:
        plugin(script).run()
    assert str(told.value).startswith("the credential plugin ./login (users[u].user.exec) failed: ")
    assert HINT in str(told.value)
    assert "secret" not in str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None


def test_two_tokens_in_one_are_none(plugin: Plugin) -> None:
    with pytest.raises(CredentialError, match=r"the answer of credential plugin \./login .* ASCII"):
        plugin(answer(token="two words")).run()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"command": ""}, "it has no command"),
        ({"command": "no-such-login"}, "it is not installed"),
        ({"command": "./nowhere"}, "it cannot be started"),
        ({"interactiveMode": "Always"}, "it needs a terminal"),
        ({"env": [{"name": "a=b", "value": "c"}]}, "it cannot be started"),
    ],
)
def test_a_plugin_that_cannot_begin_is_told(
    plugin: Plugin, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(CredentialError, match=said) as told:
        plugin(answer(token="secret"), **settings).run()
    assert HINT in str(told.value)


def test_a_plugin_that_may_not_be_run_is_told(plugin: Plugin, tmp_path: Path) -> None:
    made = plugin(answer(token="secret"))
    (tmp_path / "login").chmod(stat.S_IRUSR)
    with pytest.raises(CredentialError, match="it cannot be started"):
        made.run()


def test_a_plugin_that_does_not_end_is_told_with_what_it_said(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "_PATIENCE_S", 0.5)
    with pytest.raises(CredentialError, match=r"did not end within 0 s: waiting for you; "):
        plugin("echo waiting for you >&2; exec sleep 60").run()


def test_a_plugin_logs_in_again_once_its_token_has_expired(plugin: Plugin) -> None:
    when = [NOW]
    later = (NOW + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    made = plugin(answer(token="first", expirationTimestamp=later))
    login = PluginLogin(made, ssl.create_default_context(), lambda: when[0])
    plugin(answer(token="second"))
    assert login.header() == "Bearer first"
    when[0] += timedelta(minutes=5)
    assert login.header() == "Bearer second"
    plugin("exit 1")
    when[0] += timedelta(days=5)
    assert login.header() == "Bearer second"


async def test_the_certificate_of_a_plugin_is_shown_to_the_server(
    write: Write, plugin: Plugin, tmp_path: Path
) -> None:
    files = certificates.write(tmp_path / "pki", ["localhost"], ["127.0.0.1"])
    pair = {
        "clientCertificateData": files.server_certificate.read_text(),
        "clientKeyData": files.server_key.read_text(),
    }
    made = plugin(answer(**pair))
    user = {"exec": dict(made.settings)}
    for cluster in ({"certificate-authority": "pki/ca.crt"}, {"insecure-skip-tls-verify": True}):
        assert await _shown(files, write(user, **cluster)) == "kube-apiserver"
    beside = {"client-certificate": "pki/server.crt", "client-key": "pki/server.key"}
    assert await _shown(files, write(beside, **{"insecure-skip-tls-verify": True}))


async def _shown(files: certificates.KeyFiles, kubeconfig: Path) -> str:
    """The common name of the certificate that a server is shown."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(files.authority))
    context.load_cert_chain(files.server_certificate, files.server_key)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT

    async def name(request: web.Request) -> web.Response:
        assert request.transport is not None
        shown = request.transport.get_extra_info("peercert") or {}
        fields = dict(pair[0] for pair in shown.get("subject", ()))
        return web.Response(text=fields.get("commonName", ""))

    app = web.Application()
    app.router.add_get("/", name)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    found = load_access(Asked(str(kubeconfig)))
    try:
        async with (
            found.open_session(connections=1) as session,
            session.get(
                f"https://127.0.0.1:{runner.addresses[0][1]}/", timeout=aiohttp.ClientTimeout(10)
            ) as told,
        ):
            return await told.text()
    finally:
        await runner.cleanup()


def test_a_certificate_that_is_none_is_told(plugin: Plugin) -> None:
    made = plugin(answer(clientCertificateData="secret", clientKeyData="secret"))
    with pytest.raises(CredentialError, match=r"the certificate and key .* cannot be used") as told:
        PluginLogin(made, ssl.create_default_context())
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "provider",
    [
        {"name": "azure", "config": {}},
        {"name": "gcp", "config": {}},
        {"name": "oidc", "config": {"id-token": "x"}},
        {"name": "oidc", "config": {"client-secret": "s3cret"}},
    ],
)
def test_an_old_provider_that_gives_no_token_is_told(
    write: Write, provider: dict[str, Any]
) -> None:
    with pytest.raises(CredentialError, match=r"users\[u\].user.auth-provider") as told:
        header_of(write({"auth-provider": provider}))
    assert "exec" in str(told.value)
    assert "s3cret" not in str(told.value)


def test_an_old_provider_that_gives_a_token_is_used(write: Write) -> None:
    provider = {"name": "gcp", "config": {"access-token": "a", "expiry": "2999-01-01T00:00:00Z"}}
    assert header_of(write({"auth-provider": provider})) == "Bearer a"


def test_nothing_of_a_certificate_stays_on_disk(
    plugin: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    files = certificates.write(tmp_path / "pki", ["localhost"], [])
    pair = {
        "clientCertificateData": files.server_certificate.read_text(),
        "clientKeyData": files.server_key.read_text(),
    }
    PluginLogin(plugin(answer(**pair)), ssl.create_default_context())
    assert os.listdir(place) == []
    with pytest.raises(CredentialError):
        bearer("", "nowhere")


def test_nothing_of_a_key_in_a_kubeconfig_stays_on_disk(write: Write, tmp_path: Path) -> None:
    """Also where the process is ended at once, as where leadership is lost."""
    files = certificates.write(tmp_path / "pki", ["localhost"], ["127.0.0.1"])

    def data(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    user = {
        "client-certificate-data": data(files.server_certificate),
        "client-key-data": data(files.server_key),
    }
    path = write(user, **{"certificate-authority-data": data(files.authority)})
    place = tmp_path / "temporary"
    place.mkdir()
    program = (
        "import os\n"
        "from workflowexecution.kube.kubeconfig import Asked\n"
        "from workflowexecution.kube.load_access import load_access\n"
        f"load_access(Asked({str(path)!r}))\n"
        f"found = load_access(Asked({str(path)!r}))\n"
        "assert len(found.ssl_context.get_ca_certs()) == 1\n"
        "os._exit(7)\n"
    )
    environment = {**os.environ, "TMPDIR": str(place)}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 7
    assert os.listdir(place) == []
