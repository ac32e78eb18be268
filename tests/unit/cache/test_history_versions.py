"""A dropped object is remembered for a while, so that a late event does not restore it."""

import pytest

from workflowexecution.cache.history import Tombstones


@pytest.mark.parametrize(
    ("version", "is_older"), [("9", True), ("10", False), ("11", False), ("abc", False)]
)
def test_only_what_is_older_than_its_end_is_late(version: str, is_older: bool) -> None:
    stones = Tombstones()
    stones.note("uid", "10")
    assert stones.is_older("uid", version) == is_older


def test_nothing_is_older_than_what_is_not_remembered() -> None:
    assert not Tombstones().is_older("uid", "1")


def test_what_has_no_uid_is_not_remembered() -> None:
    stones = Tombstones()
    stones.note("", "10")
    assert not stones.knows("")


def test_the_one_noted_longest_ago_is_forgotten_first() -> None:
    stones = Tombstones()
    for number in range(4096):
        stones.note(str(number), "1")
    stones.note("0", "2")
    stones.note("new", "1")
    assert [stones.knows(uid) for uid in ("0", "1", "2", "new")] == [True, False, True, True]
