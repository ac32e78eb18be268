"""Put Kubernetes objects into a cluster and wait until they work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from localcluster.cluster import APPLY, ApiError, Cluster, Object
from localcluster.errors import ClusterError

FIELD_MANAGER = "localcluster"
CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "ValidatingWebhookConfiguration",
}


def read(path: Path) -> list[Object]:
    """All objects of one YAML file."""
    return [item for item in yaml.load_all(path.read_text(), yaml.CSafeLoader) if item]


def read_folder(folder: Path) -> list[Object]:
    """All objects of the YAML files directly in `folder`; none where there is no such folder."""
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"]
    return [item for path in files for item in read(path)]


def path_of(item: Object) -> str:
    """Path of an object in the API; kinds are those whose plural just adds an s."""
    group = item["apiVersion"]
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    meta = item["metadata"]
    plural = f"{item['kind'].lower()}s"
    if item["kind"] in CLUSTER_SCOPED:
        return f"{root}/{plural}/{meta['name']}"
    return f"{root}/namespaces/{meta['namespace']}/{plural}/{meta['name']}"


def apply(cluster: Cluster, item: Object) -> None:
    """Create or change one object by server-side apply."""
    query = f"?fieldManager={FIELD_MANAGER}&force=true"
    cluster.request("PATCH", path_of(item) + query, item, APPLY)


async def apply_all(cluster: Cluster, items: Iterable[Object]) -> None:
    """Apply objects that do not need each other, several at a time."""
    await asyncio.gather(*(asyncio.to_thread(apply, cluster, item) for item in items))


async def until(what: str, holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll `holds`, in a thread of its own, until it is true.

    An unreachable or refusing API server counts as false. Raises ClusterError at the deadline.
    """
    deadline = time.monotonic() + seconds
    reason = ""
    while time.monotonic() < deadline:
        try:
            if await asyncio.to_thread(holds):
                return
        except (ApiError, OSError) as error:
            reason = str(error)
        await asyncio.sleep(0.1)
    raise ClusterError(f"{what}: not seen within {seconds:.0f} s", detail=reason)


async def until_established(cluster: Cluster, crd: Object) -> None:
    """Wait until the API server serves a custom resource definition, its first list included.

    The first request makes the storage of a kind, and is answered with 429 until that is there.
    """
    spec = crd["spec"]
    version = next(item["name"] for item in spec["versions"] if item["served"])
    listed = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}?limit=1"

    def established() -> bool:
        status = cluster.request("GET", path_of(crd)).get("status", {})
        return any(
            condition["type"] == "Established" and condition["status"] == "True"
            for condition in status.get("conditions") or []
        )

    def is_listed() -> bool:
        try:
            cluster.request("GET", listed)
        except ApiError:
            return False
        return True

    await until(f"{crd['metadata']['name']} established", established)
    await until(f"{crd['metadata']['name']} listed", is_listed)
