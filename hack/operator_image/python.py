"""The Python parts of the image: the locked requirements, and the operator's own wheel."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distributions
from pathlib import Path

from localcluster.errors import ClusterError
from operator_image.bytecode import compile_all
from operator_image.part import Component, Part, cached, write_layer

# Where Debian's interpreter looks for what does not come from Debian.
PACKAGES = "usr/local/lib/python3.11/dist-packages"
COMMAND = "usr/local/bin/wfe"
SCRIPT = """#!/usr/bin/python3.11
from workflowexecution.__main__ import main

main()
"""
LOCK = "requirements-run.lock"


def requirements(cache: Path, source: Path) -> Part:
    """The packages of the operator, exactly as locked; each wheel is checked by its hash.

    Raises ClusterError where one cannot be had.
    """
    lock = source / LOCK
    ingredients = [lock.read_text(), platform.machine(), PACKAGES]
    return cached(cache, "requirements", ingredients, lambda tree: _fill(tree, lock))


def operator(source: Path, layer: Path) -> Part:
    """The operator, built into a wheel from `source` and written as `layer`.

    Raises ClusterError where it cannot be built.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheels, tree = Path(scratch, "wheels"), Path(scratch, "tree")
        _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={wheels}", str(source))
        (wheel,) = wheels.glob("*.whl")
        # Pure Python, so unpacked is installed; pip would write down where the wheel was.
        zipfile.ZipFile(wheel).extractall(tree / PACKAGES)
        compile_all(tree / PACKAGES, tree)
        command = tree / COMMAND
        command.parent.mkdir(parents=True)
        command.write_text(SCRIPT)
        command.chmod(0o755)
        write_layer(tree, layer)
        return Part(layer, tuple(_found(tree)))


def _fill(tree: Path, lock: Path) -> list[Component]:
    packages = tree / PACKAGES
    target = (f"--target={packages}", "--no-deps", "--no-compile", "--ignore-installed")
    _pip("install", *target, "--require-hashes", "--only-binary=:all:", f"--requirement={lock}")
    # These begin with the path of the interpreter that runs here.
    shutil.rmtree(packages / "bin", ignore_errors=True)
    compile_all(packages, tree)
    return _found(tree)


def _found(tree: Path) -> list[Component]:
    installed = distributions(path=[str(tree / PACKAGES)])
    return [Component("pypi", one.metadata["Name"].lower(), one.version) for one in installed]


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ClusterError(f"pip {arguments[0]} failed", detail=done.stderr[-3000:])
