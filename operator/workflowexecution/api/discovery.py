"""The kinds that a cluster serves, as its discovery lists them, and whether a target fits them.

A value in, a value out: the documents of discovery are read by the caller, in either form, as one
``APIGroupDiscoveryList`` or as one ``APIResourceList`` for each group and version.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflowexecution.api import reading
from workflowexecution.api.inputs import TargetResource, parse_target
from workflowexecution.api.reading import Raw

# Stands for a namespace that only the author of a target knows.
_SOME_NAMESPACE: Final = "NAMESPACE"


@dataclass(frozen=True, slots=True)
class ServedKind:
    """One kind of one API group; a kind may be served by several groups.

    aliases: plural, singular and short names, in lower case.
    """

    kind: str
    is_namespaced: bool
    aliases: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServedKinds:
    """The kinds of a cluster; ``unread`` has the groups that did not answer."""

    kinds: frozenset[ServedKind]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetFit:
    """Whether a target names a kind that the cluster serves, as it is served.

    problem: for people; empty where there is none.
    better: the spelling that fits, with NAMESPACE where one is missing; empty where none is known.
    unchecked: why it is not known; empty where it is. There is then no problem.
    """

    problem: str = ""
    better: str = ""
    unchecked: str = ""


def parse_kinds(documents: Iterable[Mapping[str, Any]]) -> ServedKinds:
    """Read the documents of discovery; what cannot be read is left out."""
    kinds: set[ServedKind] = set()
    unread: list[str] = []
    for document in documents:
        kinds.update(_kinds_of_list(document))
        for group in reading.mappings(document, "items"):
            name = reading.text(group, "metadata", "name") or "v1"
            for version in reading.mappings(group, "versions"):
                kinds.update(_kinds_of_version(version))
                if reading.text(version, "freshness") == "Stale":
                    unread.append(name)
    return ServedKinds(frozenset(kinds), tuple(sorted(set(unread))))


def check_against(target: str, served: ServedKinds) -> TargetFit:
    """Compare a target with the kinds of a cluster.

    Its kind must be written as the cluster writes it, and have a namespace exactly where the kind
    has one. A kind of several groups fits if it fits in one of them.

    Raises: ValueError where the text is not a target.
    """
    asked = parse_target(target)
    same = [one for one in served.kinds if one.kind == asked.kind]
    if same:
        return _fit_of_scope(asked, same)
    meant = [one for one in served.kinds if asked.kind.lower() in {one.kind.lower(), *one.aliases}]
    if meant:
        return _fit_of_other_kinds(asked, meant)
    if served.unread:
        return TargetFit(
            unchecked=f"these API groups did not answer, and one of them may serve kind "
            f"{asked.kind}: {', '.join(served.unread)}"
        )
    close = difflib.get_close_matches(asked.kind, sorted({one.kind for one in served.kinds}), n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    better = _spelled(asked, _named(served, close[0])) if close else ""
    return TargetFit(f"the cluster serves no kind {asked.kind!r}{hint}", better)


def _fit_of_scope(asked: TargetResource, same: list[ServedKind]) -> TargetFit:
    if any(one.is_namespaced == bool(asked.namespace) for one in same):
        return TargetFit()
    better = _spelled(asked, same[0])
    if asked.namespace:
        return TargetFit(f"kind {asked.kind} has no namespace; write {better}", better)
    return TargetFit(f"kind {asked.kind} needs a namespace; write {better}", better)


def _fit_of_other_kinds(asked: TargetResource, meant: list[ServedKind]) -> TargetFit:
    spellings = sorted({_spelled(asked, one) for one in meant})
    kinds = sorted({one.kind for one in meant})
    problem = f"kind {asked.kind!r} is written {' or '.join(kinds)}"
    better = spellings[0] if len(spellings) == 1 else ""
    return TargetFit(f"{problem}; write {' or '.join(spellings)}", better)


def _spelled(asked: TargetResource, kind: ServedKind) -> str:
    namespace = (asked.namespace or _SOME_NAMESPACE) if kind.is_namespaced else ""
    return "/".join(part for part in (namespace, kind.kind, asked.name) if part)


def _named(served: ServedKinds, kind: str) -> ServedKind:
    found = (one for one in served.kinds if one.kind == kind)
    return min(found, key=lambda one: one.is_namespaced)


def _kinds_of_list(document: Raw) -> Iterator[ServedKind]:
    for one in reading.mappings(document, "resources"):
        name, kind = reading.texts(one, ("name",), ("kind",))
        # A name with a slash is that of a subresource.
        if kind and "/" not in name:
            singular = reading.text(one, "singularName")
            yield _kind_of(kind, one.get("namespaced") is True, name, singular, one)


def _kinds_of_version(version: Raw) -> Iterator[ServedKind]:
    for one in reading.mappings(version, "resources"):
        name, kind, scope, singular = reading.texts(
            one, ("resource",), ("responseKind", "kind"), ("scope",), ("singularResource",)
        )
        if kind:
            yield _kind_of(kind, scope == "Namespaced", name, singular, one)


def _kind_of(kind: str, is_namespaced: bool, plural: str, singular: str, raw: Raw) -> ServedKind:
    short = raw.get("shortNames")
    names = [plural, singular, *(short if isinstance(short, list) else [])]
    aliases = frozenset(name.lower() for name in names if isinstance(name, str) and name)
    return ServedKind(kind, is_namespaced, aliases)
