"""What `wfe bundle` prints of registries and folders that others have written."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from workflowexecution.cli import commands
from workflowexecution.core.text import is_printable

TEKTON = Path(__file__).parents[3] / "tekton"
DIGEST = f"sha256:{'0' * 64}"
Output = pytest.CaptureFixture[str]
EVIL = "[bold]x[/bold][/nope]\x1b]0;owned\x07\x1b[2J\x9b2J\u202e"


class _Registry(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        layer = {"digest": DIGEST, "annotations": {"dev.tekton.image.name": EVIL}}
        is_there = "/evil/" not in self.path
        body = json.dumps({"layers": [layer]}, ensure_ascii=False) if is_there else EVIL
        self.send_response(200 if is_there else 500)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle with names that a terminal would obey, in its own folder of bundles."""
    place = tmp_path / "evil"
    place.mkdir()
    spec = {
        "description": EVIL,
        "params": [{"name": EVIL, "default": EVIL}],
        "tasks": [{"name": EVIL, "taskSpec": {"steps": [{"image": f"{EVIL}/x", "script": EVIL}]}}],
    }
    meta = {"name": "workflow"}
    pipeline = {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": meta, "spec": spec}
    (place / "workflow.yaml").write_text(yaml.safe_dump(pipeline))
    return place


def test_a_registrys_names_are_printed_and_not_obeyed(capsys: Output, registry: str) -> None:
    assert commands.main(["bundle", "list", f"{registry}/x:1"]) == 0
    said = capsys.readouterr().out
    assert is_printable(said)
    assert "[bold]x[/bold][/nope]" in said


def test_nothing_is_cut_or_padded(
    capsys: Output, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for source, part in ((f"{registry}/x:1", DIGEST), (str(TEKTON), "FORCE=false TIMEOUT=300")):
        assert commands.main(["bundle", "list", source]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert any(line.endswith(part) for line in lines), lines
        assert [line for line in lines if line != line.rstrip()] == []


def test_programs_are_given_a_registrys_names_as_they_are(capsys: Output, registry: str) -> None:
    assert commands.main(["bundle", "list", f"{registry}/x:1", "--output", "json"]) == 0
    said = capsys.readouterr().out
    assert is_printable(said)
    assert json.loads(said)[0]["name"] == EVIL


def test_a_registrys_refusal_is_not_obeyed(capsys: Output, registry: str) -> None:
    assert commands.main(["bundle", "list", f"{registry}/evil/x:1"]) == 1
    said = capsys.readouterr().err
    assert "[bold]x[/bold][/nope]" in said
    assert is_printable(said)


@pytest.mark.parametrize("output", ["text", "json"])
def test_what_is_wrong_with_a_bundle_is_not_obeyed(
    capsys: Output, folder: Path, output: str
) -> None:
    assert commands.main(["bundle", "lint", str(folder), "--output", output]) == 1
    said = capsys.readouterr().out
    assert "[bold]x[/bold]" in said
    assert is_printable(said)


def test_a_folders_list_and_a_rendered_bundle_are_not_obeyed(capsys: Output, folder: Path) -> None:
    assert commands.main(["bundle", "list", str(folder.parent)]) == 0
    assert commands.main(["bundle", "render", str(folder)]) == 0
    said = capsys.readouterr().out
    assert is_printable(said)
    pipeline = yaml.safe_load(said[said.index("apiVersion") :])
    assert pipeline["spec"]["description"] == EVIL
