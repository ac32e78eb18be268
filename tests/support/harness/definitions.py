"""Definitions as an earlier version had them, for objects that were stored before an upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.waiting import eventually
from localcluster.cluster import ApiError, Cluster, Object

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_GROUP = "workflowexecution.kubernaut.ai"
_RULES = "x-kubernetes-validations"


@contextmanager
def without_rules(cluster: Cluster, plural: str, *fields: str, probe: Object) -> Iterator[None]:
    """Take anything in some fields of a spec for the block; as shipped again after it.

    `probe` is an object that is refused as shipped: when it is not, the block begins.
    """
    path = f"{_CRDS}/{plural}.{_GROUP}"
    shipped = cluster.request("GET", path)
    loose = cluster.request("GET", path)
    spec = loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for field in fields:
        _loosen(spec, field.split("."))
    _put(cluster, path, loose)
    try:
        eventually(lambda: _assert_taken(cluster, plural, probe, True))
        yield
    finally:
        _put(cluster, path, shipped)
        eventually(lambda: _assert_taken(cluster, plural, probe, False))


def _loosen(node: dict[str, Any], keys: list[str]) -> None:
    for key in keys:
        node = node["properties"][key]
    node.pop(_RULES)
    if isinstance(node.get("additionalProperties"), dict):
        node["additionalProperties"].pop(_RULES, None)


def _put(cluster: Cluster, path: str, wanted: Object) -> None:
    version = cluster.request("GET", path)["metadata"]["resourceVersion"]
    wanted["metadata"]["resourceVersion"] = version
    cluster.request("PUT", path, wanted, "application/json")


def _assert_taken(cluster: Cluster, plural: str, probe: Object, expected: bool) -> None:
    namespace = probe["metadata"]["namespace"]
    path = f"/apis/{_GROUP}/v1alpha1/namespaces/{namespace}/{plural}?dryRun=All"
    try:
        cluster.request("POST", path, probe)
        is_taken = True
    except ApiError as error:
        is_taken = error.code != 422
    assert is_taken is expected
