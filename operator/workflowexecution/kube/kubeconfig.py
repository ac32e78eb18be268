"""Which context of which kubeconfig is meant, by the rules of kubectl."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw

_DEFAULT: Final = "~/.kube/config"
_KINDS: Final = ("contexts", "clusters", "users")
# What client-go leaves as it is in the name of a header.
_HEADER_MARKS: Final = "!#$&'*+-.^_`|~"
# Fields that name a file, from the folder of the kubeconfig on.
_FILES: Final = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_NOT_ALONE: Final = ("as-uid", "as-groups", "as-user-extra")
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
        return supported_proxy(_text(self.cluster, "proxy-url", field), field) or None

    def impersonation(self) -> tuple[tuple[str, str], ...]:
        """Headers by which requests are made as somebody else.

        Raises: ValueError where a field cannot be obeyed: to drop it would give more rights than
            were asked for.
        """
        user, where = self.user, f"users[{self.user_name}].user"
        name = _text(user, "as", f"{where}.as")
        if not name and (alone := [field for field in _NOT_ALONE if user.get(field)]):
            raise ValueError(f"{where}.{alone[0]}: needs {where}.as; say who is to be impersonated")
        headers = [
            ("Impersonate-User", name),
            ("Impersonate-Uid", _text(user, "as-uid", f"{where}.as-uid")),
            *(
                ("Impersonate-Group", group)
                for group in _texts(user.get("as-groups"), f"{where}.as-groups")
            ),
            *_extra(user.get("as-user-extra"), f"{where}.as-user-extra"),
        ]
        return tuple((header, value) for header, value in headers if value)


def read_kubeconfig(path: str | None = None, context: str | None = None) -> Kubeconfig | None:
    """Read what is meant: the file that is named, else those of KUBECONFIG, else the default one.

    Args:
        path: of one file, which must exist; None for the current ones.
        context: its name; None for the current one.
    Returns: None where no file says anything.
    Raises: ValueError or OSError where what they say cannot be used.
    """
    found = {file: content for file in _files(path) if (content := _read(file))}
    if not found:
        if path or context:
            wanted = f"context {context!r} is in no file" if context else f"{path} holds nothing"
            raise ValueError(wanted)
        return None
    named = context or next(filter(None, (_current(item) for item in found.values())), "")
    if not named:
        raise ValueError("there is no current-context; name one with --context")
    chosen, _ = _named(found, "contexts", named, f"current-context {named!r}")
    what = reading.mapping(chosen, "context")
    cluster, user = reading.text(what, "cluster"), reading.text(what, "user")
    asked = f"context {named!r}"
    clusters, cluster_folder = _named(found, "clusters", cluster, asked)
    users, user_folder = _named(found, "users", user, asked) if user else ({}, Path())
    return Kubeconfig(
        files=tuple(found),
        context=named,
        namespace=reading.text(what, "namespace"),
        cluster_name=cluster,
        cluster=_with_whole_paths(reading.mapping(clusters, "cluster"), cluster_folder),
        user_name=user,
        user=_with_whole_paths(reading.mapping(users, "user"), user_folder),
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
    says_something = _current(content) or any(content.get(kind) for kind in _KINDS)
    return content if says_something else {}


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


def _text(given: Raw, key: str, field: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{field}: must be a text without control characters")
    return value


def _texts(value: Any, field: str) -> list[str]:
    given = [] if value is None else value
    if not isinstance(given, list):
        raise ValueError(f"{field}: must be a list of texts")
    return [_text({"": item}, "", field) for item in given]


def _extra(value: Any, field: str) -> list[tuple[str, str]]:
    given: Any = {} if value is None else value
    if not isinstance(given, Mapping):
        raise ValueError(f"{field}: must hold a list of texts for each key")
    return [
        (f"Impersonate-Extra-{quote(str(key), safe=_HEADER_MARKS)}", text)
        for key, values in given.items()
        for text in _texts(values, f"{field}[{key}]")
    ]
