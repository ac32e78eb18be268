"""`uv tool install` makes `kubectl wfe` from the wheel; `pipx` installs the same scripts alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcluster.build import Builder
from localcluster.programs import KUBECTL
from localcluster.request import REPOSITORY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    made = ["wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(REPOSITORY)]
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *made], check=True)
    (found,) = folder.glob("*.whl")
    return found


def install(wheel: Path, extra: str, folder: Path) -> Path:
    """Install it as a tool of its own; gives the folder of its programs."""
    programs = folder / "bin"
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "tool", "install", "--quiet"),
            *("--python", sys.executable, "--constraints", REPOSITORY / "requirements-plugin.lock"),
            f"workflowexecution-operator{extra} @ {wheel.as_uri()}",
        ],
        env={**os.environ, "UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(programs)},
        check=True,
    )
    return programs


def run(programs: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with no other programs than these and the machine's own."""
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(programs)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_kubectl_finds_it_as_a_tool(wheel: Path, tmp_path: Path) -> None:
    programs = install(wheel, "[plugin]", tmp_path)
    builder = Builder()
    builder.build([KUBECTL])
    kubectl = str(builder.path_of(KUBECTL))
    told = run(programs, kubectl, "wfe", "list", "--kubeconfig=/nowhere")
    assert (told.returncode, told.stdout) == (2, "")
    assert "no usable kubeconfig" in told.stderr
    completed = run(programs, str(programs / "kubectl_complete-wfe"), "des")
    assert completed.stdout.splitlines()[-1] == ":4"


def test_without_its_extra_it_says_how_to_install_it(wheel: Path, tmp_path: Path) -> None:
    told = run(install(wheel, "", tmp_path), "kubectl-wfe", "list")
    assert told.returncode == 1
    assert "install 'workflowexecution-operator[plugin]'" in told.stderr
