"""A bounded number of places, of which one visitor has only some."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class TooManyError(Exception):
    """All places are taken, or all that one visitor may have."""


class Places:
    """Places that are taken and left; of one visitor at most ``most_of_one``."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken = Counter[str]()

    def __len__(self) -> int:
        return self._taken.total()

    @contextmanager
    def take(self, visitor: str) -> Iterator[None]:
        """Have a place for a while. Raises: TooManyError."""
        if len(self) >= self._most or self._taken[visitor] >= self._most_of_one:
            raise TooManyError(f"{len(self)} of {self._most} are under way")
        self._taken[visitor] += 1
        try:
            yield
        finally:
            self._taken[visitor] -= 1
            if not self._taken[visitor]:
                del self._taken[visitor]
