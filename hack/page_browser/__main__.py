"""Installs what the tests in a browser need: Chromium, Playwright for this Python, axe-core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from page_browser.places import AXE, AXE_VERSION, CHROMIUM, NODE_MODULES, OPTIMISER, REQUIREMENTS

PACKAGES = {"chromium": CHROMIUM, "fonts-dejavu-core": None, "pngquant": OPTIMISER}


def main() -> int:
    """Install what is missing; returns 0 if all is there."""
    missing = [name for name, program in PACKAGES.items() if program and not program.exists()]
    if missing:
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *PACKAGES])
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    _run([*pip, "-r", str(REQUIREMENTS)])
    if not AXE.exists():
        _run(
            ["npm", "install", "--silent", "--prefix", str(NODE_MODULES), f"axe-core@{AXE_VERSION}"]
        )
    return 0


def _run(command: Sequence[str]) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=quiet, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
