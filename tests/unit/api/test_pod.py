"""The settings of pods are read like a pod of Kubernetes, and refused with field and fix."""

import re
from typing import Any

import pytest

from workflowexecution.api.fields import structural
from workflowexecution.api.pod import RunPod, parse_run_pod

WHOLE = {
    "priorityClassName": "system-cluster-critical",
    "tolerations": [
        {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "example.com/zone", "value": "a", "effect": "NoExecute", "tolerationSeconds": 0},
        {"operator": "Exists"},
    ],
    "nodeSelector": {"kubernetes.io/os": "linux", "pool": ""},
    "imagePullSecrets": [{"name": "pull"}, {"name": "pull.more"}],
    "annotations": {"karpenter.sh/do-not-disrupt": "true", "note": "any text: ä/ "},
    "securityContext": {"runAsUser": 0, "runAsNonRoot": False, "seccompProfile": {"type": "X"}},
}


def test_what_is_given_is_what_the_pods_get() -> None:
    pod = parse_run_pod(WHOLE)
    assert pod.annotations == WHOLE["annotations"]
    assert pod.to_template() == {key: WHOLE[key] for key in WHOLE if key != "annotations"}


@pytest.mark.parametrize("raw", [{}, {"tolerations": None}])
def test_nothing_given_is_nothing(raw: dict[str, Any]) -> None:
    assert parse_run_pod(raw).to_template() == {}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"toleration": []}, "toleration: no such field; there are annotations, imagePullSecrets"),
        ({"hostNetwork": True}, "hostNetwork: no such field"),
        ({"priorityClassName": "High"}, "priorityClassName: 'High' is no name of an object"),
        ({"priorityClassName": 7}, "priorityClassName: 7: Input should be a valid string"),
        ({"tolerations": {}}, "tolerations: {}: Input should be a valid list"),
        ({"tolerations": [{"key": "a b"}]}, "tolerations.0.key: 'a b' is no key"),
        (
            {"tolerations": [{"operator": "exists"}]},
            "tolerations.0.operator: 'exists': Input should be 'Exists' or 'Equal'",
        ),
        (
            {"tolerations": [{"key": "a"}, {"value": "b"}]},
            "tolerations.1: operator: must be Exists where no key is given",
        ),
        (
            {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
            "tolerations.0: value: with operator Exists there is none; take it out",
        ),
        (
            {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]},
            "tolerations.0: effect: must be NoExecute where tolerationSeconds are given",
        ),
        ({"tolerations": [{"key": "a", "value": "b/c"}]}, "value: 'b/c' is no value of a taint"),
        ({"tolerations": [{"kee": "a"}]}, "tolerations.0.kee: no such field; correct its name"),
        ({"nodeSelector": {"pool": "a b"}}, "nodeSelector: pool: 'a b' is no value of a label"),
        ({"nodeSelector": {"-pool": "a"}}, "nodeSelector: '-pool' is no key"),
        ({"nodeSelector": {"pool": True}}, "nodeSelector.pool: True: Input should be a valid str"),
        (
            {"imagePullSecrets": ["pull"]},
            "imagePullSecrets.0: 'pull': Input should be a valid dict",
        ),
        ({"imagePullSecrets": [{}]}, "imagePullSecrets.0.name: Field required"),
        ({"imagePullSecrets": [{"name": "A"}]}, "imagePullSecrets.0.name: 'A' is no name"),
        ({"annotations": {"a": 1}}, "annotations.a: 1: Input should be a valid string"),
        ({"annotations": {"kubernaut.ai/x": ""}}, "'kubernaut.ai/x' is a key of the operator"),
        ({"annotations": {"a.tekton.dev/x": ""}}, "'a.tekton.dev/x' is a key of the operator"),
        (
            {"securityContext": {"runAsNonroot": True}},
            "securityContext.runAsNonroot: no such field",
        ),
        ({"securityContext": {"runAsUser": -1}}, "securityContext.runAsUser: -1: Input should be"),
    ],
)
def test_what_kubernetes_would_refuse_or_drop_is_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_run_pod(raw)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"^priorityClassName: .*; nodeSelector: "):
        parse_run_pod({"priorityClassName": "A", "nodeSelector": {"-": "a"}})


def test_it_can_be_a_part_of_a_definition() -> None:
    """Every field has a description, and a type that a structural schema can have."""
    schema = structural(RunPod)
    assert schema["properties"].keys() == WHOLE.keys()
    for part in (schema, schema["properties"]["tolerations"]["items"]):
        for name, field in part["properties"].items():
            assert field["description"].endswith("."), name
            assert field["type"] in ("string", "array", "object", "integer", "boolean"), name
