"""The cluster that kubectl would reach by the same files, or a refusal in words."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from workflowexecution.kube import load_access as loading
from workflowexecution.kube.access import Access
from workflowexecution.kube.kubeconfig import Asked
from workflowexecution.kube.load_access import load_access, load_namespace

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBECONFIG", "POD_NAMESPACE", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a kubeconfig of one cluster, named as its context and its file."""

    def write(name: str, current: str | None = "", **fields: Any) -> Path:
        content: dict[str, Any] = {
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}}],
            "users": [{"name": name, "user": {"token": name, **fields}}],
        }
        if current is not None:
            content["current-context"] = current or name
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Be in a pod; gives its cluster's URL."""
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("of-the-pod")
    (account / "namespace").write_text("of-the-pod\n")
    (account / "ca.crt").write_text("")
    monkeypatch.setattr(loading, "_ACCOUNT_DIR", account)
    monkeypatch.setattr(loading, "Trust", _NoTrust)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    return "https://10.0.0.1:443"


class _NoTrust:
    context = True

    def __init__(self, _: Path) -> None:
        pass

    def refresh(self) -> None:
        pass


def reached(kubeconfig: Path | None = None, context: str | None = None) -> tuple[str, str]:
    path = str(kubeconfig) if kubeconfig else None
    return load_access(Asked(path, context)).server, load_namespace(Asked(path, context))


def test_in_a_pod_without_a_kubeconfig_it_is_the_pods_cluster(pod: str) -> None:
    assert reached() == (pod, "of-the-pod")


def test_in_a_pod_the_cluster_that_is_named_wins(
    pod: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reached(write("explicit"))[0] == "https://explicit.example"
    home = tmp_path / "home" / ".kube"
    home.mkdir(parents=True)
    write("at-home").rename(home / "config")
    assert reached()[0] == "https://at-home.example"
    monkeypatch.setenv("KUBECONFIG", str(write("named")))
    # kubectl takes the pod's namespace where the context names none.
    assert reached() == ("https://named.example", "of-the-pod")
    monkeypatch.setenv("POD_NAMESPACE", "told")
    assert reached() == ("https://named.example", "told")


@pytest.mark.parametrize("content", ["", "{}", "apiVersion: v1\nkind: Config\n", None])
def test_in_a_pod_a_kubeconfig_that_says_nothing_changes_nothing(
    pod: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    if content is not None:
        (tmp_path / "config").write_text(content)
    assert reached()[0] == pod


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- 1\n", "is no kubeconfig"),
        ("{", "is not YAML"),
        ("current-context: gone\n", "'gone' is not among the contexts, which are: none"),
        ("contexts: [{name: a, context: {cluster: b}}]\n", "there is no current-context"),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\n",
            "context 'a': 'b' is not among the clusters",
        ),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: b, user: me}}]\n"
            "clusters: [{name: b, cluster: {server: 'https://b.example'}}]\n",
            "context 'a': 'me' is not among the users",
        ),
    ],
)
def test_in_a_pod_a_kubeconfig_that_is_wrong_is_told_and_not_passed_over(
    pod: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, told: str
) -> None:
    (tmp_path / "config").write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(ValueError, match="no usable kubeconfig: .*" + told):
        reached()


def test_a_home_that_is_none_of_ours_is_passed_over_and_a_named_file_is_not(
    pod: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an image whose HOME is /root, in a pod of another user."""

    def refuse(path: object, **_: object) -> None:
        if str(path).startswith("/closed"):
            raise PermissionError(13, "Permission denied", str(path))
        raise FileNotFoundError(path)

    monkeypatch.setenv("HOME", "/closed")
    monkeypatch.setattr("workflowexecution.kube.load_access._is_in_pod", lambda: True)
    monkeypatch.setattr(os, "stat", refuse)
    assert load_access().server == pod
    monkeypatch.setenv("KUBECONFIG", "/closed/config")
    with pytest.raises(ValueError, match="Permission denied: '/closed/config'"):
        load_access()


def test_a_file_or_a_context_that_is_named_must_be_there(pod: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        reached(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="context 'x' is in no file"):
        reached(None, "x")
    (tmp_path / "empty").write_text("")
    with pytest.raises(ValueError, match="empty holds nothing"):
        reached(tmp_path / "empty")


@pytest.mark.parametrize("current", [None, "gone"])
def test_a_context_that_is_named_needs_no_current_one(write: Write, current: str | None) -> None:
    path = write("here", current)
    assert reached(path, "here") == ("https://here.example", "default")


def test_of_several_files_the_first_that_says_something_wins(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = write("first", None), write("second"), write("third")
    (tmp_path / "empty").write_text("")
    files = [tmp_path / "gone", tmp_path / "empty", first, second, third]
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, files)) + ":")
    assert reached()[0] == "https://second.example"
    assert reached(None, "first")[0] == "https://first.example"
    assert reached(None, "third")[0] == "https://third.example"


def test_of_a_name_that_is_there_twice_the_first_counts(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write("same", **{"as": "alice"}).rename(tmp_path / "one")
    two = write("same", **{"as": "bob"}).rename(tmp_path / "two")
    monkeypatch.setenv("KUBECONFIG", f"{one}:{two}")
    assert load_access().impersonation == (("Impersonate-User", "alice"),)


@pytest.mark.parametrize("server", ["here.example:6443", ""])
def test_a_server_that_is_no_url_is_refused(write: Write, server: str) -> None:
    content = yaml.safe_load(write("here").read_text())
    content["clusters"][0]["cluster"]["server"] = server
    with pytest.raises(ValueError, match=r"clusters\[here\].cluster.server: no URL"):
        reached(write_yaml(write("here"), content))


def write_yaml(path: Path, content: Any) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("kind", ["contexts", "clusters", "users"])
def test_a_name_that_is_twice_in_one_file_is_refused(write: Write, kind: str) -> None:
    content = yaml.safe_load(write("here").read_text())
    content[kind] *= 2
    with pytest.raises(ValueError, match=f"{kind} has 'here' twice"):
        reached(write_yaml(write("here"), content))


def test_trust_beside_an_authority_is_refused(write: Write) -> None:
    content = yaml.safe_load(write("here").read_text())
    content["clusters"][0]["cluster"] |= {
        "insecure-skip-tls-verify": True,
        "certificate-authority-data": "bm9uZQ==",
    }
    with pytest.raises(ValueError, match="insecure-skip-tls-verify: not beside certificate-auth"):
        reached(write_yaml(write("here"), content))


def test_what_is_asked_for_wins_over_the_context(write: Write) -> None:
    path = str(write("here", **{"as": "carol", "as-groups": ["ops"]}))
    found = load_access(Asked(path, impersonated={"as": "dave"}))
    assert found.impersonation == (("Impersonate-User", "dave"), ("Impersonate-Group", "ops"))
    for kind, gone in (("cluster", Asked(cluster="gone")), ("user", Asked(user="gone"))):
        with pytest.raises(ValueError, match=f"'gone' is not among the {kind}s"):
            load_access(replace(gone, kubeconfig=path))
        with pytest.raises(ValueError, match=f"{kind} 'gone' is in no file"):
            load_access(gone)
    assert load_access(Asked(path, None, "here", "here")).server == "https://here.example"


IMPERSONATED = {
    "as": "alice",
    "as-uid": "u-1",
    "as-groups": ["devs", "ops"],
    "as-user-extra": {"Scopes/x y": ["a", "b"], "acme%": ["c"]},
}


async def test_whoever_is_impersonated_is_named_in_every_request(write: Write) -> None:
    asked: list[list[tuple[str, str]]] = []

    async def handle(request: web.Request) -> web.Response:
        told = [(key, value) for key, value in request.headers.items() if "Impersonate" in key]
        asked.append(told)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found = load_access(Asked(str(write("here", **IMPERSONATED))))
    server = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with found.open_session(connections=1) as session:
        for _ in range(2):
            await (await session.get(server)).read()
    await runner.cleanup()
    assert (
        asked
        == [
            [
                ("Impersonate-User", "alice"),
                ("Impersonate-Uid", "u-1"),
                ("Impersonate-Group", "devs"),
                ("Impersonate-Group", "ops"),
                ("Impersonate-Extra-Scopes%2Fx%20y", "a"),
                ("Impersonate-Extra-Scopes%2Fx%20y", "b"),
                ("Impersonate-Extra-acme%25", "c"),
            ]
        ]
        * 2
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"as-groups": ["system:masters"]}, r"users\[here\].user.as-groups: needs .*user.as;"),
        ({"as-uid": "1"}, r"as-uid: needs"),
        ({"as": "", "as-user-extra": {"a": ["b"]}}, r"as-user-extra: needs"),
        ({"as": 7}, r"users\[here\].user.as: must be a text"),
        ({"as": ["alice"]}, r"user.as: must be a text"),
        ({"as": "alice\r\nX: y"}, r"user.as: must be a text without control"),
        ({"as": "alice", "as-groups": "devs"}, r"as-groups: must be a list"),
        ({"as": "alice", "as-groups": [{"a": 1}]}, r"as-groups: must be a text"),
        ({"as": "alice", "as-uid": 5}, r"as-uid: must be a text"),
        ({"as": "alice", "as-user-extra": ["a"]}, r"as-user-extra: must hold"),
        ({"as": "alice", "as-user-extra": {"a": "b"}}, r"as-user-extra\[a\]: must be a list"),
    ],
)
def test_what_cannot_be_obeyed_of_it_is_refused(
    write: Write, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=field):
        load_access(Asked(str(write("here", **fields))))


def test_nobody_is_impersonated_where_nothing_is_said(write: Write) -> None:
    found: Access = load_access(Asked(str(write("here", **{"as": None, "as-groups": []}))))
    assert found.impersonation == ()
