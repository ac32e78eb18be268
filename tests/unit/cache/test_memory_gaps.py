"""A gap is open from when it is noted until everything was listed after that."""

from workflowexecution.cache.memory import Gaps


def state_of(gaps: Gaps) -> tuple[bool, bool]:
    return gaps.need_relist, gaps.are_open


def test_a_relist_closes_what_was_noted_before_it() -> None:
    gaps = Gaps()
    assert state_of(gaps) == (False, False)
    gaps.note()
    assert state_of(gaps) == (True, True)
    gaps.begin_relist()
    assert state_of(gaps) == (False, True)
    gaps.end_relist()
    assert state_of(gaps) == (False, False)


def test_what_is_noted_during_a_relist_needs_another() -> None:
    gaps = Gaps()
    gaps.begin_relist()
    gaps.note()
    gaps.end_relist()
    assert state_of(gaps) == (True, True)


def test_a_relist_that_failed_leaves_it_open() -> None:
    """The next one begins without the end of the one before."""
    gaps = Gaps()
    gaps.note()
    gaps.begin_relist()
    gaps.begin_relist()
    assert state_of(gaps) == (False, True)


def test_a_relist_without_a_gap_opens_none() -> None:
    gaps = Gaps()
    gaps.begin_relist()
    assert state_of(gaps) == (False, False)
