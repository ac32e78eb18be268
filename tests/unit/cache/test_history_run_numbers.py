"""Slot numbers: none that is taken is forgotten, and a hundred thousand take little memory."""

import random
import tracemalloc

from workflowexecution.cache.history import RunNumbers, RunNumberTable
from workflowexecution.core import names

TARGETS = [f"shop/Deployment/app-{number}" for number in range(500)]
MANY = 100_000


def test_the_highest_number_of_each_target_is_kept_in_whatever_order_they_come() -> None:
    chance = random.Random(7)
    table, expected = RunNumberTable(), dict[str, int]()
    for _ in range(5_000):
        key = names.target_key(chance.choice(TARGETS))
        number = chance.randrange(1, names.RUN_NUMBER_LIMIT)
        table.note(key, number)
        expected[key] = max(expected.get(key, 0), number)
    assert {key: table.top(key) for key in map(names.target_key, TARGETS)} == expected
    assert len(table) == len(expected)


def test_the_lowest_and_the_highest_hash_are_as_good_as_any() -> None:
    table = RunNumberTable()
    keys = {f"wfe-{digit * 16}": number for number, digit in enumerate("f08", start=1)}
    for key, number in keys.items():
        table.note(key, number)
    assert {key: table.top(key) for key in keys} == keys
    assert table.top("wfe-8888888888888887") == table.top("wfe-8888888888888889") == 0


def test_what_was_told_of_while_all_was_listed_is_kept_and_the_rest_dropped() -> None:
    listed, told, in_use, gone = (names.target_key(target) for target in TARGETS[:4])
    numbers = RunNumbers()
    for key in (listed, in_use, gone):
        numbers.note(f"{key}-3")
    numbers.begin_listing()
    numbers.note(f"{listed}-3")
    numbers.note(f"{told}-1")
    numbers.end_listing([in_use, names.target_key("without/A/run")])
    assert [numbers.top(key) for key in (listed, told, in_use, gone)] == [3, 1, 3, 0]
    assert len(numbers) == 3


def test_a_listing_that_is_broken_off_drops_nothing() -> None:
    numbers, key = RunNumbers(), names.target_key(TARGETS[0])
    numbers.note(f"{key}-2")
    numbers.begin_listing()
    numbers.begin_listing()
    assert numbers.top(key) == 2


def test_names_that_take_no_number_are_not_counted() -> None:
    numbers, key = RunNumbers(), names.target_key(TARGETS[0])
    for name in ("", "foreign", key, f"{key}-0", f"{key}-{names.RUN_NUMBER_LIMIT}"):
        numbers.note(name)
    assert (len(numbers), numbers.top(key)) == (0, 0)
    numbers.note(f"{key}-{names.RUN_NUMBER_LIMIT - 1}")
    assert numbers.top(key) == names.RUN_NUMBER_LIMIT - 1


def test_a_target_takes_sixteen_bytes_at_most() -> None:
    chance = random.Random(7)
    keys = [f"wfe-{chance.getrandbits(64):016x}" for _ in range(MANY)]
    tracemalloc.start()
    try:
        table = RunNumberTable()
        for key in keys:
            table.note(key, 1)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(table), table.top(keys[MANY // 2])) == (MANY, 1)
    assert taken < 16 * MANY
