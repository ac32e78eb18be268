"""All that a machine lacks is said in one message, before `make` downloads or builds anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Of these a POSIX machine has at least: what the script, and make's own lines, are made of.
BASICS = ("sh", "uname", "id", "touch", "grep", "awk")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for the PATH with the least that a machine has; the test adds to it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in BASICS:
        _link(folder, name)
    (tmp_path / ".git").touch()
    return folder


def test_nothing_is_said_where_nothing_is_missing(machine: Path) -> None:
    _link(machine, "git")
    _python(machine, "python3")

    assert _preflight(machine) == (0, "")


def test_all_that_is_missing_is_said_at_once(machine: Path) -> None:
    status, told = _preflight(machine)

    assert status == 1
    assert "there is no python3" in told
    assert "  - git\n" in told
    assert "apt-get install python3 python3-venv git" in told


def test_an_old_python_is_named_with_one_that_will_do(machine: Path) -> None:
    _link(machine, "git")
    _program(machine, "python3", 'test "$1" = -V && echo Python 3.9.2; exit 1')
    _python(machine, "python3.12")

    status, told = _preflight(machine)

    assert status == 1
    assert "python3 is Python 3.9.2; python3.12 is there: add PYTHON=python3.12" in told


def test_a_debian_without_venv_is_told_the_package(machine: Path, tmp_path: Path) -> None:
    _link(machine, "git")
    _python(machine, "python3")
    # As in Debian: venv is there, and what it needs to install pip is a package of its own.
    (tmp_path / "ensurepip.py").write_text("raise ModuleNotFoundError('ensurepip')")

    status, told = _preflight(machine, {"PYTHONPATH": str(tmp_path)})

    assert (status, "modules of python3: ensurepip\n" in told) == (1, True)
    assert "apt-get install python3-venv\n" in told


def test_people_who_are_not_root_hear_what_that_means(machine: Path) -> None:
    (machine / "id").unlink()
    _program(machine, "id", "echo 1000")

    assert "Not root, too" in _preflight(machine)[1]


@pytest.mark.parametrize("verb", ["test", "demo"])
def test_make_says_it_before_anything_is_made(machine: Path, tmp_path: Path, verb: str) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "hack").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "hack/preflight.sh"):
        shutil.copy(ROOT / name, checkout / name)
    _link(machine, "make")

    done = subprocess.run(
        [machine / "make", verb], cwd=checkout, env={"PATH": str(machine)}, capture_output=True
    )

    told = done.stderr.decode()
    assert done.returncode == 2
    assert "there is no python3" in told
    assert "setting up" not in told
    assert not (checkout / ".venv").exists()


def _preflight(machine: Path, more: Mapping[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [machine / "sh", ROOT / "hack/preflight.sh", "python3"],
        cwd=machine.parent,
        env={"PATH": str(machine), **(more or {})},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def _link(folder: Path, name: str) -> None:
    found = shutil.which(name)
    assert found, f"this test needs {name}"
    (folder / name).symlink_to(found)


def _python(folder: Path, name: str) -> None:
    _program(folder, name, f'exec {sys.executable} "$@"')


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!{folder / 'sh'}\n{script}\n")
    os.chmod(path, 0o755)
