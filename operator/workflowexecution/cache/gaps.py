"""Whether the cache may lack changes that only a relist finds."""


class Gaps:
    """Changes that no watch has delivered, from when that is noted until everything is listed."""

    def __init__(self) -> None:
        self._is_noted = False
        self._is_being_closed = False

    @property
    def need_relist(self) -> bool:
        """Whether a change may have been missed since the last relist began."""
        return self._is_noted

    @property
    def are_open(self) -> bool:
        """Whether the cache may be incomplete, so that nothing may be decided on it."""
        return self._is_noted or self._is_being_closed

    def note(self) -> None:
        """Note that changes may have been missed."""
        self._is_noted = True

    def begin_relist(self) -> None:
        """Note that everything is about to be listed."""
        self._is_being_closed = self.are_open
        self._is_noted = False

    def end_relist(self) -> None:
        """Note that everything has been listed since ``begin_relist``."""
        self._is_being_closed = False
