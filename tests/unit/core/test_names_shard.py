"""Parts of all targets: each target is in one, and nearly as many are in each."""

from __future__ import annotations

import pytest

from workflowexecution.core import names
from workflowexecution.core.names import Shard, parse_shard

KEYS = [names.target_key(f"payment/Deployment/app-{number}") for number in range(2000)]


@pytest.mark.parametrize("of", [1, 2, 3, 7, 999])
def test_each_target_is_in_exactly_one_part(of: int) -> None:
    shards = [Shard(number, of) for number in range(1, of + 1)]
    assert {sum(shard.holds(key) for shard in shards) for key in KEYS} == {1}


@pytest.mark.parametrize("of", [2, 5])
def test_the_parts_are_nearly_equal(of: int) -> None:
    sizes = [sum(Shard(number, of).holds(key) for key in KEYS) for number in range(1, of + 1)]
    assert min(sizes) > 0.8 * len(KEYS) / of


def test_it_reads_as_it_is_written() -> None:
    assert parse_shard("2/5") == Shard(2, 5)
    assert str(parse_shard("12/120")) == "12/120"


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1/0", "1", "a/b", "1/2/3", "01/2", "1/1000"])
def test_what_is_no_part_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="2/5 for the second of five"):
        parse_shard(text)


def test_each_part_has_a_lease_of_its_own() -> None:
    assert names.lease_name(Shard()) == "workflowexecution-controller"
    assert names.lease_name(Shard(2, 5)) == "workflowexecution-controller-2-of-5"
