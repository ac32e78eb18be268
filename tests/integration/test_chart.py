"""The Helm chart and the kustomizations are the same installation."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from harness.chart import CHART, KUBERNETES, NAMESPACE, Key, by_name, rendered, template
from localcluster import checkers
from localcluster.overlays import MANIFESTS, overlay
from localcluster.programs import HELM
from workflowexecution.core import names
from workflowexecution.core.names import Shard, parse_shard
from workflowexecution.settings import Settings

KEPT = "helm.sh/resource-policy"
PROFILES = sorted(path.stem for path in (CHART / "profiles").glob("*.yaml"))
COMPONENTS = sorted(path.name for path in (MANIFESTS / "components").glob("*"))
LISTS = "policies.{}.enabled=true"
# What gives the chart the same as a component; the two others have tests of their own below.
VALUES = {
    "execution-limits": "executionNamespace.limits=true",
    "execution-retention": "settings.WFE_EXECUTION_RETENTION=720h",
    "monitoring": "monitoring.enabled=true",
    "network-egress": "networkEgress=true",
    "policy-bundle-sources": LISTS.format("bundleSources"),
    "policy-operator-writes": LISTS.format("operatorWrites"),
    "policy-service-accounts": LISTS.format("serviceAccounts"),
    "policy-stop-and-guard": LISTS.format("stopAndGuard"),
    "policy-target-kinds": LISTS.format("targetKinds"),
    "policy-target-namespaces": LISTS.format("targetNamespaces"),
    "roles-for-editors": "rolesForEditors=true",
    "runner-cluster-wide": "runnerClusterWide=true",
    "status-page": "statusPage=true",
}
OF_THEIR_OWN = {
    "other-namespaces": "the release's namespace, and executionNamespace.name",
    "shards": "the chart has Deployments for them, too, and Leases for as many as there are",
}
# The component gives the right, the setting is a patch of whoever uses it.
WITH_IT = {
    "execution-retention": {
        "target": {"kind": "Deployment", "name": "workflowexecution-controller"},
        "patch": json.dumps(
            [
                {
                    "op": "add",
                    "path": "/spec/template/spec/containers/0/env/-",
                    "value": {"name": "WFE_EXECUTION_RETENTION", "value": "720h"},
                }
            ]
        ),
    }
}


def test_as_it_is_it_equals_the_manifests() -> None:
    assert _rendered() == _kustomized(".")


def test_every_overlay_has_a_profile() -> None:
    assert sorted(path.name for path in MANIFESTS.glob("overlays/*")) == PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_equals_the_overlay_of_its_name(profile: str) -> None:
    values = ("--values", str(CHART / f"profiles/{profile}.yaml"))
    # Where Roles are enough, the definition and the namespaces are an administrator's.
    confined = profile == "single-namespace"
    spaces = f"overlays/{profile}/namespaces"
    if not (MANIFESTS / spaces).exists():
        spaces = "" if confined else "namespaces"

    made = _rendered(*values)

    assert made == _kustomized(f"overlays/{profile}", spaces)


def test_shards_are_told_apart_and_hold_the_leases_that_they_ask_for() -> None:
    made = _rendered("--set=shards=3")
    role = made["Role", NAMESPACE, "workflowexecution-controller-leader"]
    deployments = [item for (kind, _, _), item in made.items() if kind == "Deployment"]

    assert role["rules"][1]["resourceNames"] == [
        names.lease_name(parse_shard(_env(item)["WFE_SHARD"])) for item in deployments
    ]
    assert len({str(item["spec"]["selector"]) for item in deployments}) == 3
    for item in deployments:
        chosen = item["spec"]["selector"]["matchLabels"]
        assert chosen == item["spec"]["template"]["metadata"]["labels"]


def test_every_component_has_its_value() -> None:
    assert sorted([*VALUES, *OF_THEIR_OWN]) == COMPONENTS


@pytest.mark.parametrize("name", VALUES)
def test_a_value_equals_the_component_of_its_name(name: str) -> None:
    patches = [WITH_IT[name]] if name in WITH_IT else []
    with overlay(resources=["."], components=[name], patches=patches) as folder:
        wanted = _kustomized(str(folder))

    assert _rendered(f"--set={VALUES[name]}") == wanted


def test_what_the_pods_of_runs_have_is_given_to_the_operator_as_it_takes_it() -> None:
    given = {"tolerations": [{"key": "a", "operator": "Exists"}], "annotations": {"b": "true"}}
    made = _rendered(f"--set-json=runPod={json.dumps(given)}")
    deployment = made["Deployment", NAMESPACE, "workflowexecution-controller"]
    text = _env(deployment)["WFE_RUN_POD"]
    assert Settings.model_validate({"run_pod": text}).run_pod == given


def test_addresses_of_the_api_server_are_named_as_the_component_shows() -> None:
    patch = [
        {
            "op": "add",
            "path": "/spec/egress/0/to",
            "value": [{"ipBlock": {"cidr": cidr}} for cidr in ("192.0.2.1/32", "2001:db8::1/128")],
        }
    ]
    target = {"kind": "NetworkPolicy", "name": "workflowexecution-controller"}
    patches = [{"target": target, "patch": json.dumps(patch)}]
    with overlay(resources=["."], components=["network-egress"], patches=patches) as folder:
        wanted = _kustomized(str(folder))
    values = "--set=networkEgress=true,apiServerAddresses={192.0.2.1/32,2001:db8::1/128}"

    assert _rendered(values) == wanted


def test_the_runner_is_bound_cluster_wide_only_where_there_is_a_cluster_role() -> None:
    values = ("--set=runnerClusterWide=true", "--set=singleNamespace=true")
    done = template(*values)

    assert done.returncode != 0
    assert "runnerClusterWide and singleNamespace exclude each other" in done.stderr


def test_the_component_for_shards_names_the_leases_of_up_to_four() -> None:
    with overlay(resources=["."], components=["shards"]) as folder:
        made = by_name(checkers.kustomized(folder))

    shards = [Shard(number, of) for of in range(1, 5) for number in range(1, of + 1)]
    role = made["Role", NAMESPACE, "workflowexecution-controller-leader"]
    assert role["rules"][1]["resourceNames"] == [names.lease_name(one) for one in shards]


def test_lists_of_policies_are_written_as_cel() -> None:
    lists = "policies.targetNamespaces.lists"
    made = _rendered(
        f"--values={CHART}/profiles/restricted.yaml",
        "--set=policies.bundleSources.registries={a.example,b.example/c}",
        f"--set-json={lists}=" + '{"remediation": ["*"], "team-a": ["payment", "Node/*"]}',
    )

    kind = "ValidatingAdmissionPolicy"
    sources = made[kind, "", "workflowexecution-bundle-sources"]["spec"]["variables"]
    assert sources[0]["expression"] == "['a.example', 'b.example/c']"
    targets = made[kind, "", "workflowexecution-target-namespaces"]["spec"]["variables"]
    assert targets[0]["expression"] == "{'remediation': ['*'], 'team-a': ['payment', 'Node/*']}"


def test_the_profile_turns_on_every_policy_that_there_is() -> None:
    there = yaml.safe_load((CHART / "values.yaml").read_text())["policies"]
    chosen = yaml.safe_load((CHART / "profiles/restricted.yaml").read_text())["policies"]
    assert {name for name, policy in chosen.items() if policy["enabled"]} == set(there)


def test_namespaces_are_named_in_one_place_each() -> None:
    values = ["--namespace=here", "--set=executionNamespace.name=there"]
    values += [f"--set={value}" for value in VALUES.values()]
    done = template(*values)

    assert done.returncode == 0, done.stderr
    assert "kubernaut-system" not in done.stdout
    assert "kubernaut-workflows" not in done.stdout
    assert "namespace: there" in done.stdout


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("replicas=0", "/replicas"),
        ("image.digest=latest", "/image/digest"),
        ("settings.COOLDOWN=5m", "COOLDOWN"),
        ("spread=Always", "/spread"),
        ("replica=3", "replica"),
        ("shards=0", "/shards"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("image.repository=registry.example/operator:1", "/image/repository"),
        ("imagePullSecrets[0].key=x", "/imagePullSecrets/0"),
        ("monitoring.intervall=1m", "/monitoring"),
        ("serviceAccount.create=maybe", "/serviceAccount/create"),
        ("runbookUrl=observe.md", "/runbookUrl"),
        ("fullnameOverride=Operator", "/fullnameOverride"),
        ("apiServerAddresses={kubernetes.default}", "/apiServerAddresses/0"),
        ("policies.bundleSources.registries={it's}", "/policies/bundleSources/registries/0"),
        ("policies.targetNamespaces.lists.a={b'}", "/policies/targetNamespaces/lists/a/0"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(value: str, said: str) -> None:
    done = template("--set", value)

    assert done.returncode != 0
    assert said in done.stderr


def test_helm_finds_nothing_wrong_with_it() -> None:
    done = checkers.run(HELM, "lint", "--strict", str(CHART), *KUBERNETES)

    assert done.returncode == 0, done.stdout + done.stderr


def _rendered(*values: str) -> dict[Key, Any]:
    return {key: _plain(item) for key, item in rendered(*values).items()}


def _kustomized(folder: str, spaces: str = "namespaces") -> dict[Key, Any]:
    """The output of kustomize; of the namespaces, if any, only the one that the chart creates."""
    created = [
        item
        for item in (checkers.kustomized(MANIFESTS / spaces) if spaces else [])
        if item["metadata"]["name"] != NAMESPACE
    ]
    made = by_name([*created, *checkers.kustomized(MANIFESTS / folder)])
    return {key: _plain(item) for key, item in made.items()}


def _env(deployment: Any) -> dict[str, str]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value", "") for one in container["env"]}


def _plain(item: Any) -> Any:
    """An object without what makes no difference: the order of variables, and Helm's own."""
    meta = item["metadata"]
    meta.get("annotations", {}).pop(KEPT, None)
    if not meta.get("annotations"):
        meta.pop("annotations", None)
    if item["kind"] == "CustomResourceDefinition":
        meta.pop("labels", None)
    for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        container["env"] = sorted(container["env"], key=lambda one: str(one["name"]))
    return item
