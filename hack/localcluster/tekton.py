"""Tekton outside a cluster: its manifests made fit for that, its processes, their environment."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster import objects, ports
from localcluster.cluster import Cluster, Object
from localcluster.services import Service

NAMESPACE = "tekton-pipelines"
RESOLVERS_NAMESPACE = "tekton-pipelines-resolvers"
WEBHOOK_SERVICE = "tekton-pipelines-webhook"

# Programs that run here as processes need no Deployment, Service or autoscaler.
NOT_APPLIED = {"Deployment", "Service", "HorizontalPodAutoscaler"}

# Tekton's own pods must be welcome in a namespace with the `restricted` pod security standard.
FEATURES = {"set-security-context": "true"}

CONFIG_MAPS = {
    "CONFIG_DEFAULTS_NAME": "config-defaults",
    "CONFIG_LOGGING_NAME": "config-logging",
    "CONFIG_OBSERVABILITY_NAME": "config-observability",
    "CONFIG_FEATURE_FLAGS_NAME": "feature-flags",
    "CONFIG_SPIRE": "config-spire",
}


def crds(config: Path, webhook_port: int | None = None) -> list[Object]:
    """Tekton's custom resource definitions.

    They convert by the webhook at `webhook_port`, or not at all where there is none.
    """
    found = objects.read_folder(config / "300-crds")
    for crd in found:
        conversion = crd["spec"].get("conversion", {})
        if webhook_port is None:
            crd["spec"]["conversion"] = {"strategy": "None"}
        elif "webhook" in conversion:
            conversion["webhook"]["clientConfig"]["service"]["port"] = webhook_port
    return found


def namespaces(config: Path) -> list[Object]:
    """The namespaces that everything else goes into."""
    return [
        *objects.read_folder(config / "100-namespace"),
        *objects.read(config / "resolvers/100-namespace.yaml"),
    ]


def settings(config: Path, webhook_port: int) -> list[Object]:
    """Accounts, permissions, config maps and webhook configurations, in any order."""
    found = objects.read_folder(config) + objects.read_folder(config / "resolvers")
    wanted = [item for item in found if item["kind"] not in {*NOT_APPLIED, "Namespace"}]
    for item in wanted:
        for webhook in item.get("webhooks", []):
            webhook["clientConfig"]["service"]["port"] = webhook_port
        if item["metadata"]["name"] == "feature-flags":
            item["data"].update(FEATURES)
    return [*wanted, _webhook_service()]


@dataclass(frozen=True)
class Tekton:
    """The processes of one cluster's Tekton."""

    cluster: Cluster
    webhook_port: int
    kubeconfig_of: Callable[[str], Path]

    def services(self, images: Mapping[str, str]) -> list[Service]:
        """Controller, webhook and resolvers, startable at the same time."""
        flags = [f"-{name}={reference}" for name, reference in images.items()]
        controller = [*flags, "-disable-ha=true", "-threads-per-controller=16"]
        return [
            self._service("controller", NAMESPACE, controller, []),
            self._webhook(),
            self._service("resolvers", RESOLVERS_NAMESPACE, [], [self._resolves_bundles]),
        ]

    def _webhook(self) -> Service:
        environment = {
            "WEBHOOK_PORT": str(self.webhook_port),
            "WEBHOOK_ADMISSION_CONTROLLER_NAME": "webhook.pipeline.tekton.dev",
            "WEBHOOK_SERVICE_NAME": WEBHOOK_SERVICE,
            "WEBHOOK_SECRET_NAME": "webhook-certs",
        }
        ready = [lambda: ports.accepts(self.webhook_port), self._admits]
        return self._service("webhook", NAMESPACE, [], ready, environment)

    def _service(
        self,
        name: str,
        namespace: str,
        flags: Iterable[str],
        conditions: Iterable[Callable[[], bool]],
        environment: Mapping[str, str] | None = None,
    ) -> Service:
        probes, metrics, profiling = ports.free(3)
        command = [
            self.cluster.programs[name],
            f"-kubeconfig={self.kubeconfig_of(f'tekton-{name}')}",
            "-kube-api-qps=500",
            "-kube-api-burst=1000",
            *flags,
        ]
        variables = {
            "SYSTEM_NAMESPACE": namespace,
            "POD_NAME": f"tekton-{name}",
            "KUBERNETES_MIN_VERSION": "v1.28.0",
            "METRICS_DOMAIN": "tekton.dev/pipeline",
            "CONFIG_LEADERELECTION_NAME": f"config-leader-election-{name}",
            "PROBES_PORT": str(probes),
            "METRICS_PROMETHEUS_HOST": "127.0.0.1",
            "METRICS_PROMETHEUS_PORT": str(metrics),
            "PROFILING_PORT": str(profiling),
            **CONFIG_MAPS,
            **(environment or {}),
        }
        if namespace == RESOLVERS_NAMESPACE:
            variables["CONFIG_FEATURE_FLAGS_NAME"] = "resolvers-feature-flags"
        checks = list(conditions) or [lambda: _is_healthy(probes)]
        return Service(f"tekton-{name}", command, variables, lambda: all(ok() for ok in checks))

    def _resolves_bundles(self) -> bool:
        """Whether the bundle resolver leads itself: the resolvers serve no probes."""
        leases = f"/apis/coordination.k8s.io/v1/namespaces/{RESOLVERS_NAMESPACE}/leases"
        name = "controller.tektonresolverframework.bundleresolver.00-of-01"
        return self.cluster.exists(f"{leases}/{name}")

    def _admits(self) -> bool:
        """Whether the API server has a Pipeline checked and completed by the webhook."""
        path = "/apis/tekton.dev/v1/namespaces/default/pipelineruns?dryRun=All"
        run = {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {"name": "probe"},
            "spec": {"pipelineRef": {"name": "probe"}},
        }
        completed = self.cluster.request("POST", path, run)
        return "timeouts" in completed["spec"] or "timeout" in completed["spec"]


def _webhook_service() -> Object:
    """The name by which the API server finds the webhook: this machine, without a proxy."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": WEBHOOK_SERVICE, "namespace": NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


def _is_healthy(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readiness", timeout=2) as answer:
        return bool(answer.status == 200)
