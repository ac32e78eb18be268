"""The api tier: what every other test stands on."""

from __future__ import annotations

import json

from localcluster import Cluster, eventually


def test_serves_the_resources_of_tekton_and_ours(api_cluster: Cluster) -> None:
    crds = api_cluster.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    names = {item["metadata"]["name"] for item in crds["items"]}
    assert {"pipelineruns.tekton.dev", "taskruns.tekton.dev"} <= names


def test_namespace_gets_its_service_account_and_root_certificate(
    api_cluster: Cluster, namespace: str
) -> None:
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    certificate = f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt"
    eventually(lambda: api_cluster.exists(certificate) and api_cluster.exists(account))
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = api_cluster.request("POST", f"{account}/token", request)
    assert answer["status"]["token"].count(".") == 2


def test_audit_log_tells_who_asked_for_what(api_cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    api_cluster.request("GET", path)

    def seen() -> bool:
        events = map(json.loads, api_cluster.audit_log.read_text().splitlines())
        return any(event["requestURI"] == path for event in events)

    eventually(seen)
