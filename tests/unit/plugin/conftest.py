"""A terminal at which commands are run, on a cluster in which everything is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.plugin.played import Terminal, terminal_on
from unit.plugin.stage import staged


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """Each test has its own cluster, and may change it."""
    with terminal_on(staged(), tmp_path, monkeypatch) as opened:
        yield opened
