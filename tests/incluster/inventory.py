"""Everything that is in a cluster, to see what an installation leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from harness.kubectl import kubectl
from localcluster import Cluster

# Written by others, about nodes and components, all the time; Events end by themselves.
PASSING = ("events", "leases", "ipaddresses")


@dataclass(frozen=True)
class Inventory:
    """All objects as `namespace/kind/name`; of none the contents."""

    objects: frozenset[str]

    @classmethod
    def of(cls, cluster: Cluster) -> Inventory:
        """The objects that exist now."""
        kinds = kubectl(cluster, "api-resources", "--verbs=list", "--output=name").stdout.split()
        wanted = [kind for kind in kinds if kind.split(".")[0] not in PASSING]
        columns = "custom-columns=P:.metadata.namespace,K:.kind,N:.metadata.name"
        how = ("--all-namespaces", "--no-headers", f"--output={columns}")
        listed = kubectl(cluster, "get", ",".join(wanted), *how)
        assert listed.returncode == 0, listed.stderr
        return cls(frozenset("/".join(line.split()) for line in listed.stdout.splitlines()))
