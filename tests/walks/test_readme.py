"""The README, the demo's last words, and the page with its captures: pasted into one terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

from docgen.blocks import ROOT
from walks.paste import terminal
from walks.walk import walk


def test_the_first_minutes(own: Mapping[str, str]) -> None:
    with terminal(ROOT, own) as opened:
        status, printed = opened.paste("make demo KEEP=1")
        assert status == 0, printed
        assert "RecentlyRemediated" in printed

        walk(opened, ROOT / "README.md")
        walk(opened, ROOT / "docs" / "reading-a-status.md")

        told = _commands(printed)
        assert len(told) > 5, printed
        for command in told:
            status, answer = opened.paste(command)
            assert status == 0, f"{command}\n{answer}"
        status, answer = opened.paste("make -s cluster-env")
        assert status != 0, "the last command ends the cluster"


def _commands(printed: str) -> list[str]:
    """The commands that the demo prints for pasting."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", printed.partition("Paste these")[2]).splitlines()[1:]
    return [line for line in said if line.strip() and not line.startswith("#")]
