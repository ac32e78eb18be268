"""An object is gone only if the API server says so: a proxy in between answers 404 as well."""

from __future__ import annotations

import pytest

from harness import faults
from harness.executions import name_of
from harness.faults import Act, Fault
from harness.waiting import holds_for
from harness.world import World

PAGES = {
    "html": faults.page(404, "<html>default backend - 404</html>"),
    "text": faults.page(404, "404 page not found\n"),
    "status": faults.answer(404, "NotFound"),
}


@pytest.mark.parametrize("act", PAGES.values(), ids=PAGES)
def test_a_404_that_does_not_name_the_run_frees_no_target(
    world: World, target: str, act: Act
) -> None:
    _, run = world.launched(target)
    # What was written or read a second ago is not read again.
    holds_for(lambda: None, 1.2)
    fault = Fault(matches=faults.kind("get pipelineruns"), when="before", act=act, times=2)
    world.proxy.inject(fault)

    first = world.ended(world.create(target), "Skipped")
    world.proxy.heal()
    # A run that is gone holds its target until nothing of it is found, which takes a moment.
    holds_for(lambda: None, 1.2)
    second = world.ended(world.create(target), "Skipped")

    assert fault.struck > 0
    reasons = [one["status"]["skipDetails"]["reason"] for one in (first, second)]
    assert reasons == ["ResourceBusy", "ResourceBusy"]
    assert name_of(world.run_now(run) or {}) == name_of(run)
