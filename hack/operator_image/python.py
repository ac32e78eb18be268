"""The Python parts of the image: the locked requirements, and the operator's own wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distributions
from pathlib import Path

from debian_packages.interpreter import interpreter
from localcluster.errors import ClusterError
from operator_image.bytecode import compile_all
from operator_image.debian import PROGRAM, PYTHON
from operator_image.part import Component, Part, cached, write_layer
from operator_image.wheels import LINUX, tidy_records, unpack_wheels

# Where Debian's interpreter looks for what does not come from Debian.
PACKAGES = f"usr/local/lib/python{PYTHON}/dist-packages"
COMMAND = "usr/local/bin/wfe"
SCRIPT = f"""#!{PROGRAM}
from workflowexecution.__main__ import main

main()
"""
LOCK = "requirements-run.lock"
# Loaded when first named, and named by nothing of ours: a client for each group of the API, all
# of it once more for asyncio, and tests.
NOT_KEPT = ("kubernetes/aio", "kubernetes/client/api", "kubernetes/**/*_test.py")


def requirements(cache: Path, source: Path, architecture: str) -> Part:
    """The packages of the operator, exactly as locked; each wheel is checked by its hash.

    Raises ClusterError where one cannot be had.
    """
    lock = source / LOCK
    compiler = interpreter(cache, PYTHON)
    ingredients = [lock.read_text(), architecture, PACKAGES, *NOT_KEPT]

    def fill(tree: Path) -> list[Component]:
        packages = tree / PACKAGES
        unpack_wheels(lock, packages, python=PYTHON, platform=LINUX[architecture])
        _leave_out(packages)
        compile_all(compiler, packages, tree)
        return _found(tree)

    return cached(cache, f"requirements-{architecture}", ingredients, fill)


def operator(cache: Path, source: Path, layer: Path) -> Part:
    """The operator, built into a wheel from `source` and written as `layer`.

    Raises ClusterError where it cannot be built.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        # Pure Python, so unpacked is installed; pip would write down where the wheel was.
        zipfile.ZipFile(build_wheel(source, Path(scratch, "wheels"))).extractall(tree / PACKAGES)
        compile_all(interpreter(cache, PYTHON), tree / PACKAGES, tree)
        command = tree / COMMAND
        command.parent.mkdir(parents=True)
        command.write_text(SCRIPT)
        command.chmod(0o755)
        write_layer(tree, layer)
        return Part(layer, tuple(_found(tree)))


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of these sources into a folder. Raises ClusterError."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel"]
    how = ["--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(source)]
    done = subprocess.run([*command, *how], capture_output=True, text=True)
    if done.returncode:
        raise ClusterError("the operator's wheel cannot be built", detail=done.stderr[-3000:])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _leave_out(packages: Path) -> None:
    for pattern in NOT_KEPT:
        for path in list(packages.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    tidy_records(packages)


def _found(tree: Path) -> list[Component]:
    installed = distributions(path=[str(tree / PACKAGES)])
    return [Component("pypi", one.metadata["Name"].lower(), one.version) for one in installed]
