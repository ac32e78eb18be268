"""The interpreters to test on: those of this machine, else Debian's, unpacked into the cache."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from debian_packages.archive import is_debian
from debian_packages.interpreter import RELEASES, interpreter
from localcluster.build import default_cache
from localcluster.errors import ClusterError
from localcluster.request import REPOSITORY
from operator_image.wheels import uv

CLASSIFIER = re.compile(r'"Programming Language :: Python :: (3\.\d+)"')
# A build of one's own may lack the two modules.
PROBE = "import ctypes, ssl, sys; print('%d.%d' % sys.version_info[:2])"


class NoPythonError(ClusterError):
    """This machine has no interpreter of the version, and none of Debian's can be had."""


def supported() -> list[str]:
    """The versions that pyproject.toml promises, oldest first."""
    return CLASSIFIER.findall((REPOSITORY / "pyproject.toml").read_text())


def find(python: str) -> Path:
    """An interpreter of a version such as `3.13`.

    Raises NoPythonError where this machine has none and cannot get one, ClusterError where what
    should bring it fails.
    """
    for program in _here(python):
        if _runs(program, python):
            return program
    if python not in RELEASES or not is_debian():
        raise NoPythonError(f"no Python {python} here; `uv python install {python}` brings one")
    return interpreter(default_cache(), python)


def _here(python: str) -> Iterator[Path]:
    """Its places on this machine: the one that uv finds, and those of pyenv."""
    with suppress(ClusterError):
        yield Path(uv("python", "find", "--system", "--no-python-downloads", python).strip())
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{python}.*/bin/python{python}"))


def _runs(program: Path, python: str) -> bool:
    try:
        told = subprocess.run([program, "-c", PROBE], capture_output=True, text=True)
    except OSError:
        return False
    return told.stdout.strip() == python
