"""A trial of a bundle makes the objects that the operator would make, and names bad input."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflowexecution.bundles.folder import make_bundle, read_bundle
from workflowexecution.bundles.trial import Order, execution_of, objects_of
from workflowexecution.cli import commands
from workflowexecution.cli.bundle import with_whole_values
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.names import KEY_EXECUTION_UID
from workflowexecution.kube.client import OF_SERVER

Output = pytest.CaptureFixture[str]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "set-note"
    make_bundle(made)
    return made


def _objects(folder: Path, target: str = "shop/Deployment/cart", **more: Any) -> dict[str, Any]:
    """The objects of a trial, by path."""
    parameters = {"NOTE": "seen"}
    order = Order(
        bundle=read_bundle(folder),
        target=target,
        parameters=parameters,
        namespace="runs",
        name="try-1",
        **more,
    )
    return dict(objects_of(order, *execution_of(order, NOW)))


def test_the_run_is_that_of_the_operator_with_the_pipeline_in_it(folder: Path) -> None:
    run = list(_objects(folder).values())[-1]

    spec, meta = run["spec"], run["metadata"]
    pipeline = read_bundle(folder).pipeline
    assert pipeline
    assert spec["pipelineSpec"] == pipeline["spec"]
    assert "pipelineRef" not in spec
    assert spec["params"] == [
        {"name": "NOTE", "value": "seen"},
        {"name": "TARGET_RESOURCE", "value": "shop/Deployment/cart"},
    ]
    assert spec["timeouts"] == {"pipeline": "40m0s", "tasks": "30m0s", "finally": "10m0s"}
    template = spec["taskRunTemplate"]
    assert template["serviceAccountName"] == "try-1"
    assert template["podTemplate"]["securityContext"]["runAsNonRoot"] is True
    # An operator of that namespace sees that it holds the target, and that it is none of its own.
    raw = {**run, "metadata": {**meta, "uid": "1", "resourceVersion": "1"}}
    raw["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    seen = parse_run(raw)
    assert seen
    assert (seen.target, seen.owner) == ("shop/Deployment/cart", None)
    assert KEY_EXECUTION_UID not in json.dumps(run)


def test_rights_are_bound_where_the_target_is(folder: Path) -> None:
    paths = list(_objects(folder))
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    assert paths[:3] == [
        "/api/v1/namespaces/runs/serviceaccounts",
        f"{rbac}/namespaces/shop/roles",
        f"{rbac}/namespaces/shop/rolebindings",
    ]
    of_cluster = _objects(folder, "Node/one")
    assert list(of_cluster)[1:3] == [f"{rbac}/clusterroles", f"{rbac}/clusterrolebindings"]
    binding = of_cluster[f"{rbac}/clusterrolebindings"]
    assert binding["roleRef"]["kind"] == "ClusterRole"
    assert "namespace" not in binding["metadata"]
    assert binding["subjects"][0]["namespace"] == "runs"


def test_a_named_account_gets_no_rights(folder: Path) -> None:
    ((_, run),) = _objects(folder, service_account="mine").items()
    assert run["spec"]["taskRunTemplate"]["serviceAccountName"] == "mine"


@pytest.mark.parametrize("value", ["a,b", "x=y", '{"a":1}', '"quoted"', "[1,2]", "", "two\nlines"])
@pytest.mark.parametrize("form", ["-p {}", "-p{}", "--parameter {}", "--parameter={}"])
def test_a_value_arrives_whole(value: str, form: str) -> None:
    flag, has_gap, _ = form.partition(" {}")
    pair = f"NOTE={value}"
    given = [flag, pair] if has_gap else [form.replace("{}", pair)]
    assert with_whole_values(["bundle", "try", "x", *given, "--keep"]) == [
        *("bundle", "try", "x", "-p"),
        json.dumps({"NOTE": value}),
        "--keep",
    ]
    assert with_whole_values(["run", *given]) == ["run", *given]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "NOTE"], "-p NOTE: write it as NAME=VALUE"),
        (["-p", "NOTES=x"], "-p NOTES: the bundle has no such parameter; it has: NOTE"),
        (["-p", "NOTE=a,b"], "-p NOTE: 'a,b' does not match"),
        (["--target", "cart"], "'cart' is not a target; write namespace/kind/name"),
        (["--timeout", "soon"], "timeout"),
    ],
)
def test_bad_input_is_named_before_anything_is_created(
    folder: Path, without_tekton: Path, arguments: list[str], message: str, capsys: Output
) -> None:
    target = [] if "--target" in arguments else ["--target", "shop/Deployment/cart"]
    assert _try(folder, without_tekton, *target, *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_bundle_with_problems_is_not_tried(
    folder: Path, without_tekton: Path, capsys: Output
) -> None:
    (folder / "README.md").unlink()
    assert _try(folder, without_tekton, "--target", "shop/Deployment/cart") == 1
    assert "set-note: README.md: missing" in capsys.readouterr().err


def test_a_cluster_without_tekton_is_refused_in_words(
    folder: Path, without_tekton: Path, capsys: Output
) -> None:
    assert _try(folder, without_tekton, "--target", "shop/Deployment/cart") == 1
    said = capsys.readouterr().err
    assert said.startswith("wfe: this cluster does not serve tekton.dev/v1: it has no Tekton")
    assert said.count("\n") == 1


def _try(folder: Path, kubeconfig: Path, *arguments: str) -> int:
    return commands.main(
        ["bundle", "try", str(folder), "--kubeconfig", str(kubeconfig), *arguments]
    )


class _NoKinds(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "18")
        self.send_header(OF_SERVER, "an-id")
        self.end_headers()
        self.wfile.write(b"404 page not found")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def without_tekton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kubeconfig of a cluster that serves no kind."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _NoKinds)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    path = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    one = {"name": "one", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    user = {"name": "one", "user": {"token": "t"}}
    context = {"name": "one", "context": {"cluster": "one", "user": "one"}}
    config = {"clusters": [one], "users": [user], "contexts": [context], "current-context": "one"}
    path.write_text(yaml.safe_dump(config))
    yield path
    server.shutdown()
    thread.join()
    server.server_close()
