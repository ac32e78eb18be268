"""Tekton's parts, quotas and Pod Security can keep runs from starting."""

from typing import Any

import pytest

from workflowexecution.plugin.doctor import admission, cluster
from workflowexecution.plugin.doctor.check import State

NO_LIMITS = "pods with a container without limits.cpu, requests.memory: Tekton's own containers"


@pytest.mark.parametrize(
    ("ready", "replicas", "state", "said"),
    [
        (2, 2, State.OK, "2 pods ready"),
        (0, 1, State.ERROR, "runs wait"),
        (None, 1, State.ERROR, "no ready"),
        (None, 0, State.ERROR, "no ready"),
    ],
)
def test_a_part_of_tekton_without_a_ready_pod_is_an_error(
    ready: int | None, replicas: int, state: State, said: str
) -> None:
    status = {} if ready is None else {"readyReplicas": ready}
    name = "tekton-pipelines-remote-resolvers"
    meta = {"namespace": "resolvers", "name": name}
    found = cluster.part_finding(
        {"metadata": meta, "spec": {"replicas": replicas}, "status": status}
    )
    assert (found.check, found.state) == ("resolver", state)
    assert said in found.detail
    assert f"resolvers/{name}" in found.detail
    verb = "scale" if replicas == 0 else "describe"
    fix = f"kubectl {verb} -n resolvers deploy/{name}"
    assert found.fix.startswith(fix) if state is State.ERROR else found.fix == ""


def quota(hard: dict[str, str], used: dict[str, str] | None, **spec: Any) -> dict[str, Any]:
    status = {} if used is None else {"hard": hard, "used": used}
    meta = {"namespace": "runs", "name": "q"}
    return {"metadata": meta, "spec": {"hard": hard, **spec}, "status": status}


@pytest.mark.parametrize(
    ("item", "told"),
    [
        pytest.param(quota({"pods": "5"}, {"pods": "4"}), [], id="room"),
        pytest.param(
            quota({"pods": "5", "secrets": "1"}, {"pods": "5", "secrets": "1"}),
            [(State.ERROR, "has no room left: pods 5 of 5")],
            id="pods",
        ),
        pytest.param(
            quota(
                {"count/pipelineruns.tekton.dev": "1k"}, {"count/pipelineruns.tekton.dev": "1000"}
            ),
            [(State.ERROR, "no room left: count/pipelineruns.tekton.dev 1000 of 1k")],
            id="runs",
        ),
        pytest.param(
            quota({"requests.memory": "1Gi"}, {"requests.memory": "1024Mi"}),
            [(State.ERROR, "no room left: requests.memory 1024Mi of 1Gi")],
            id="memory",
        ),
        pytest.param(
            quota({"pods": "0"}, {"pods": "0"}, scopes=["BestEffort"]),
            [(State.WARNING, "no room left: pods 0 of 0")],
            id="only-some-pods",
        ),
        pytest.param(
            quota({"limits.cpu": "5"}, {"limits.cpu": "1"}, scopes=["Terminating"]),
            [],
            id="only-some-pods-and-no-defaults",
        ),
        pytest.param(
            quota({"pods": "5"}, None), [(State.ERROR, "is not counted yet")], id="not-counted"
        ),
        pytest.param(
            quota(
                {"limits.cpu": "5", "requests.memory": "1Gi"},
                dict.fromkeys(("limits.cpu", "requests.memory"), "0"),
            ),
            [(State.WARNING, NO_LIMITS)],
            id="no-defaults",
        ),
    ],
)
def test_a_quota_is_judged_by_what_is_left(
    item: dict[str, Any], told: list[tuple[State, str]]
) -> None:
    found = admission.quota_findings(item, [])
    assert [one.state for one in found] == [state for state, _ in told]
    for one, (_, said) in zip(found, told, strict=True):
        assert said in one.detail
        assert one.detail.startswith("ResourceQuota runs/q ")


def test_defaults_of_a_limit_range_meet_a_quota() -> None:
    used = {"limits.cpu": "0", "memory": "0"}
    limit = {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"memory": "1Mi"}}
    item = quota({"limits.cpu": "5", "memory": "1Gi"}, used)
    assert admission.quota_findings(item, [{"spec": {"limits": [limit]}}]) == []
    (found,) = admission.quota_findings(item, [{"spec": {"limits": [{**limit, "type": "Pod"}]}}])
    assert found.state is State.WARNING


@pytest.mark.parametrize(
    ("flags", "state", "said"),
    [
        ({"data": {"set-security-context": "true"}}, State.OK, "is on"),
        ({"data": {"set-security-context": "false"}}, State.ERROR, "no pod can be created"),
        ({}, State.ERROR, "no pod can be created"),
        (None, State.UNKNOWN, "there is no ConfigMap tekton-pipelines/feature-flags"),
    ],
)
def test_what_is_restricted_needs_tekton_to_meet_it(
    flags: dict[str, Any] | None, state: State, said: str
) -> None:
    found = admission.restricted_finding("runs", flags)
    assert (found.state, said in found.detail) == (state, True)
    assert bool(found.fix) is (state is not State.OK)
