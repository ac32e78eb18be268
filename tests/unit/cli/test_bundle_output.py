"""The output of `wfe bundle`, also of registries and folders that others have written."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from bundle_parts import PINNED, good_bundle, write_bundle
from workflowexecution.cli import commands
from workflowexecution.core.text import is_printable

TEKTON = Path(__file__).parents[3] / "tekton"
DIGEST = f"sha256:{'0' * 64}"
Output = pytest.CaptureFixture[str]
TEKTON = Path(__file__).parents[3] / "tekton"
FOLDERS = sorted(path.parent for path in TEKTON.glob("*/workflow.yaml"))
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


def test_lint_ends_with_1_and_names_each_problem(tmp_path: Path, capsys: Output) -> None:
    parts = good_bundle()
    parts.pop("README.md")
    folder = str(write_bundle(tmp_path / "one", parts))

    assert commands.main(["bundle", "lint", folder]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("one: README.md: missing")
    assert told.err == "wfe: 1 problems in 1 bundles\n"
    assert commands.main(["bundle", "lint", folder, "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["where"] == "README.md"
    assert commands.main(["bundle", "lint", *map(str, FOLDERS)]) == 0


def test_a_bundle_with_a_problem_is_not_pushed(tmp_path: Path, capsys: Output) -> None:
    parts = good_bundle()
    parts.pop("role.yaml")
    folder = str(write_bundle(tmp_path / "one", parts))
    assert commands.main(["bundle", "push", folder, "127.0.0.1:1/one:1"]) == 1
    assert "one: role.yaml: missing" in capsys.readouterr().err


def test_bundles_are_listed_with_their_parameters(capsys: Output) -> None:
    assert commands.main(["bundle", "list", str(TEKTON), "--output", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {folder.name for folder in FOLDERS}
    assert rows["scale-workload"]["parameters"]["REPLICAS"] is None
    assert rows["scale-workload"]["parameters"]["MAX_REPLICAS"] == "10"
    assert commands.main(["bundle", "list", str(TEKTON)]) == 0
    assert "MAX_REPLICAS=10" in capsys.readouterr().out


def test_a_rendered_bundle_is_plain_yaml_with_the_image_given(capsys: Output) -> None:
    folder = str(TEKTON / "cordon-node")
    assert commands.main(["bundle", "render", folder, "--image", f"toolbox={PINNED}"]) == 0
    (pipeline,) = yaml.safe_load_all(capsys.readouterr().out)
    steps = pipeline["spec"]["tasks"][0]["taskSpec"]["steps"]
    assert {step["image"] for step in steps} == {PINNED}
    assert all("\n. " not in step["script"] for step in steps)


def test_a_folder_that_is_none_is_an_error_of_input(capsys: Output) -> None:
    assert commands.main(["bundle", "lint", "nowhere"]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
