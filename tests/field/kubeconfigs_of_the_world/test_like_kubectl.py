"""With each kubeconfig and set of flags both are the same user in the same namespace, or fail."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from harness import rights
from harness.account_files import AccountFiles, in_pod
from harness.executions import unique
from harness.identity import Caller, Seen
from harness.objects import create_namespace, delete_namespace
from harness.tunnel import Tunnel, open_tunnel
from localcluster import Cluster

Config = dict[str, Any]
EXEC = "client.authentication.k8s.io/v1"


@dataclass
class Ground:
    """The material of the kubeconfigs; the tokens of two accounts are by their names."""

    cluster: Cluster
    folder: Path
    tokens: dict[str, str]
    tunnel: Tunnel
    environment: dict[str, str] = field(default_factory=dict)

    def config(self, user: Config | None = None, /, **cluster: Any) -> Config:
        """A kubeconfig of one context; the user is alice if none is given."""
        content: Config = yaml.safe_load(self.cluster.kubeconfig.read_text())
        content["users"][0]["user"] = user or {"token": self.tokens["alice"]}
        content["clusters"][0]["cluster"] |= cluster
        return content

    def write(self, name: str, content: Any) -> Path:
        """Write it into a folder of its own name."""
        path = self.folder / name / "config"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    def use(self, *contents: Any) -> None:
        """Let KUBECONFIG name files with these contents, in this order."""
        files = [self.write(str(number), item) for number, item in enumerate(contents)]
        self.environment["KUBECONFIG"] = ":".join(map(str, files))

    def caller(self, *flags: str, prefix: tuple[str, ...] = ()) -> Caller:
        """Both, in another folder than that of any file."""
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return Caller(flags, {**base, **self.environment}, elsewhere, prefix)

    def plugin(self, script: str, **settings: Any) -> Config:
        """A user who logs in by a script."""
        path = self.folder / "0" / "login"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        told = {"apiVersion": EXEC, "command": "./login", "interactiveMode": "Never"}
        return {"exec": told | settings}

    def credential(self, who: str, **status: str) -> str:
        """A script that prints the token of an account."""
        answer = {"apiVersion": EXEC, "kind": "ExecCredential"}
        return f"echo '{json.dumps(answer | {'status': {'token': self.tokens[who], **status}})}'"


@pytest.fixture(scope="module")
def tokens(bare_cluster: Cluster) -> Iterator[dict[str, str]]:
    """Of two accounts without rights, and of the administrator."""
    namespace = unique("people")
    create_namespace(bare_cluster, namespace)
    yield {
        name: rights.as_account(bare_cluster, namespace, name, {}).token
        for name in ("alice", "bob")
    } | {"admin": rights.token_in(bare_cluster.kubeconfig)}
    delete_namespace(bare_cluster, namespace)


@pytest.fixture(scope="module")
def tunnel() -> Iterator[Tunnel]:
    with open_tunnel() as opened:
        yield opened


@pytest.fixture
def ground(bare_cluster: Cluster, tokens: dict[str, str], tunnel: Tunnel, tmp_path: Path) -> Ground:
    return Ground(bare_cluster, tmp_path, tokens, tunnel)


def _dashed(**fields: Any) -> dict[str, Any]:
    """The fields by the names that they have in a kubeconfig."""
    return {key.replace("_", "-"): value for key, value in fields.items()}


def _of_two_files(ground: Ground) -> None:
    """One has the context and the user, the other the cluster, as `kubectl config` leaves them."""
    one, two = ground.config(), ground.config({"token": ground.tokens["bob"]})
    del one["clusters"]
    del two["current-context"]
    ground.use(one, two)


def _same_user_twice(ground: Ground) -> None:
    ground.use(ground.config(), ground.config({"token": ground.tokens["bob"]}))


def _parts_of_a_user_in_two_files(ground: Ground) -> None:
    ground.use(ground.config({"as": "carol"}), ground.config({"token": ground.tokens["admin"]}))


def _missing_and_empty_files(ground: Ground) -> None:
    ground.use("", ground.config(), ground.config({"token": ground.tokens["bob"]}))
    ground.environment["KUBECONFIG"] = f"/no/such/file::{ground.environment['KUBECONFIG']}"


def _relative_files(ground: Ground) -> None:
    content = ground.config({"tokenFile": "token"}, **{"certificate-authority": "ca.crt"})
    ground.use(content)
    place = ground.folder / "0"
    (place / "token").write_text(ground.tokens["bob"])
    (place / "ca.crt").write_bytes(ground.cluster.ca.read_bytes())


def _token_and_file(ground: Ground) -> None:
    ground.use(ground.config({"tokenFile": "token", "token": ground.tokens["alice"]}))
    (ground.folder / "0" / "token").write_text(ground.tokens["bob"])


def _authority_in_it(ground: Ground) -> None:
    content = ground.config()
    del content["clusters"][0]["cluster"]["certificate-authority"]
    data = base64.b64encode(ground.cluster.ca.read_bytes()).decode()
    content["clusters"][0]["cluster"]["certificate-authority-data"] = data
    ground.use(content)


def _insecure(ground: Ground) -> None:
    content = ground.config(**_dashed(insecure_skip_tls_verify=True))
    del content["clusters"][0]["cluster"]["certificate-authority"]
    ground.use(content)


def _admin_as(**fields: Any) -> Callable[[Ground], None]:
    named = _dashed(**fields)

    def make(ground: Ground) -> None:
        ground.use(ground.config({"token": ground.tokens["admin"], **named}))

    return make


def _without_current(current: str | None = None) -> Callable[[Ground], None]:
    def make(ground: Ground) -> None:
        content = ground.config() | {"current-context": current}
        ground.use({key: value for key, value in content.items() if value})

    return make


def _two_of_each(ground: Ground) -> None:
    content = ground.config()
    content["users"].append({"name": "other", "user": {"token": ground.tokens["bob"]}})
    nowhere = deepcopy(content["clusters"][0])
    nowhere["name"], nowhere["cluster"]["server"] = "nowhere", "https://127.0.0.1:1"
    content["clusters"].append(nowhere)
    other = {"cluster": "local", "user": "other", "namespace": "of-bob"}
    content["contexts"].append({"name": "other", "context": other})
    ground.use(content)


def _in_namespace(ground: Ground) -> None:
    content = ground.config()
    content["contexts"][0]["context"]["namespace"] = "shop"
    ground.use(content)


def _cluster_with(**fields: Any) -> Callable[[Ground], None]:
    named = _dashed(**fields)
    return lambda ground: ground.use(ground.config(**named))


def _by_proxy(ground: Ground) -> None:
    url = ground.tunnel.url.replace("//", "//me:s3cret@")
    ground.use(ground.config(**_dashed(proxy_url=url)))


def _server(change: Callable[[str], str]) -> Callable[[Ground], None]:
    return lambda ground: ground.use(ground.config(server=change(ground.cluster.server)))


def _login(who: str, script: str = "", **settings: Any) -> Callable[[Ground], None]:
    status = settings.pop("status", {})

    def make(ground: Ground) -> None:
        ground.use(
            ground.config(ground.plugin(script or ground.credential(who, **status), **settings))
        )

    return make


def _login_by_environment(ground: Ground) -> None:
    script = "\n".join(
        f'[ "$WHO$1" = {name}x ] && {ground.credential(name)}' for name in ("alice", "bob")
    )
    env = [{"name": "WHO", "value": "bob"}]
    ground.use(ground.config(ground.plugin(f"{script}\ntrue", env=env, args=["x"])))


def _user_twice_in_one_file(ground: Ground) -> None:
    content = ground.config()
    content["users"].append({"name": "user", "user": {"token": ground.tokens["bob"]}})
    ground.use(content)


def _user_that_is_missing(ground: Ground) -> None:
    ground.use(ground.config() | {"users": []})


def _second_file_is_not_yaml(ground: Ground) -> None:
    ground.use(ground.config(), "{")


PLAIN = _cluster_with()
# What is in the files, and the flags. Both work, as the same user in the same namespace.
WORK: dict[str, tuple[Callable[[Ground], None], tuple[str, ...]]] = {
    "plain": (PLAIN, ()),
    "of two files": (_of_two_files, ()),
    "same user twice": (_same_user_twice, ()),
    "missing and empty files": (_missing_and_empty_files, ()),
    "relative files": (_relative_files, ()),
    "token and file": (_token_and_file, ()),
    "authority in it": (_authority_in_it, ()),
    "insecure": (_insecure, ()),
    "namespace": (_in_namespace, ()),
    "-n": (_in_namespace, ("-n", "other")),
    "impersonation in it": (
        _admin_as(**{"as": "carol", "as_groups": ["ops"], "as_uid": "u-1"}),
        (),
    ),
    "--as over it": (_admin_as(**{"as": "carol", "as_groups": ["ops"]}), ("--as", "dave")),
    "--as and all of it": (
        _admin_as(),
        (
            *("--as", "dave", "--as-group", "a", "--as-group", "b", "--as-uid", "u-1"),
            *("--as-user-extra", "scopes=x", "--as-user-extra", "scopes=y=z"),
        ),
    ),
    "--as-uid over it": (
        _admin_as(**{"as": "carol", "as_uid": "u-1"}),
        ("--as", "carol", "--as-uid", "u-2"),
    ),
    "--context without a current one": (_without_current(), ("--context", "local")),
    "--context beside a stale one": (_without_current("gone"), ("--context", "local")),
    "--context": (_two_of_each, ("--context", "other")),
    "--user": (_two_of_each, ("--user", "other")),
    "--cluster": (_two_of_each, ("--context", "other", "--cluster", "local")),
    "--cluster and --user alone": (_without_current(), ("--cluster", "local", "--user", "user")),
    "proxy": (_by_proxy, ()),
    "name in the certificate": (_cluster_with(tls_server_name="localhost"), ()),
    "server with a slash": (_server(lambda url: f"{url}/"), ()),
    "login by a program": (_login("bob"), ()),
    "login by environment and arguments": (_login_by_environment, ()),
    "login that has expired": (
        _login("bob", status={"expirationTimestamp": "2020-01-01T00:00:00Z"}),
        (),
    ),
    "unknown fields": (_cluster_with(colour="blue", disable_compression=True), ()),
}
# Both fail: with an error, and without a request as somebody else.
FAIL: dict[str, tuple[Callable[[Ground], None], tuple[str, ...]]] = {
    "--context that is missing": (PLAIN, ("--context", "gone")),
    "--cluster that is missing": (PLAIN, ("--cluster", "gone")),
    "--user that is missing": (PLAIN, ("--user", "gone")),
    "stale context": (_without_current("gone"), ()),
    "no context": (_without_current(), ()),
    "user that is missing": (_user_that_is_missing, ()),
    "parts of a user in two files": (_parts_of_a_user_in_two_files, ()),
    "server without a scheme": (_server(lambda url: url.partition("://")[2]), ()),
    "user twice in one file": (_user_twice_in_one_file, ()),
    "groups without a user": (_admin_as(as_groups=["system:masters"]), ()),
    "--as-group without --as": (PLAIN, ("--as-group", "system:masters")),
    "--kubeconfig that is missing": (PLAIN, ("--kubeconfig", "/no/such/file")),
    "second file is not YAML": (_second_file_is_not_yaml, ()),
    "insecure, with an authority": (_cluster_with(insecure_skip_tls_verify=True), ()),
    "another name in the certificate": (_cluster_with(tls_server_name="other.example"), ()),
    "authority that is none": (_cluster_with(certificate_authority_data="bm9uZQ=="), ()),
    "proxy that is not there": (_cluster_with(proxy_url="http://127.0.0.1:1"), ()),
    "socks proxy that is not there": (_cluster_with(proxy_url="socks5://127.0.0.1:1"), ()),
    "token that is wrong": (lambda ground: ground.use(ground.config({"token": "x"})), ()),
    "certificate that is missing": (
        lambda ground: ground.use(ground.config({"client-certificate": "no", "client-key": "no"})),
        (),
    ),
    "login that fails": (_login("bob", "exit 3"), ()),
    "login that is not installed": (_login("bob", command="no-such-login"), ()),
    "login that must ask": (_login("bob", interactiveMode="Always"), ()),
    "login of an old version": (
        _login("bob", apiVersion="client.authentication.k8s.io/v1alpha1"),
        (),
    ),
}


def both(ground: Ground, *flags: str, prefix: tuple[str, ...] = ()) -> tuple[Seen, Seen]:
    """The identities of the plugin and of kubectl."""
    caller = ground.caller(*flags, prefix=prefix)
    return caller.by_plugin(), caller.by_kubectl(ground.cluster.kubectl)


@pytest.mark.parametrize("case", WORK)
def test_both_are_the_same_user_in_the_same_namespace(ground: Ground, case: str) -> None:
    make, flags = WORK[case]
    make(ground)
    ours, theirs = both(ground, *flags)
    assert theirs.who is not None, theirs.told
    assert ours == theirs, ours.told
    if case == "proxy":
        assert len([head for head in ground.tunnel.asked if "Proxy-Authorization" in head]) > 1


@pytest.mark.parametrize("case", FAIL)
def test_both_fail(ground: Ground, case: str) -> None:
    make, flags = FAIL[case]
    make(ground)
    ours, theirs = both(ground, *flags)
    assert (ours.who, theirs.who) == (None, None), (ours, theirs)
    assert "Traceback" not in ours.told


@pytest.mark.skipif(os.geteuid() != 0, reason="files of a pod are mounted where a pod has them")
@pytest.mark.parametrize("case", ["nothing", "missing", "empty", "named", "named by a flag"])
def test_in_a_pod_both_take_the_file_if_it_says_anything(ground: Ground, case: str) -> None:
    port = urlsplit(ground.cluster.server).port
    assert port is not None
    files = AccountFiles(
        ground.folder / "account", ground.tokens["bob"], ground.cluster.ca.read_bytes()
    )
    prefix, variables = files.command(port)
    ground.environment |= {**variables, **in_pod(port), "POD_NAMESPACE": "of-the-pod"}
    flags: tuple[str, ...] = ()
    match case:
        case "nothing":
            del ground.environment["KUBECONFIG"]
        case "missing":
            ground.environment["KUBECONFIG"] = "/no/such/file"
        case "empty":
            ground.use("")
        case "named":
            ground.use(ground.config())
        case "named by a flag":
            flags = ("--kubeconfig", str(ground.write("flag", ground.config())))
    ours, theirs = both(ground, *flags, prefix=tuple(prefix))
    assert theirs.who is not None, theirs.told
    assert ours == theirs, ours.told
    assert ours.who is not None
    who = "alice" if case.startswith("named") else "bob"
    assert ours.who["username"].endswith(f":{who}")
