"""Paths of objects at the API server: one function each."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from workflowexecution.api import identity
from workflowexecution.core import names

EVENTS: Final = "/apis/events.k8s.io/v1"
TEKTON_NAMESPACE: Final = "tekton-pipelines"
_TEKTON_MAPS: Final = f"/api/v1/namespaces/{TEKTON_NAMESPACE}/configmaps"
TEKTON_INFO: Final = f"{_TEKTON_MAPS}/pipelines-info"
TEKTON_FLAGS: Final = f"{_TEKTON_MAPS}/feature-flags"
RESOLVER_FLAGS: Final = (
    f"/api/v1/namespaces/{TEKTON_NAMESPACE}-resolvers/configmaps/resolvers-feature-flags"
)
# Queries for Events, which the API server keeps for an hour: of releases of holds, and of pods that
# were put on a node.
OF_RELEASES: Final = {
    "fieldSelector": f"involvedObject.kind={identity.HOLD_KIND},reason={identity.RELEASED}"
}
OF_SCHEDULING: Final = {"fieldSelector": "involvedObject.kind=Pod,reason=Scheduled"}
_EXECUTIONS: Final = f"/apis/{identity.GROUP}/{identity.VERSION}"
_TEKTON: Final = "/apis/tekton.dev/v1"
_TEKTON_BETA: Final = "/apis/tekton.dev/v1beta1"


def execution_paths(namespaces: Sequence[str]) -> list[str]:
    """The paths of executions in some namespaces; one path for all, where none is named."""
    prefixes = [f"/namespaces/{quote(name)}" for name in namespaces] or [""]
    return [f"{_EXECUTIONS}{prefix}/{identity.PLURAL}" for prefix in prefixes]


def claim_paths(namespaces: Sequence[str]) -> list[str]:
    """The paths of claims in some namespaces; one path for all, where none is named."""
    prefixes = [f"/namespaces/{quote(name)}" for name in namespaces] or [""]
    return [f"{_EXECUTIONS}{prefix}/{identity.CLAIM_PLURAL}" for prefix in prefixes]


def runs_path(namespace: str) -> str:
    """The path of the runs of a namespace."""
    return f"{_TEKTON}/namespaces/{quote(namespace)}/pipelineruns"


def task_runs_path(namespace: str) -> str:
    """The path of the TaskRuns of a namespace."""
    return f"{_TEKTON}/namespaces/{quote(namespace)}/taskruns"


def custom_runs_path(namespace: str) -> str:
    """The path of the CustomRuns of a namespace; Tekton serves only this version of them."""
    return f"{_TEKTON_BETA}/namespaces/{quote(namespace)}/customruns"


def pods_path(namespace: str) -> str:
    """The path of the pods of a namespace."""
    return f"/api/v1/namespaces/{quote(namespace)}/pods"


def events_path(namespace: str) -> str:
    """The path of the Events of a namespace, in the API that can select them by their object."""
    return f"/api/v1/namespaces/{quote(namespace)}/events"


def holds_path(namespace: str) -> str:
    """The path of the holds for launches into an execution namespace."""
    return f"{_EXECUTIONS}/namespaces/{quote(namespace)}/{identity.HOLD_PLURAL}"


def settings_path(namespace: str) -> str:
    """The path of the ConfigMap in which the operators of an execution namespace publish."""
    where = f"/api/v1/namespaces/{quote(namespace, safe='')}"
    return f"{where}/configmaps/{names.SETTINGS_CONFIG_MAP}"


# Any user can write the annotations that names come from: quoting keeps a name in its place.
def run_path(namespace: str, name: str) -> str:
    """The path of one run."""
    return f"{runs_path(namespace)}/{quote(name, safe='')}"


def execution_path(namespace: str, name: str) -> str:
    """The path of one execution."""
    where = f"{_EXECUTIONS}/namespaces/{quote(namespace, safe='')}"
    return f"{where}/{identity.PLURAL}/{quote(name, safe='')}"
