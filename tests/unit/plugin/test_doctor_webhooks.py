"""Some webhooks keep runs from being begun while nothing answers for them."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from unit.plugin.scripted import NOT_FOUND, Answer, scripted
from workflowexecution.plugin.doctor import admission, rights, webhooks
from workflowexecution.plugin.doctor.check import Installation, State
from workflowexecution.plugin.doctor.webhook_calls import Match, Places, call_of

RUNS, TEAM = "kubernaut-workflows", "team-a"
INSTALLATION = Installation(
    execution_namespace=RUNS,
    operator_namespace="kubernaut-system",
    runner="kubernaut-workflow-runner",
)
NAME = "kubernetes.io/metadata.name"
# Executions are in one namespace, and runs in another.
PLACES = Places([{NAME: TEAM, "team": "a"}], [{NAME: RUNS, "runs": ""}])


def rule(group: str, *resources: str, **more: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), **more}


def term(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


RUN, POD = rule("tekton.dev", "pipelineruns"), rule("", "pods")
TASK = rule("tekton.dev", "taskruns")
EXECUTION = rule("workflowexecution.kubernaut.ai", "workflowexecutions")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([RUN], Match.YES),
        ([EXECUTION], Match.YES),
        ([rule("workflowexecution.kubernaut.ai", "workflowexecutions/status")], Match.YES),
        ([rule("workflowexecution.kubernaut.ai", "workflowexecutions/*")], Match.YES),
        ([rule("*", "*/status")], Match.YES),
        ([rule("*", "*/*")], Match.YES),
        ([rule("", "*")], Match.YES),
        ([rule("apps", "deployments")], Match.NO),
        ([rule("", "pods/exec", "pods/ephemeralcontainers")], Match.NO),
        ([rule("", "pods", operations=["CONNECT"])], Match.NO),
        ([rule("", "pods", operations=["DELETE"])], Match.YES),
        ([rule("", "pods", scope="Cluster")], Match.NO),
        ([rule("", "pods", scope="Namespaced")], Match.YES),
        ("garbled", Match.NO),
    ],
)
def test_its_rules_say_what_it_is_called_for(rules: Any, expected: Match) -> None:
    assert call_of({"rules": rules}, PLACES) is expected
    assert call_of({"rules": rules, "failurePolicy": "Ignore"}, PLACES) is Match.NO


@pytest.mark.parametrize(("policy", "expected"), [("Exact", Match.NO), ("Equivalent", Match.YES)])
def test_a_version_that_is_not_written_counts_where_it_must_match(
    policy: str, expected: Match
) -> None:
    old = rule("tekton.dev", "pipelineruns", apiVersions=["v1beta1"])
    assert call_of({"rules": [old], "matchPolicy": policy}, PLACES) is expected


@pytest.mark.parametrize(
    ("asked", "selector", "expected"),
    [
        (RUN, {"matchLabels": {NAME: RUNS}}, Match.YES),
        (RUN, {"matchLabels": {NAME: TEAM}}, Match.NO),
        (RUN, {"matchLabels": {"runs": "", "team": "a"}}, Match.NO),
        (EXECUTION, {"matchLabels": {NAME: TEAM}}, Match.YES),
        (EXECUTION, {"matchLabels": {NAME: RUNS}}, Match.NO),
        (POD, term(NAME, "NotIn", "kube-system"), Match.YES),
        (POD, term(NAME, "NotIn", "kube-system", RUNS), Match.NO),
        (POD, term("istio-injection", "In", "enabled"), Match.NO),
        (POD, term("istio-injection", "NotIn", "disabled"), Match.YES),
        (POD, term("runs", "Exists"), Match.YES),
        (POD, term("runs", "DoesNotExist"), Match.NO),
        (POD, term("istio.io/rev", "DoesNotExist"), Match.YES),
        (POD, {}, Match.YES),
    ],
)
def test_the_labels_of_the_namespace_decide(
    asked: dict[str, Any], selector: dict[str, Any], expected: Match
) -> None:
    assert call_of({"rules": [asked], "namespaceSelector": selector}, PLACES) is expected


def test_an_execution_may_be_in_any_namespace() -> None:
    everywhere = replace(PLACES, of_executions=[])
    selector = term(NAME, "NotIn", "kube-system")
    assert call_of({"rules": [EXECUTION]}, everywhere) is Match.YES
    webhook = {"rules": [EXECUTION], "namespaceSelector": selector}
    assert call_of(webhook, everywhere) is Match.MAYBE


@pytest.mark.parametrize(
    ("asked", "selector", "expected"),
    [
        (
            RUN,
            {"matchLabels": {"app.kubernetes.io/managed-by": "workflowexecution-operator"}},
            Match.YES,
        ),
        (RUN, {"matchLabels": {"app.kubernetes.io/managed-by": "helm"}}, Match.NO),
        # Tekton's own value is not always the same.
        (POD, {"matchLabels": {"app.kubernetes.io/managed-by": "helm"}}, Match.MAYBE),
        (RUN, term("kubernaut.ai/workflow-id", "Exists"), Match.YES),
        (TASK, term("tekton.dev/pipelineRun", "DoesNotExist"), Match.NO),
        (POD, term("tekton.dev/taskRun", "NotIn", "one"), Match.MAYBE),
        # A bundle may give its pods labels.
        (POD, {"matchLabels": {"sidecar.istio.io/inject": "true"}}, Match.MAYBE),
        (POD, term("sidecar.istio.io/inject", "NotIn", "false"), Match.YES),
        (EXECUTION, term("team", "Exists"), Match.MAYBE),
    ],
)
def test_the_labels_of_the_object_decide_as_far_as_they_are_known(
    asked: dict[str, Any], selector: dict[str, Any], expected: Match
) -> None:
    assert call_of({"rules": [asked], "objectSelector": selector}, PLACES) is expected


def test_a_condition_may_leave_it_out() -> None:
    webhook = {"rules": [RUN], "matchConditions": [{"name": "c", "expression": "false"}]}
    assert call_of(webhook, PLACES) is Match.MAYBE


SERVICE = {"namespace": "tekton", "name": "hook"}
BY_SERVICE = {"service": SERVICE, "caBundle": "eA=="}
ENDPOINT = {"conditions": {"ready": True}}
UNSEEN = (
    "1 that matter, all answered for, as far as is known: 1 at a URL or an ExternalName, "
    "not looked at"
)
NOBODY = "h of c: nobody answers at Service tekton/hook, so what it checks is refused"


def cluster_with(config: dict[str, Any], endpoints: list[Any], service: str, **more: Any) -> Answer:
    """Serve one webhook, and its Service of this type; none where the type is empty."""
    webhook = {"name": "h", "clientConfig": config, "rules": [RUN], **more}
    lists = {
        "validatingwebhookconfigurations": [{"metadata": {"name": "c"}, "webhooks": [webhook]}],
        "mutatingwebhookconfigurations": [],
        "endpointslices": [{"endpoints": endpoints}],
    }

    def answer(request: web.Request) -> web.Response:
        if request.path == f"/api/v1/namespaces/{RUNS}":
            return web.json_response({"metadata": {"name": RUNS, "labels": {"runs": ""}}})
        if request.path == "/api/v1/namespaces/tekton/services/hook":
            if not service:
                return web.json_response(NOT_FOUND, status=404)
            return web.json_response({"spec": {"type": service}})
        return web.json_response({"metadata": {}, "items": lists[request.path.rpartition("/")[2]]})

    return answer


@pytest.mark.parametrize(
    ("config", "endpoints", "service", "state", "detail"),
    [
        (BY_SERVICE, [ENDPOINT], "ClusterIP", State.OK, "1 that matter, all answered for"),
        (BY_SERVICE, [], "ClusterIP", State.ERROR, NOBODY),
        (BY_SERVICE, [], "", State.ERROR, NOBODY),
        (BY_SERVICE, [], "ExternalName", State.OK, UNSEEN),
        ({"url": "https://h.example"}, [], "", State.OK, UNSEEN),
    ],
)
async def test_a_webhook_without_endpoints_is_missing_only_where_it_needs_them(
    config: dict[str, Any], endpoints: list[Any], service: str, state: State, detail: str
) -> None:
    async with scripted(cluster_with(config, endpoints, service)) as (session, _):
        (found,) = await webhooks.check_webhooks(session, replace(INSTALLATION))
    assert (found.state, found.detail) == (state, detail)


@pytest.mark.parametrize(
    ("more", "state", "detail"),
    [
        ({"namespaceSelector": {"matchLabels": {"runs": ""}}}, State.ERROR, NOBODY),
        (
            {"namespaceSelector": {"matchLabels": {"team": "b"}}},
            State.OK,
            "0 that matter, all answered for",
        ),
        (
            {"objectSelector": {"matchLabels": {"of-a-bundle": "yes"}}},
            State.WARNING,
            f"{NOBODY}; its selectors and conditions may leave out what executions consist of",
        ),
    ],
)
async def test_a_webhook_is_blamed_for_what_it_is_called_for(
    more: dict[str, Any], state: State, detail: str
) -> None:
    async with scripted(cluster_with(BY_SERVICE, [], "ClusterIP", **more)) as (session, _):
        (found,) = await webhooks.check_webhooks(session, replace(INSTALLATION))
    assert (found.state, found.detail) == (state, detail)


async def test_the_execution_namespace_is_read_once_for_all_checks() -> None:
    installation = replace(INSTALLATION)
    selector = {"matchLabels": {"runs": ""}}
    server = cluster_with(BY_SERVICE, [ENDPOINT], "ClusterIP", namespaceSelector=selector)
    async with scripted(server) as (session, asked):
        for check in (
            rights.check_execution_namespace,
            admission.check_pod_security,
            webhooks.check_webhooks,
        ):
            (found,) = await check(session, installation)
            assert found.state is State.OK
    assert [one.path for one in asked].count(f"/api/v1/namespaces/{RUNS}") == 1
