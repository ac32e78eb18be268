"""A virtual environment for a Python version: the locked requirements, and the wheel of here."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from localcluster.request import REPOSITORY
from operator_image.wheels import uv
from python_versions.find import find

LOCK = REPOSITORY / "requirements.lock"
PLACE = REPOSITORY / "build" / "pythons"
ROOTS = ("hack", "tests", "tests/support")
# They belong to the run that starts this one.
NOT_PASSED = ("COV", "PYTEST", "PYTHON", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin/python"

    def variables(self) -> dict[str, str]:
        """Environment of its programs, without the part that is for the interpreter of here."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith(NOT_PASSED)}
        here = Path(sys.executable).parent
        elsewhere = [one for one in kept.get("PATH", "").split(os.pathsep) if Path(one) != here]
        return kept | {
            "PATH": os.pathsep.join([str(self.python.parent), *elsewhere]),
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / root) for root in ROOTS),
        }


def make_environment(python: str, wheel: Path) -> Environment:
    """Make it again, with everything as locked and the wheel installed.

    Raises ClusterError where there is no such Python, or a requirement has no wheel for it.
    """
    made = Environment(PLACE / python)
    uv("venv", "--clear", f"--python={find(python)}", str(made.folder))
    how = ("pip", "install", f"--python={made.python}", "--no-deps", "--only-binary=:all:")
    uv(*how, "--require-hashes", f"--requirement={LOCK}")
    uv(*how, str(wheel))
    return made
