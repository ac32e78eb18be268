"""No planted secret gets into a support bundle, in none of the forms in which it may be quoted."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from workflowexecution.plugin.support import shapes
from workflowexecution.plugin.support.redaction import MASKED, Keep, Redactor

SECRET = "hunter2-secret"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
META: dict[str, Any] = {
    "name": "one",
    "namespace": "team-a",
    "annotations": {LAST_APPLIED: SECRET, "example.com/token": SECRET, "tekton.dev/x": "kept"},
    "labels": {"example.com/owner": SECRET, "kubernaut.ai/workflow-id": "restart"},
    "managedFields": [{"manager": SECRET}],
}
CONTAINER = {
    "name": "step-one",
    "image": "r.example/x:1",
    "env": [{"name": "PASSWORD", "value": SECRET}],
    "args": [SECRET],
    "command": [SECRET],
}
CONDITIONS = [{"type": "Succeeded", "status": "False", "reason": "Failed", "message": SECRET}]
PLANTED: dict[str, tuple[Any, dict[str, Any]]] = {
    "execution": (
        shapes.EXECUTION,
        {
            "metadata": META,
            "spec": {
                "targetResource": "Node/n",
                "parameters": {"PASSWORD": SECRET},
                "rationale": SECRET,
                "unheard": SECRET,
            },
            "status": {
                "phase": "Failed",
                "failureDetails": {"message": SECRET, "naturalLanguageSummary": SECRET},
                "pipelineRunStatus": {"message": SECRET},
                "conditions": CONDITIONS,
            },
        },
    ),
    "run": (
        shapes.RUN,
        {
            "metadata": META,
            "spec": {
                "params": [{"name": "PASSWORD", "value": SECRET}],
                "taskRunTemplate": {"podTemplate": {"env": CONTAINER["env"]}},
                "pipelineSpec": {"tasks": [{"taskSpec": {"steps": [CONTAINER]}}]},
            },
            "status": {
                "conditions": CONDITIONS,
                "pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"script": SECRET}]}}]},
                "results": [{"name": "answer", "value": SECRET}],
                "spanContext": {"x": SECRET},
            },
        },
    ),
    "task run": (
        shapes.TASK_RUN,
        {
            "metadata": META,
            "spec": {"params": [{"name": "PASSWORD", "value": SECRET}]},
            "status": {
                "taskSpec": {"steps": [CONTAINER]},
                "steps": [{"name": "one", "terminated": {"exitCode": 1, "message": SECRET}}],
                "results": [{"name": "answer", "value": SECRET}],
            },
        },
    ),
    "pod": (
        shapes.POD,
        {
            "metadata": META,
            "spec": {"containers": [CONTAINER], "volumes": [{"secret": SECRET}]},
            "status": {
                "message": SECRET,
                "containerStatuses": [{"state": {"terminated": {"message": SECRET}}}],
            },
        },
    ),
    "deployment": (
        shapes.DEPLOYMENT,
        {"metadata": META, "spec": {"template": {"spec": {"containers": [CONTAINER]}}}},
    ),
    "hold": (shapes.HOLD, {"metadata": META, "spec": {"reason": SECRET, "heldBy": "admin"}}),
    "event": (shapes.EVENT, {"metadata": META, "message": SECRET, "note": SECRET}),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_no_field_has_it(kind: str) -> None:
    shape, planted = PLANTED[kind]
    kept = Redactor().shaped(planted, shape)
    assert SECRET not in json.dumps(kept)
    assert kept["metadata"]["name"] == "one"


@pytest.mark.parametrize("kind", PLANTED)
def test_with_messages_a_parameter_is_masked_in_them(kind: str) -> None:
    shape, planted = PLANTED[kind]
    redactor = Redactor(with_messages=True)
    redactor.learn({"PASSWORD": SECRET})
    kept = redactor.document(redactor.shaped(planted, shape))
    assert SECRET not in json.dumps(kept)


def test_messages_are_kept_where_they_are_asked_for() -> None:
    said = [{"type": "Succeeded", "message": f"no space for {SECRET} on node"}]
    redactor = Redactor(with_messages=True)
    redactor.learn(SECRET)
    kept = redactor.document(redactor.shaped({"status": {"conditions": said}}, shapes.RUN))
    assert kept["status"]["conditions"][0]["message"] == f"no space for {MASKED} on node"


@pytest.mark.parametrize(
    "quoted",
    [
        SECRET,
        f"x{SECRET}y",
        json.dumps({"a": 'quote"d\nvalue of two lines'}),
        "value of two lines",
        b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_value_is_masked_however_it_is_quoted(quoted: str) -> None:
    redactor = Redactor()
    redactor.learn({"PASSWORD": SECRET, "TEXT": ['quote"d\nvalue of two lines']})
    said = redactor.text(f"event: {quoted} at the end")
    assert MASKED in said
    assert not [word for word in (SECRET, "two lines") if word in said]
    assert said.startswith("event: ")


@pytest.mark.parametrize(
    "said",
    [
        "Authorization: Bearer abcdefgh.SECRETSECRET",
        "eyJhbGciOiJSUzI1NiJ9.SECRETSECRET.SECRETSECRET",
        "http://user:SECRETSECRET@proxy.example:3128",
        "https://sink.example/?token=SECRETSECRET&x=1",
        '{"password": "SECRETSECRET"}',
        "AWS_SECRET_ACCESS_KEY=SECRETSECRET",
        "-----BEGIN RSA PRIVATE KEY-----\nSECRETSECRET\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nSECRETSECRET",
    ],
)
def test_what_looks_like_a_secret_is_masked(said: str) -> None:
    shown = Redactor().text(f"before {said}\nafter")
    assert "SECRETSECRET" not in shown
    assert shown.startswith("before ")


def test_a_name_is_no_secret_because_a_parameter_has_it_too() -> None:
    redactor = Redactor()
    redactor.learn({"NAMESPACE": "payment", "SHORT": "3"})
    redactor.spare(["payment"])
    said = "3 pods of payment"
    assert redactor.text(said) == said


@pytest.mark.parametrize("odd", ["text", 7, ["text"], {"a": {"b": "c"}}, None])
def test_a_field_of_another_type_is_masked(odd: Any) -> None:
    for shape in (Keep.KEYS, Keep.KNOWN, {"x": {"y": Keep.WHOLE}}):
        shown = json.dumps(Redactor().shaped({"x": odd}, {"x": shape}))
        assert not [word for word in ("text", "7", '"c"') if word in shown]
