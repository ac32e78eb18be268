"""Where objects are found at the API server: one function each."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from workflowexecution.api import identity

EVENTS: Final = "/apis/events.k8s.io/v1"
TEKTON_INFO: Final = "/api/v1/namespaces/tekton-pipelines/configmaps/pipelines-info"
_EXECUTIONS: Final = f"/apis/{identity.GROUP}/{identity.VERSION}"
_TEKTON: Final = "/apis/tekton.dev/v1"
_TEKTON_BETA: Final = "/apis/tekton.dev/v1beta1"


def execution_paths(namespaces: Sequence[str]) -> list[str]:
    """Where executions are listed and watched: in some namespaces; in all where none is named."""
    prefixes = [f"/namespaces/{quote(name)}" for name in namespaces] or [""]
    return [f"{_EXECUTIONS}{prefix}/{identity.PLURAL}" for prefix in prefixes]


def claim_paths(namespaces: Sequence[str]) -> list[str]:
    """Where claims are listed, watched and created: in some namespaces, or in all."""
    prefixes = [f"/namespaces/{quote(name)}" for name in namespaces] or [""]
    return [f"{_EXECUTIONS}{prefix}/{identity.CLAIM_PLURAL}" for prefix in prefixes]


def runs_path(namespace: str) -> str:
    """Where the runs of a namespace are listed, watched and created."""
    return f"{_TEKTON}/namespaces/{quote(namespace)}/pipelineruns"


def task_runs_path(namespace: str) -> str:
    """Where the TaskRuns of a namespace are listed."""
    return f"{_TEKTON}/namespaces/{quote(namespace)}/taskruns"


def custom_runs_path(namespace: str) -> str:
    """Where the CustomRuns of a namespace are listed; Tekton serves them in no later version."""
    return f"{_TEKTON_BETA}/namespaces/{quote(namespace)}/customruns"


def pods_path(namespace: str) -> str:
    """Where the pods of a namespace are listed."""
    return f"/api/v1/namespaces/{quote(namespace)}/pods"


def events_path(namespace: str) -> str:
    """Where the Events of a namespace are listed by what they are about."""
    return f"/api/v1/namespaces/{quote(namespace)}/events"


def holds_path(namespace: str) -> str:
    """Where the holds of launches into an execution namespace are listed and watched."""
    return f"{_EXECUTIONS}/namespaces/{quote(namespace)}/{identity.HOLD_PLURAL}"


# Names may come from annotations that anybody can write: they must not reach beyond their place.
def run_path(namespace: str, name: str) -> str:
    """Where one run is."""
    return f"{runs_path(namespace)}/{quote(name, safe='')}"


def execution_path(namespace: str, name: str) -> str:
    """Where one execution is."""
    where = f"{_EXECUTIONS}/namespaces/{quote(namespace, safe='')}"
    return f"{where}/{identity.PLURAL}/{quote(name, safe='')}"
