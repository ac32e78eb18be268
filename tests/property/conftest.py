"""Fixtures of all property tests."""

from collections.abc import Iterator, MutableMapping
from typing import Any, NoReturn

import pytest
import structlog


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("error"), processors=[_refuse]
    )
    yield
    structlog.reset_defaults()


def _refuse(_: Any, __: str, said: MutableMapping[str, Any]) -> NoReturn:
    """Let no event pass that was not understood; the rest is said in vain."""
    if said["event"] == "event not understood":
        raise AssertionError(f"not understood: {said}") from said.get("exc_info")
    raise structlog.DropEvent
