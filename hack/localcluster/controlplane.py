"""etcd, the API server, the controller manager and the scheduler: their flags and files."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster import certificates, ports
from localcluster.cluster import Cluster, write_kubeconfig
from localcluster.programs import Tier
from localcluster.services import Service

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
NODE_ADDRESS = "10.77.0.1"
HTTPS = 443
# On the loopback of the cluster's own network: pods find the API server there without a proxy.
NAMESPACE_ADDRESSES = [f"{SERVICE_ADDRESS}/32", f"{NODE_ADDRESS}/24"]
COMPONENTS = (
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:node:node",
    "tekton-controller",
    "tekton-webhook",
    "tekton-resolvers",
    "kwok",
)
# What an API server without nodes needs: namespaces that go away, tokens, garbage collection.
FEW_CONTROLLERS = (
    "namespace-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "garbage-collector-controller",
    "clusterrole-aggregation-controller",
    "resourcequota-controller",
)


@dataclass(frozen=True)
class Endpoint:
    """The API server listens at `address`:`port`; `public` is the URL that users get."""

    address: str
    port: int
    public: str

    @property
    def inner(self) -> str:
        """URL for the cluster's own programs."""
        return f"https://127.0.0.1:{self.port}"


class ControlPlane:
    """Writes the files and gives the services of one cluster's control plane."""

    def __init__(
        self, cluster: Cluster, endpoint: Endpoint, server_flags: Sequence[str] = ()
    ) -> None:
        self._cluster = cluster
        self._endpoint = endpoint
        self._server_flags = server_flags
        self._tokens = {user: secrets.token_hex(16) for user in COMPONENTS}
        self._keys = certificates.write(
            cluster.state / "pki",
            ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
            ["127.0.0.1", SERVICE_ADDRESS, NODE_ADDRESS],
        )
        write_kubeconfig(cluster.kubeconfig, endpoint.public, cluster.ca, cluster.token)

    def kubeconfig_of(self, user: str) -> Path:
        """Kubeconfig of one of COMPONENTS, each an administrator under a name of its own."""
        path = self._cluster.state / f"{user.rpartition(':')[2]}.kubeconfig"
        return write_kubeconfig(path, self._endpoint.inner, self._cluster.ca, self._tokens[user])

    def storage_and_server(self) -> list[Service]:
        """Etcd and the API server, to be started together."""
        client, peer = ports.free(2)
        return [self._etcd(client, peer), self._api_server(client)]

    def controller_manager(self) -> Service:
        """The controllers; only the few that work without nodes at tier `api`."""
        chosen = FEW_CONTROLLERS if self._cluster.tier is Tier.API else ("*",)
        command = [
            self._cluster.programs["kube-controller-manager"],
            f"--kubeconfig={self.kubeconfig_of('system:kube-controller-manager')}",
            f"--controllers={','.join(chosen)}",
            f"--root-ca-file={self._keys.authority}",
            f"--service-account-private-key-file={self._keys.token_key}",
            "--secure-port=0",
            "--leader-elect=false",
        ]
        published = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        exists = self._cluster.exists
        return Service(
            "kube-controller-manager",
            command,
            ready=lambda: exists(published) and exists(account),
        )

    def scheduler(self) -> Service:
        """The scheduler."""
        command = [
            self._cluster.programs["kube-scheduler"],
            f"--kubeconfig={self.kubeconfig_of('system:kube-scheduler')}",
            "--secure-port=0",
            "--leader-elect=false",
        ]
        return Service("kube-scheduler", command)

    def _etcd(self, client: int, peer: int) -> Service:
        url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        command = [
            self._cluster.programs["etcd"],
            f"--data-dir={self._cluster.state / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
            "--quota-backend-bytes=2147483648",
            "--log-level=warn",
        ]
        return Service("etcd", command, ready=lambda: ports.accepts(client))

    def _api_server(self, etcd: int) -> Service:
        keys, endpoint = self._keys, self._endpoint
        on_node = self._cluster.tier is Tier.NODE
        command = [
            self._cluster.programs["kube-apiserver"],
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            f"--bind-address={endpoint.address}",
            f"--secure-port={endpoint.port}",
            f"--advertise-address={NODE_ADDRESS if on_node else '127.0.0.1'}",
            f"--endpoint-reconciler-type={'lease' if on_node else 'none'}",
            f"--tls-cert-file={keys.server_certificate}",
            f"--tls-private-key-file={keys.server_key}",
            f"--token-auth-file={self._write_tokens()}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={keys.token_public_key}",
            f"--service-account-signing-key-file={keys.token_key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--audit-policy-file={self._write_audit_policy()}",
            f"--audit-log-path={self._cluster.audit_log}",
            "--audit-log-maxsize=4096",
            "--profiling=false",
            *self._server_flags,
        ]
        return Service("kube-apiserver", command, ready=self._answers)

    def _answers(self) -> bool:
        return bool(self._cluster.request("GET", "/readyz") == "ok")

    def _write_tokens(self) -> Path:
        users = {"admin": self._cluster.token, **self._tokens}
        lines = [f'{token},{user},{user},"system:masters"\n' for user, token in users.items()]
        return _write_secret(self._cluster.state / "tokens.csv", lines)

    def _write_audit_policy(self) -> Path:
        """Everything that users and the operator ask for; of our own programs nothing."""
        ours = ["system:anonymous", *COMPONENTS]
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                {"level": "None", "users": ours, "verbs": ["get", "list", "watch"]},
                {"level": "None", "users": ours, "resources": [{"group": "coordination.k8s.io"}]},
                {"level": "None", "users": ["system:apiserver"]},
                {"level": "None", "nonResourceURLs": ["*"]},
                {"level": "Metadata"},
            ],
        }
        path = self._cluster.state / "audit-policy.json"
        path.write_text(json.dumps(policy))
        return path


def _write_secret(path: Path, lines: Sequence[str]) -> Path:
    path.touch(mode=0o600)
    path.write_text("".join(lines))
    return path
