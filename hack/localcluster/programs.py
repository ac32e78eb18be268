"""The programs of a cluster, and the Go module in which each one is pinned."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "programs"


class Tier(enum.StrEnum):
    """The parts of a cluster that run; each tier contains the one before it.

    `kwok` is never asked for: it is `node` where the machine cannot run real containers.
    """

    API = "api"
    TEKTON = "tekton"
    KWOK = "kwok"
    NODE = "node"

    @property
    def rank(self) -> int:
        """Position from the smallest tier (0) to the largest."""
        return list(Tier).index(self)

    def serves(self, wanted: Tier) -> bool:
        """Whether a cluster of this tier gives everything that `wanted` promises."""
        return self.rank >= wanted.rank


@dataclass(frozen=True)
class Program:
    """One program: the Go module (folder under `programs/`) that pins it, and its main package."""

    name: str
    module: str
    package: str


def _family(module: str, prefix: str, *names: str) -> list[Program]:
    return [Program(name, module, f"{prefix}/{name}") for name in names]


def _kubernetes(*names: str) -> list[Program]:
    return _family("kubernetes", "k8s.io/kubernetes/cmd", *names)


TEKTON_MODULE = "github.com/tektoncd/pipeline"
KUBECTL = Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl")
_CONTROL_PLANE = [
    Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3"),
    *_kubernetes("kube-apiserver", "kube-controller-manager"),
    KUBECTL,
]
_TEKTON = [
    Program("registry", "tekton", "github.com/google/go-containerregistry/cmd/registry"),
    *_family("tekton", f"{TEKTON_MODULE}/cmd", "controller", "webhook", "resolvers"),
]
_IN_PODS = _family(
    "tekton", f"{TEKTON_MODULE}/cmd", "entrypoint", "nop", "workingdirinit", "sidecarlogresults"
)
_NODE = [
    *_IN_PODS,
    *_kubernetes("kube-scheduler", "kubelet"),
    *_family(
        "containerd",
        "github.com/containerd/containerd/v2/cmd",
        "containerd",
        "containerd-shim-runc-v2",
    ),
]
_KWOK = [*_kubernetes("kube-scheduler"), *_family("kwok", "sigs.k8s.io/kwok/cmd", "kwok")]

# No part of a cluster: what the manifests and the workflows of .github are checked with.
HELM = Program("helm", "helm", "helm.sh/helm/v3/cmd/helm")
KUBE_SCORE = Program("kube-score", "kubescore", "github.com/zegl/kube-score/cmd/kube-score")
ACTIONLINT = Program("actionlint", "actionlint", "github.com/rhysd/actionlint/cmd/actionlint")
CHECKERS = (HELM, KUBE_SCORE, ACTIONLINT)
# The health of objects as Flux and Argo CD see it; the module holds its main package, too.
HEALTH = Program("health", "health", "localcluster/health")
# Pushes what a release consists of, as its users do.
CRANE = Program("crane", "crane", "github.com/google/go-containerregistry/cmd/crane")
# Installs kubectl's plugins: only the proof that it takes ours needs it.
KREW = Program("krew", "krew", "sigs.k8s.io/krew/cmd/krew")
# Of no tier: only the proof that our bundles are like its own needs it.
TKN = Program("tkn", "tkn", "github.com/tektoncd/cli/cmd/tkn")
# Of no tier: what dashboard and rules are tried with.
PROMETHEUS, PROMTOOL = _family(
    "prometheus", "github.com/prometheus/prometheus/cmd", "prometheus", "promtool"
)

IMAGES_OF_TEKTON = tuple(program.name for program in _IN_PODS)


def needed(tier: Tier) -> list[Program]:
    """Every program that a cluster of `tier` runs or puts into its images."""
    tekton = _CONTROL_PLANE + _TEKTON
    return {
        Tier.API: _CONTROL_PLANE,
        Tier.TEKTON: tekton,
        Tier.KWOK: tekton + _KWOK,
        Tier.NODE: tekton + _NODE,
    }[tier]
