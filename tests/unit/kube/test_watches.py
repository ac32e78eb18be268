"""What a watch says of errors in kopf's event loop."""

import asyncio
import threading
from typing import Any

import kopf
import pytest
import pytest_asyncio

from workflowexecution.kube.access import Access
from workflowexecution.kube.watches import Subject, Watch


@pytest_asyncio.fixture
async def watch() -> Watch:
    access = Access(server="http://127.0.0.1:1", ssl_context=True, authorization=lambda: None)
    return Watch(access, Subject(group="", version="v1", plural="pods"), lambda *_: None)


def _complain(word: str) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": word})


async def test_only_what_is_left_open_by_a_stop_is_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, watch: Watch
) -> None:
    has_begun = threading.Event()

    async def operator(*, stop_flag: threading.Event, **_: Any) -> None:
        _complain("while watching")
        has_begun.set()
        await asyncio.to_thread(stop_flag.wait, 10)
        _complain("while stopping")

    monkeypatch.setattr(kopf, "operator", operator)
    watch.start()
    await asyncio.to_thread(has_begun.wait, 10)
    await watch.stop()
    assert [one.message for one in caplog.records if one.name == "asyncio"] == ["while watching"]


async def test_the_tasks_of_its_own_loop_are_counted(
    monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    has_begun = threading.Event()

    async def operator(*, stop_flag: threading.Event, **_: Any) -> None:
        more = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
        has_begun.set()
        await asyncio.to_thread(stop_flag.wait, 10)
        for task in more:
            task.cancel()

    assert watch.task_count() == 0
    monkeypatch.setattr(kopf, "operator", operator)
    watch.start()
    await asyncio.to_thread(has_begun.wait, 10)
    assert watch.task_count() == 4
    await watch.stop()
    assert watch.task_count() == 0
