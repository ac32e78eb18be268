"""Which claims decide on whether an installation serves a namespace; pure.

A claim is a namespace's: it names the execution namespace of the one installation that serves it.
All operators of an installation, replicas and shards, share the execution namespace, and so the
claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# Every cluster has it and nobody can delete it: there those meet who serve all namespaces.
EVERYWHERE: Final = "kube-system"


@dataclass(frozen=True, slots=True)
class Other:
    """Another installation, by its execution namespace, and the namespace that it has claimed."""

    namespace: str
    execution_namespace: str

    def __str__(self) -> str:
        """Say it to people."""
        what = "all namespaces" if self.namespace == EVERYWHERE else f"namespace {self.namespace}"
        return f"{what}: claimed by the installation whose runs are in {self.execution_namespace}"


def asked_for(watch_namespaces: Sequence[str]) -> tuple[str, ...]:
    """The namespaces whose claims an installation takes when it starts."""
    return tuple(watch_namespaces) or (EVERYWHERE,)


def deciding_on(namespace: str, watch_namespaces: Sequence[str]) -> tuple[str, ...]:
    """The namespaces whose claims one must have to serve executions of a namespace."""
    return (namespace,) if watch_namespaces else (EVERYWHERE, namespace)


def others_among(
    namespaces: Iterable[str], holders: Mapping[str, str], execution_namespace: str
) -> list[Other]:
    """Who else has claimed some namespaces; ``holders`` are execution namespaces, by namespace."""
    return [
        Other(name, holder)
        for name in namespaces
        if (holder := holders.get(name, execution_namespace)) != execution_namespace
    ]
