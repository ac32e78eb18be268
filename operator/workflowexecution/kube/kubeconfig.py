"""Finds the context of a kubeconfig by the rules of kubectl."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.kube.impersonation import plain_text

_DEFAULT: Final = "~/.kube/config"
_KINDS: Final = ("contexts", "clusters", "users")
# Fields that name a file, from the folder of the kubeconfig on.
_FILES: Final = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_AUTHORITIES: Final = ("certificate-authority", "certificate-authority-data")
# Libyaml's parser reads a kubeconfig about ten times as fast; a package without it has the other.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """A context, and what belongs to it.

    files: in which all of it was found, the first one wins.
    namespace: empty where the context names none.
    cluster, user: their content, in which files have their whole paths.
    user_folder: of the file that has the user.
    """

    files: tuple[Path, ...]
    context: str
    namespace: str
    cluster_name: str
    cluster: Raw
    user_name: str
    user: Raw
    user_folder: Path

    @property
    def proxy(self) -> str | None:
        """URL of the proxy. Raises: ValueError where it is of a kind that is not supported."""
        field = f"clusters[{self.cluster_name}].cluster.proxy-url"
        return supported_proxy(plain_text(self.cluster, "proxy-url", field), field) or None

    def check_cluster(self) -> None:
        """Raises: ValueError where the server has no URL, or is to be both verified and not.

        Kubectl refuses the second as well, and speaks to the first without TLS and credentials.
        """
        where = f"clusters[{self.cluster_name}].cluster"
        if "://" not in reading.text(self.cluster, "server"):
            raise ValueError(f"{where}.server: no URL; write it like https://host:6443")
        authority = next((key for key in _AUTHORITIES if self.cluster.get(key)), "")
        if self.cluster.get("insecure-skip-tls-verify") and authority:
            wrong = f"insecure-skip-tls-verify: not beside {authority}; leave one of them"
            raise ValueError(f"{where}.{wrong}")

    @property
    def where(self) -> str:
        """The place of the user, for errors."""
        return f"users[{self.user_name}].user"


@dataclass(frozen=True, slots=True)
class Asked:
    """The wishes of a command line, which replace what files say; None for what they say.

    kubeconfig: path of one file, which must exist.
    context, cluster, user: their names.
    impersonated: fields of the user by which somebody else is impersonated.
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    impersonated: Raw = field(default_factory=dict)

    @property
    def nothing_said(self) -> str:
        """The missing item where no file says anything; empty where nothing is asked for."""
        for kind in ("context", "cluster", "user"):
            if name := getattr(self, kind):
                return f"{kind} {name!r} is in no file"
        return f"{self.kubeconfig} holds nothing" if self.kubeconfig else ""


def read_kubeconfig(asked_for: Asked) -> Kubeconfig | None:
    """Read what is meant: the file that is named, else those of KUBECONFIG, else the default one.

    Returns: None where no file says anything.
    Raises: ValueError or OSError where what they say cannot be used.
    """
    found = {file: content for file in _files(asked_for.kubeconfig) if (content := _read(file))}
    if not found:
        if asked_for.nothing_said:
            raise ValueError(asked_for.nothing_said)
        return None
    current = next(filter(None, (_current(item) for item in found.values())), "")
    named = asked_for.context or current
    if not named and not asked_for.cluster:
        raise ValueError("there is no current-context; name one with --context")
    chosen, _ = (
        _named(found, "contexts", named, f"current-context {named!r}") if named else ({}, Path())
    )
    what = reading.mapping(chosen, "context")
    cluster = asked_for.cluster or reading.text(what, "cluster")
    user = asked_for.user or reading.text(what, "user")
    asked = f"context {named!r}" if named else "no context"
    clusters, cluster_folder = _named(found, "clusters", cluster, asked)
    users, user_folder = _named(found, "users", user, asked) if user else ({}, Path())
    return Kubeconfig(
        files=tuple(found),
        context=named,
        namespace=reading.text(what, "namespace"),
        cluster_name=cluster,
        cluster=_with_whole_paths(reading.mapping(clusters, "cluster"), cluster_folder),
        user_name=user,
        user={
            **_with_whole_paths(reading.mapping(users, "user"), user_folder),
            **asked_for.impersonated,
        },
        user_folder=user_folder,
    )


def supported_proxy(url: str, field: str) -> str:
    """The URL, as it is. Raises: ValueError naming the field where no such proxy is supported."""
    scheme, mark, _ = url.partition("://")
    if mark and scheme.lower() not in ("http", "https"):
        # The rest is not quoted: it may hold a password.
        fix = "name one that begins with http:// or https://"
        raise ValueError(f"{field}: a proxy of the kind {scheme}:// is not supported; {fix}")
    return url


def _files(path: str | None) -> list[Path]:
    """The files that count; of those that are not named one by one, those that exist."""
    if path:
        return [_expanded(path)]
    listed = [item for item in os.environ.get("KUBECONFIG", "").split(os.pathsep) if item]
    if listed:
        # One that may not be looked at is an error: it is not known to be missing.
        return [file for file in map(_expanded, listed) if _is_there(file)]
    default = _expanded(_DEFAULT)
    # The home of another user, as in many images, is none of ours.
    return [default] if os.path.exists(default) else []


def _is_there(file: Path) -> bool:
    """Whether it exists. pathlib's own answers no to each error, from Python 3.14 on."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _expanded(path: str) -> Path:
    # Unlike pathlib's own, it does not mind a user without a home, as in a pod.
    return Path(os.path.expanduser(path))


def _read(file: Path) -> Raw:
    """The content of a file; empty where the file is."""
    try:
        content = yaml.load(file.read_text(), _Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"{file} is no kubeconfig")
    for kind in _KINDS:
        _refuse_doubles(file, kind, content)
    says_something = _current(content) or any(content.get(kind) for kind in _KINDS)
    return content if says_something else {}


def _refuse_doubles(file: Path, kind: str, content: Raw) -> None:
    """In one file, no name counts more than another of the same text."""
    names = [item.get("name") for item in reading.mappings(content, kind)]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{file}: {kind} has {name!r} twice; leave one of them")


def _current(content: Raw) -> str:
    return reading.text(content, "current-context")


def _named(contents: Mapping[Path, Raw], kind: str, name: str, asked: str) -> tuple[Raw, Path]:
    """The item of this name, and the folder from which its paths begin."""
    every = [
        (item, file.absolute().parent)
        for file, content in contents.items()
        for item in reading.mappings(content, kind)
    ]
    found = next((pair for pair in every if pair[0].get("name") == name), None)
    if found is None:
        there = ", ".join(str(item.get("name")) for item, _ in every) or "none"
        raise ValueError(f"{asked}: {name!r} is not among the {kind}, which are: {there}")
    return found


def _with_whole_paths(given: Raw, folder: Path) -> Raw:
    paths = {key: str(folder / path) for key in _FILES if (path := reading.text(given, key))}
    return {**given, **paths}
