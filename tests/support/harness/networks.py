"""Evaluates NetworkPolicies as Kubernetes defines them: policies that select a pod add up."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from localcluster.cluster import Object


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: a pod in a namespace with these labels, or an address."""

    namespace: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod with its labels and named ports, in one of the namespaces of its policies."""

    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]

    @classmethod
    def of(cls, deployment: Object) -> Pod:
        """The pods of a Deployment, which has one container."""
        template = deployment["spec"]["template"]
        (container,) = template["spec"]["containers"]
        ports = {one["name"]: int(one["containerPort"]) for one in container["ports"]}
        labels = template["metadata"]["labels"]
        return cls(deployment["metadata"]["namespace"], labels, ports)

    def lets_in(
        self, policies: Sequence[Object], peer: Peer, port: int, protocol: str = "TCP"
    ) -> bool:
        """Whether this peer may connect to this port."""
        return self._lets(policies, "ingress", "from", peer, (port, protocol))

    def lets_out(
        self, policies: Sequence[Object], peer: Peer, port: int, protocol: str = "TCP"
    ) -> bool:
        """Whether the pod may connect to this port of this peer."""
        return self._lets(policies, "egress", "to", peer, (port, protocol))

    def _lets(
        self, policies: Sequence[Object], way: str, side: str, peer: Peer, port: tuple[int, str]
    ) -> bool:
        specs = [one["spec"] for one in policies if self._is_selected(one, way)]
        rules = [rule for spec in specs for rule in spec.get(way, ())]
        return not specs or any(
            self._has_port(rule.get("ports"), port) and _has_peer(rule.get(side), peer)
            for rule in rules
        )

    def _is_selected(self, policy: Object, way: str) -> bool:
        spec = policy["spec"]
        is_here = policy["metadata"]["namespace"] == self.namespace
        chosen = spec["podSelector"].get("matchLabels", {}).items() <= self.labels.items()
        return is_here and chosen and way.capitalize() in spec["policyTypes"]

    def _has_port(self, ports: Sequence[Object] | None, port: tuple[int, str]) -> bool:
        """Whether a rule is about this port; one without ports is about all of them."""
        return not ports or port in [
            (self.ports.get(one["port"], one["port"]), one.get("protocol", "TCP")) for one in ports
        ]


def _has_peer(peers: Sequence[Object] | None, peer: Peer) -> bool:
    """Whether a rule is about this peer; one without peers is about everybody."""
    return not peers or any(_is_meant(one, peer) for one in peers)


def _is_meant(rule: Object, peer: Peer) -> bool:
    (kind,) = rule
    if kind == "ipBlock":
        block = ipaddress.ip_network(rule[kind]["cidr"])
        return bool(peer.address) and ipaddress.ip_address(peer.address) in block
    (wanted,) = rule["namespaceSelector"].values()
    return bool(wanted.items() <= peer.namespace.items())
