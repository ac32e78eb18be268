"""A part of all targets: several operators may share the work, each target being one's alone.

Everything that a decision needs is found under the key of its target, so that who has a target has
all of it, and needs nothing of the others.
"""

import re
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = 16
_TEXT: Final = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number``, from 1, ``of`` so many equal ones."""

    number: int = 1
    of: int = 1

    def holds(self, target_key: str) -> bool:
        """Whether a target is in this part; its key ends in 16 hex digits of a hash."""
        return self.of == 1 or int(target_key[-_DIGITS:], 16) % self.of == self.number - 1

    def __str__(self) -> str:
        """As it is set."""
        return f"{self.number}/{self.of}"


def parts_of(count: int) -> list[Shard]:
    """All parts of a whole that is shared between so many."""
    return [Shard(number, count) for number in range(1, count + 1)]


def parse_shard(text: str) -> Shard:
    """Read ``2/5``. Raises: ValueError saying what is wrong."""
    match = _TEXT.fullmatch(text)
    shard = Shard(int(match[1]), int(match[2])) if match else None
    if shard is None or shard.number > shard.of:
        raise ValueError(f"{text!r} is no part of a whole; write 2/5 for the second of five")
    return shard
