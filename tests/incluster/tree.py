"""Runs a program with the image's interpreter in the image's own tree, without a container."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from operator_image.debian import PROGRAM

PREPARE = """set -e
mount --bind /dev dev
mount -t proc proc proc
mount -t tmpfs tmp tmp
"""


def run_in(
    tree: Path, code: str, *arguments: str, shared: Mapping[str, Path]
) -> subprocess.CompletedProcess[str]:
    """Run code in the tree; `shared` maps a folder's name in its root to one of this machine.

    The mounts are seen by the program alone, and go with it.
    """
    binds = []
    for name, folder in shared.items():
        (tree / name).mkdir(exist_ok=True)
        binds.append(f"mount --bind {folder} {name}\n")
    script = f'{PREPARE}{"".join(binds)}exec chroot . {PROGRAM} -c "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", code, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=900,
    )
