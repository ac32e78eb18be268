"""`wfe bundle push` to a real registry, with and without stored credentials."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from localcluster.cluster import Cluster, Object
from localcluster.samples import RUNS, reason_of, run_of
from localcluster.waiting import eventually

TEKTON = Path(__file__).parents[2] / "tekton"
USER = base64.b64encode(b"pusher:secret").decode()


def _wfe(*arguments: str, docker_config: Path | None = None) -> subprocess.CompletedProcess[str]:
    more = {"DOCKER_CONFIG": str(docker_config)} if docker_config else {}
    return subprocess.run(
        [sys.executable, "-m", "workflowexecution", "bundle", *arguments],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def _guarded(registry: str) -> Iterator[str]:
    """The address of a registry that wants a name and a password, in front of an open one."""

    class Guard(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Basic {USER}":
                self._answer(401, {"Www-Authenticate": 'Basic realm="test"'}, b"")
                return
            onward = http.client.HTTPConnection(registry, timeout=10)
            kind = {"Content-Type": self.headers["Content-Type"]} if body else {}
            onward.request(self.command, self.path, body, kind)
            answer = onward.getresponse()
            kept = {key: value for key, value in answer.getheaders() if key == "Location"}
            self._answer(answer.status, kept, answer.read())
            onward.close()

        do_GET = do_HEAD = do_POST = do_PUT = _pass_on

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_pushed_bundle_is_what_tekton_resolves(tekton_cluster: Cluster, namespace: str) -> None:
    reference = f"{tekton_cluster.registry}/pushed/cordon-node:1"
    pushed = _wfe("push", str(TEKTON / "cordon-node"), reference)
    assert pushed.returncode == 0, pushed.stderr
    bundle = pushed.stdout.strip()
    assert bundle.startswith(f"{reference}@sha256:")

    run = run_of(bundle)
    run["spec"]["params"] = [{"name": "TARGET_RESOURCE", "value": "Node/none"}]
    runs = RUNS.format(namespace=namespace)
    tekton_cluster.request("POST", runs, run)

    def resolved() -> Object:
        found = tekton_cluster.request("GET", f"{runs}/run")
        assert not (why := reason_of(tekton_cluster, f"{runs}/run")), why
        return dict(found.get("status", {}).get("pipelineSpec", {}))

    eventually(lambda: bool(resolved()), what="the bundle's pipeline in the run")
    assert [task["name"] for task in resolved()["tasks"]] == ["cordon"]
    listed = _wfe("list", bundle, "--output", "json")
    assert [(row["kind"], row["name"]) for row in json.loads(listed.stdout)] == [
        ("pipeline", "workflow")
    ]


def test_stored_credentials_are_used_and_missing_ones_named(
    tekton_cluster: Cluster, tmp_path: Path
) -> None:
    folder = str(TEKTON / "cordon-node")
    with _guarded(tekton_cluster.registry or "") as registry:
        reference = f"{registry}/guarded/cordon-node:1"
        refused = _wfe("push", folder, reference, docker_config=tmp_path)
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry: {"auth": USER}}}))
        pushed = _wfe("push", folder, reference, docker_config=tmp_path)

    assert (refused.returncode, pushed.returncode) == (1, 0), refused.stderr + pushed.stderr
    assert "none are stored for it; log in with `docker login`" in refused.stderr
    assert pushed.stdout.startswith(f"{reference}@sha256:")
