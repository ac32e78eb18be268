"""Settings: read from the environment, validated, and refused with a reason."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from workflowexecution.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WFE_{name.upper()}", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def test_defaults_are_those_of_the_contract() -> None:
    settings = Settings()
    assert settings.execution_namespace == "kubernaut-workflows"
    assert (settings.metrics_port, settings.probes_port) == (9090, 8081)
    assert settings.cooldown == timedelta(minutes=5)
    assert settings.leftover_grace == timedelta(seconds=30)
    assert settings.run_security_context == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert (settings.run_retention, settings.failed_run_retention) == (
        timedelta(days=7),
        timedelta(days=30),
    )
    assert settings.execution_retention == timedelta(0)
    assert (settings.watch_namespaces, settings.allowed_service_accounts) == ([], [])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cooldown", "0s", timedelta(0)),
        ("cooldown", "1h30m", timedelta(minutes=90)),
        ("watch_namespaces", "a, b,,c ", ["a", "b", "c"]),
        ("watch_namespaces", "", []),
        ("allowed_service_accounts", "runner", ["runner"]),
        ("concurrency", "500", 500),
        ("run_security_context", "{}", {}),
        ("run_security_context", '{"runAsNonRoot": true}', {"runAsNonRoot": True}),
        ("run_pod", '{"priorityClassName": "high"}', {"priorityClassName": "high"}),
        ("metrics_port", "0", 0),
        ("log_format", "text", "text"),
    ],
)
def test_the_environment_sets(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: object
) -> None:
    monkeypatch.setenv(f"WFE_{name.upper()}", text)
    assert getattr(Settings(), name) == expected


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("execution_namespace", "Not Valid", "is not a namespace"),
        ("execution_namespace", "", "is not a namespace"),
        ("execution_namespace", "a" * 64, "is not a namespace"),
        ("lease_namespace", "", "is not a namespace"),
        ("watch_namespaces", "a,-b", "'-b' is not a namespace"),
        ("run_security_context", "[", "'[' is not a JSON object; write it like"),
        ("run_security_context", "[1]", "is not a JSON object"),
        ("run_pod", "[", "'[' is not a JSON object; write it like"),
        ("run_pod", '{"tolerations": [{"value": "a"}]}', "tolerations.0: operator: must be Exists"),
        ("run_pod", {"nodeselector": {}}, "nodeselector: no such field; there are annotations"),
        ("cooldown", "5", "is not a duration; write it like 30m"),
        ("cooldown", timedelta(seconds=-1), "must be 0s or longer, e.g. 5m"),
        ("leftover_grace", "0s", "must be longer than zero, e.g. 10m"),
        ("cancel_grace", "0s", "must be longer than zero, e.g. 10m"),
        ("resync_interval", "0s", "must be longer than zero, e.g. 10m"),
        ("concurrency", "0", "greater than or equal to 1"),
        ("concurrency", "501", "less than or equal to 500"),
        ("metrics_port", "65536", "less than or equal to 65535"),
        ("probes_port", "-1", "greater than or equal to 0"),
        ("traces_endpoint", "collector:4317", "is not a URL; write it like http://"),
        ("cloudevents_sink", "https://", "is not a URL; write it like http://"),
        ("log_format", "xml", "'json' or 'text'"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({name: value})
    assert [item["loc"][0] for item in caught.value.errors()] == [name]
    assert said in str(caught.value)
