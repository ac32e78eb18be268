"""The workflows for GitHub are well formed, and run only what is pinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localcluster import checkers
from localcluster.programs import ACTIONLINT

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github/workflows").glob("*.yaml"))
USED = re.compile(r"(?:uses|image|DEBIAN): (.*)")
PINNED = re.compile(r"\S+@([0-9a-f]{40} # v[0-9.]+|sha256:[0-9a-f]{64})")


def test_actionlint_finds_nothing_wrong() -> None:
    done = checkers.run(ACTIONLINT, "-shellcheck=", "-pyflakes=", *map(str, WORKFLOWS))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.stem))
def test_what_they_use_is_pinned(path: Path) -> None:
    used = [name for name in USED.findall(path.read_text()) if not name.startswith("${{")]

    assert used
    assert [name for name in used if not PINNED.fullmatch(name)] == []
