"""The version of what is built here, which is that of the git tag, as others want it spelled."""

from __future__ import annotations

import subprocess
import sys

from packaging.version import Version

from localcluster.errors import ClusterError
from localcluster.request import REPOSITORY


def version_of_checkout() -> str:
    """Return the version that a wheel built here would have. Raises ClusterError."""
    command = [sys.executable, "-m", "hatchling", "version"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise ClusterError("the version of this checkout is unknown", detail=done.stderr)
    return done.stdout.strip()


def image_tag(version: str) -> str:
    """As the tag of an image: `0.1.dev7+g1dc009d` becomes `0.1.dev7-g1dc009d`."""
    return version.replace("+", "-")


def semantic(version: str) -> str:
    """As Semantic Versioning has it, for Helm: `0.1.dev7+g1dc` becomes `0.1.0-dev.7+g1dc`."""
    parsed = Version(version)
    number = ".".join(str(part) for part in (*parsed.release, 0, 0)[:3])
    early = [parsed.pre, None if parsed.dev is None else ("dev", parsed.dev)]
    before = ".".join(f"{name}.{count}" for name, count in filter(None, early))
    return number + (f"-{before}" if before else "") + (f"+{parsed.local}" if parsed.local else "")
