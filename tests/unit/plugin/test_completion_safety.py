"""Suggestions come from others, and shells of users evaluate them."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from workflowexecution.plugin import parameters
from workflowexecution.plugin.__main__ import complete
from workflowexecution.plugin.app import application

# Every one of these would make the file `pwned`, or be obeyed otherwise, by one of the shells.
HOSTILE = (
    "x$(id>pwned)",
    "x`id>pwned`",
    "x;id>pwned",
    "x&id>pwned",
    "x|id>pwned",
    "x\nid>pwned",
    "x${IFS}y",
    "$HOME",
    "x'y",
    'x"y',
    "x\\y",
    "x y",
    "x\ty",
    "x*",
    "x?",
    "x[a]",
    "x{a,b}",
    "~root",
    "!!",
    "#x",
    "x<y",
    "(x)",
    "-x",
    "--kubeconfig=/tmp/evil",
    "=ls",
    ":4",
    "_activeHelp_ x",
    "x\x1b[2J",
    "x\u202ey",
    "é",
)
NAMED = "restart"
HARMLESS = ("shop/Deployment/cart", "Node/worker-1", "ClusterRole/system:node", "restart_2.0")


def _item(number: int, text: str, target: str = "") -> dict[str, Any]:
    meta = {"name": text, "namespace": text, "uid": f"u{number}", "resourceVersion": "1"}
    return {
        "metadata": {**meta, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "remediationRequestRef": {"name": "r"},
            "targetResource": target or text,
            "workflowRef": {"workflowId": text, "version": "1", "containerImage": "r.example/x:1"},
        },
        "status": {"phase": "Failed"},
    }


class _ApiServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        items = [_item(number, text) for number, text in enumerate((*HOSTILE, *HARMLESS))]
        # What is said of a suggestion reaches the shell as well.
        items += [_item(100 + place, NAMED, text) for place, text in enumerate(HOSTILE)]
        body = json.dumps({"metadata": {"resourceVersion": "1"}, "items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ApiServer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    path = tmp_path_factory.mktemp("kube") / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [
                    {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
                ],
                "users": [{"name": "u", "user": {}}],
            }
        )
    )
    yield path
    server.shutdown()
    thread.join()
    server.server_close()


def _completed() -> list[list[str]]:
    """The words before each place for which the cluster is asked, whatever commands there are."""
    found = []
    command = typer.main.get_command(application())
    for name, sub in sorted(command.commands.items()):  # type: ignore[attr-defined]
        for parameter in sub.params:
            if parameter._custom_shell_complete and parameter.name != "output":
                flag = [parameter.opts[0]] if parameter.param_type_name == "option" else []
                found.append([name, *flag])
    return found


PLACES = _completed()


def test_there_are_places_to_complete() -> None:
    assert ["can-run", "--target"] in PLACES
    assert ["describe"] in PLACES


@pytest.mark.parametrize("words", PLACES, ids=" ".join)
def test_no_shell_is_handed_what_it_would_obey(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kubeconfig: Path,
    tmp_path: Path,
    words: list[str],
) -> None:
    # A busy machine may take longer than people wait, and what is suggested then is nothing.
    monkeypatch.setattr(parameters, "_PATIENCE_S", 60.0)
    monkeypatch.setattr(os, "environ", {**os.environ, "KUBECONFIG": str(kubeconfig)})
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-wfe", *words, ""])
    complete()
    *lines, directive = capsys.readouterr().out.splitlines()
    assert directive == ":4"
    suggested = [line.partition("\t")[0] for line in lines]
    assert set(suggested) - {NAMED} == set(HARMLESS)
    assert all(re.fullmatch(r"[A-Za-z0-9._:/@=-]+(\t[A-Za-z0-9._:/@=, ?-]*)?", it) for it in lines)
    # What kubectl's completion for bash does up to 1.33, with descriptions and without them.
    for out in ("\n".join(lines), "\n".join(suggested)):
        evaluated = subprocess.run(
            ["bash", "-c", 'IFS=$\'\\n\'; compgen -W "$1" -- ""', "bash", out],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert evaluated.stdout.splitlines() == out.splitlines()
    assert list(tmp_path.iterdir()) == []
