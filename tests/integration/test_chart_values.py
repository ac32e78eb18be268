"""Values that people know from other charts do what they do there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from docgen.chart import COPIES
from harness.chart import (
    CHART,
    KUBERNETES,
    Key,
    container_of,
    only,
    rendered,
    rendered_with,
)
from localcluster import checkers
from localcluster.cluster import Object
from localcluster.programs import HELM

OWN, ACCOUNT = "workflowexecution-controller", "ServiceAccount"
DIGEST = f"sha256:{'a' * 64}"
REQUEST: Object = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
SPREAD = {"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
PROXY = {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}
CERTIFICATES = {"name": "certificates", "configMap": {"name": "ca"}}
MOUNT = {"name": "certificates", "mountPath": "/etc/ssl/more", "readOnly": True}
NAMED = [{"name": "mine"}]
# Values, a place, and what is there; None where nothing is.
OF_THE_POD: list[tuple[Object, str, Any]] = [
    ({"imagePullSecrets": NAMED}, "imagePullSecrets", NAMED),
    ({"imagePullSecrets": ["mine"]}, "imagePullSecrets", NAMED),
    (
        {"global": {"imagePullSecrets": ["all"]}, "imagePullSecrets": ["mine", "all"]},
        "imagePullSecrets",
        [{"name": "all"}, *NAMED],
    ),
    ({}, "imagePullSecrets", None),
    ({"affinity": {"nodeAffinity": REQUEST}}, "affinity", {"nodeAffinity": REQUEST}),
    ({"topologySpreadConstraints": [SPREAD]}, "topologySpreadConstraints", [SPREAD]),
    ({"podSecurityContext": {"fsGroup": 7, "runAsNonRoot": None}}, "securityContext/fsGroup", 7),
    ({"podSecurityContext": {"runAsNonRoot": None}}, "securityContext/runAsNonRoot", None),
    ({"extraVolumes": [CERTIFICATES]}, "volumes", [CERTIFICATES]),
    ({}, "volumes", None),
    ({"priorityClassName": "high"}, "priorityClassName", "high"),
    ({"priorityClass": False, "priorityClassName": "high"}, "priorityClassName", "high"),
    ({"priorityClass": False}, "priorityClassName", None),
    ({"serviceAccount": {"name": "bot"}}, "serviceAccountName", "bot"),
    ({"serviceAccount": {"create": False}}, "serviceAccountName", "default"),
    ({"nodeSelector": {"a": "b"}}, "nodeSelector/a", "b"),
]
OF_THE_CONTAINER: list[tuple[Object, str, Any]] = [
    ({"image": {"pullPolicy": "Always"}}, "imagePullPolicy", "Always"),
    ({}, "imagePullPolicy", None),
    ({"envFrom": [{"secretRef": {"name": "x"}}]}, "envFrom", [{"secretRef": {"name": "x"}}]),
    ({"extraArgs": ["--log-level=debug"]}, "args", ["--log-level=debug"]),
    ({"extraVolumeMounts": [MOUNT]}, "volumeMounts", [MOUNT]),
    ({"securityContext": {"runAsUser": 7}}, "securityContext/runAsUser", 7),
    ({"resources": {"limits": {"memory": "1Gi"}}}, "resources/limits/memory", "1Gi"),
]


@pytest.mark.parametrize(("values", "place", "wanted"), OF_THE_POD)
def test_a_value_is_in_the_pod(tmp_path: Path, values: Object, place: str, wanted: Any) -> None:
    pod = only(rendered_with(tmp_path, values), "Deployment")["spec"]["template"]["spec"]

    assert _at(pod, place) == wanted


@pytest.mark.parametrize(("values", "place", "wanted"), OF_THE_CONTAINER)
def test_a_value_is_in_the_container(
    tmp_path: Path, values: Object, place: str, wanted: Any
) -> None:
    container = container_of(only(rendered_with(tmp_path, values), "Deployment"))

    assert _at(container, place) == wanted


def test_variables_are_added_to_those_of_the_operator(tmp_path: Path) -> None:
    container = container_of(only(rendered_with(tmp_path, {"extraEnv": [PROXY]}), "Deployment"))

    assert PROXY in container["env"]
    assert {"name": "WFE_COOLDOWN", "value": "5m"} in container["env"]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, "workflowexecution-operator:0.0.0"),
        ({"image": {"repository": "reg.example/a/op", "tag": "1"}}, "reg.example/a/op:1"),
        ({"image": {"repository": "reg.example:5000/op", "digest": DIGEST}}, "reg.example:5000/op"),
        ({"image": {"registry": "reg.example/a", "tag": "1"}}, "reg.example/a/"),
        ({"image": {"registry": "mirror", "repository": "reg.example/a/op"}}, "mirror/a/op:"),
        ({"image": {"repository": "team/op"}, "global": {"imageRegistry": "m"}}, "m/team/op:"),
        (
            {"image": {"registry": "other", "repository": "localhost/op"}}
            | {"global": {"imageRegistry": "mirror.example:5000/proxy"}},
            "mirror.example:5000/proxy/op:0.0.0",
        ),
    ],
)
def test_a_mirror_takes_the_place_of_the_registry(
    tmp_path: Path, values: Object, wanted: str
) -> None:
    image = container_of(only(rendered_with(tmp_path, values), "Deployment"))["image"]

    assert image.startswith(wanted)
    if digest := values.get("image", {}).get("digest"):
        assert image == f"{wanted}@{digest}"


@pytest.mark.parametrize("values", [{"fullnameOverride": "other"}, {"nameOverride": "other"}])
def test_another_name_is_that_of_all_own_objects(tmp_path: Path, values: Object) -> None:
    made = rendered_with(tmp_path, values)
    deployment = only(made, "Deployment")

    assert [key for key in made if key[2].startswith(OWN)] == []
    assert {(kind, name) for kind, _, name in made if name.startswith("other")} >= {
        *((kind, "other") for kind in ("Deployment", "Service", "ServiceAccount")),
        *((kind, "other") for kind in ("ClusterRole", "ClusterRoleBinding", "PriorityClass")),
    }
    # The one by which `kubectl wfe doctor` and the dashboard find it.
    assert deployment["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": OWN}
    for item in made.values():
        if item["kind"].endswith("RoleBinding"):
            role = item["roleRef"]
            place = item["metadata"].get("namespace", "") if role["kind"] == "Role" else ""
            assert (role["kind"], place, role["name"]) in made
            assert [subject["name"] for subject in item["subjects"]] == ["other"]


def test_the_rights_are_those_of_the_account_that_is_named(tmp_path: Path) -> None:
    account = {"create": True, "name": "bot", "annotations": {"iam.example/role": "x"}}
    policies = {"operatorWrites": {"enabled": True}}
    values = {"serviceAccount": account, "policies": policies, "statusPage": True}
    made = rendered_with(tmp_path, values)

    bot = next(item for (kind, _, name), item in made.items() if (kind, name) == (ACCOUNT, "bot"))
    assert bot["metadata"]["annotations"] == account["annotations"]
    bindings = [item for (kind, _, _), item in made.items() if kind.endswith("RoleBinding")]
    assert {subject["name"] for item in bindings for subject in item["subjects"]} == {"bot"}
    assert f":{OWN}" not in json.dumps([*made.values()])
    without = rendered_with(tmp_path, {**values, "serviceAccount": {**account, "create": False}})
    assert {*made} - {*without} == {(ACCOUNT, "kubernaut-system", "bot")}


def test_common_labels_are_on_every_object_and_in_no_selector(tmp_path: Path) -> None:
    everything = _everything()
    labels = {"team": "sre", "app.kubernetes.io/name": "taken"}
    made = rendered_with(tmp_path, {**everything, "commonLabels": labels, "podLabels": {"a": "b"}})

    without = [key for key, item in made.items() if item["metadata"].get("labels") is None]
    assert without == []
    assert {item["metadata"]["labels"]["team"] for item in made.values()} == {"sre"}
    pod = only(made, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert pod == {"team": "sre", "a": "b", "app.kubernetes.io/name": OWN}
    assert "team" not in json.dumps(only(made, "Deployment")["spec"]["selector"])
    assert {*made} == {*rendered_with(tmp_path, everything)}


def test_the_pods_have_their_annotations(tmp_path: Path) -> None:
    made = rendered_with(tmp_path, {"podAnnotations": {"sidecar.istio.io/inject": "false"}})

    pod = only(made, "Deployment")["spec"]["template"]["metadata"]
    assert pod["annotations"] == {"sidecar.istio.io/inject": "false"}


def test_the_definitions_are_kept_and_are_those_of_the_code() -> None:
    made = rendered()
    kept = {"helm.sh/resource-policy": "keep"}
    definitions = [path for path in COPIES if path.parent.name == "definitions"]

    assert len(definitions) == len(_definitions(made)) == 3
    for path in definitions:
        wanted = yaml.safe_load(path.read_text())
        item = made["CustomResourceDefinition", "", wanted["metadata"]["name"]]
        assert item["metadata"].pop("annotations") == kept
        assert item == wanted
    gone = _definitions(rendered("--set=crds.keep=false"))
    assert [item["metadata"].get("annotations") for item in gone] == [None] * 3
    assert _definitions(rendered("--set=crds.enabled=false")) == []
    assert _definitions(rendered("--set=singleNamespace=true")) == []


def test_what_the_chart_copies_is_what_it_copies() -> None:
    links = [path for path in CHART.rglob("*") if path.is_symlink()]

    # Flux leaves out links of a Git repository, without a word.
    assert links == []
    for copy, original in COPIES.items():
        assert copy.read_bytes() == original.read_bytes(), "run `make docs`"


def test_monitoring_is_labelled_for_the_prometheus_that_is_there(tmp_path: Path) -> None:
    release = {"release": "kube-prometheus-stack"}
    monitoring = {"enabled": True, "labels": release, "interval": "1m", "scrapeTimeout": "9s"}
    made = rendered_with(tmp_path, {"monitoring": {**monitoring, "namespace": "watch"}})
    monitor, rules = only(made, "ServiceMonitor"), only(made, "PrometheusRule")

    assert monitor["metadata"]["labels"] == rules["metadata"]["labels"] == release
    assert monitor["metadata"]["namespace"] == rules["metadata"]["namespace"] == "watch"
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["kubernaut-system"]}
    assert monitor["spec"]["endpoints"] == [
        {"port": "metrics", "interval": "1m", "scrapeTimeout": "9s"}
    ]
    assert ("ConfigMap", "watch", "workflowexecution-dashboard") in made


def test_parts_of_monitoring_are_left_out(tmp_path: Path) -> None:
    off = {"enabled": True, "rules": False, "dashboard": False}
    more = {*rendered_with(tmp_path, {"monitoring": off})} - {*rendered()}

    assert {kind for kind, _, _ in more} == {"ServiceMonitor"}


def test_monitoring_as_earlier_releases_had_it_is_understood() -> None:
    assert rendered("--set=monitoring=true") == rendered("--set=monitoring.enabled=true")
    assert rendered("--set=monitoring=false") == rendered()


def test_the_alerts_lead_to_a_page_of_ones_own() -> None:
    on, own = "--set=monitoring.enabled=true", "https://wiki.example/runbooks"
    changed, shipped = _runbooks(rendered(on, f"--set=runbookUrl={own}")), _runbooks(rendered(on))

    assert {one.partition("#")[0] for one in changed} == {own}
    assert len(shipped) == len(set(shipped)) > 10
    assert {one.partition("/docs/how-to/observe.md#")[0] for one in shipped} == {
        "https://kubernaut.ai/workflowexecution-operator/source"
    }


def test_a_second_installation_leaves_out_what_the_first_one_has() -> None:
    first = rendered()
    second = rendered(
        "--namespace=second",
        "--set=executionNamespace.name=more-runs,fullnameOverride=second",
        "--set=crds.enabled=false,sharedRoles=false",
    )

    assert {*first} & {*second} == set()


@pytest.mark.parametrize("is_on", [True, False])
def test_an_umbrella_chart_switches_it_on(tmp_path: Path, is_on: bool) -> None:
    mine = {"enabled": is_on, "replicas": 1}
    of_all = {"imageRegistry": "mirror.example", "storageClass": "fast", "region": {"name": "x"}}
    umbrella = _umbrella(tmp_path, {"workflowexecution-operator": mine, "global": of_all})

    made = rendered(chart=umbrella)
    linted = checkers.run(HELM, "lint", "--strict", str(umbrella), *KUBERNETES)

    assert ("ConfigMap", "", "of-the-umbrella") in made
    assert len(made) == 1 + is_on * len(rendered())
    assert (linted.returncode, "[ERROR]" in linted.stdout) == (0, False), linted.stdout
    if is_on:
        image = container_of(only(made, "Deployment"))["image"]
        assert image == "mirror.example/workflowexecution-operator:0.0.0"


def test_every_value_is_in_the_schema_and_the_other_way_around() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    there = set(_paths(values, schema, schema))
    # An empty value stands for all fields that the schema has for it.
    named = {
        path if path in there else path.rpartition("/")[0]
        for path in _paths_of_schema(schema, schema)
    }
    assert sorted(named) == sorted(there)


def _everything() -> Object:
    """Values that turn on all that there is."""
    policies = yaml.safe_load((CHART / "values.yaml").read_text())["policies"]
    return {
        "monitoring": {"enabled": True},
        "statusPage": True,
        "runnerClusterWide": True,
        "executionNamespace": {"limits": True},
        "policies": {name: {"enabled": True} for name in policies},
    }


def _umbrella(folder: Path, values: Object) -> Path:
    """A chart that has ours as a dependency, and named templates of the names that others use."""
    chart = folder / "umbrella"
    (chart / "templates").mkdir(parents=True)
    (chart / "charts").mkdir()
    done = checkers.run(HELM, "package", str(CHART), f"--destination={chart / 'charts'}")
    assert done.returncode == 0, done.stderr
    name = "workflowexecution-operator"
    needed = {"name": name, "version": "0.0.0", "condition": f"{name}.enabled"}
    about = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [needed]}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    (chart / "values.yaml").write_text(yaml.safe_dump(values))
    names = ("image", "labels", "name", "fullname", "parts", "cel.list")
    theirs = "".join(f'{{{{ define "{one}" }}}}theirs{{{{ end }}}}\n' for one in names)
    (chart / "templates/_theirs.tpl").write_text(theirs)
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-the-umbrella"}}
    (chart / "templates/own.yaml").write_text(yaml.safe_dump(own))
    return chart


def _definitions(made: dict[Key, Any]) -> list[Any]:
    return [item for (kind, _, _), item in made.items() if kind == "CustomResourceDefinition"]


def _runbooks(made: dict[Key, Any]) -> list[str]:
    groups = only(made, "PrometheusRule")["spec"]["groups"]
    return [rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]]


def _at(node: Any, place: str) -> Any:
    """The value at `a/b` in an object; None where there is none."""
    for key in place.split("/"):
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _resolved(node: Object, schema: Object) -> Object:
    """A schema, or of several the one that has properties."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return next((one for one in node.get("anyOf", ()) if "properties" in one), node)


def _paths_of_schema(node: Object, schema: Object, path: str = "") -> list[str]:
    properties = _resolved(node, schema).get("properties")
    if properties is None:
        return [path]
    found = [_paths_of_schema(one, schema, f"{path}/{name}") for name, one in properties.items()]
    return [one for several in found for one in several]


def _paths(values: Any, node: Object, schema: Object, path: str = "") -> list[str]:
    """Paths of values, down to what is empty, or the schema says nothing more about."""
    properties = _resolved(node, schema).get("properties")
    if properties is None or values == {}:
        return [path]
    found = [
        _paths(one, properties.get(name, {}), schema, f"{path}/{name}")
        for name, one in values.items()
    ]
    return [one for several in found for one in several]
