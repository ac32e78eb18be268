"""Reads the cluster for people: lists of executions, runs, TaskRuns and pods, as facts."""

from collections.abc import Sequence

from workflowexecution.control.cluster import KubeCluster, Raw
from workflowexecution.kube.client import ApiClient


async def list_executions(client: ApiClient, namespaces: Sequence[str]) -> list[Raw]:
    """Every execution of some namespaces; of all, where none is named."""
    cluster = KubeCluster(client, execution_namespace="", watch_namespaces=tuple(namespaces))
    return [item async for item in cluster.list_executions()]
