"""Programs under supervision: an early end is told with its log, a late one is made good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from localcluster import eventually
from localcluster.errors import ClusterError
from localcluster.services import Service, Services


async def test_program_that_ends_before_it_is_ready_is_told_with_its_last_words(
    tmp_path: Path,
) -> None:
    command = ["sh", "-c", "echo the port is taken >&2; exit 3"]
    with pytest.raises(ClusterError) as raised:
        await Services(tmp_path).start(Service("server", command, ready=lambda: False))
    assert raised.value.message == "server ended with status 3"
    assert raised.value.detail == "the port is taken"


async def test_program_that_never_gets_ready_is_told_of_and_ended(tmp_path: Path) -> None:
    services = Services(tmp_path)
    service = Service("server", ["sleep", "600"], ready=lambda: False)
    with pytest.raises(ClusterError, match="server is not ready after 0 s"):
        await services.start(service, seconds=0.3)
    await services.stop()


async def test_program_that_ends_later_is_started_again(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    command = ["sh", "-c", f"echo started >> {starts}; [ $(wc -l < {starts}) -gt 1 ] && sleep 600"]
    services = Services(tmp_path)
    await services.start(Service("server", command, ready=starts.exists))
    await asyncio.to_thread(eventually, lambda: starts.read_text().count("started") == 2)
    await services.stop()
    assert "ended with status 1, restarting" in (tmp_path / "server.log").read_text()
