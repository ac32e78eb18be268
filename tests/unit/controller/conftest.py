"""The desk that a reconciler is tested at."""

from collections.abc import AsyncIterator

import pytest

from reconcile_desk import Desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A controller that is open, with nothing in its cluster."""
    desk = Desk()
    desk.controller.open()
    yield desk
    await desk.controller.close(grace=1)
