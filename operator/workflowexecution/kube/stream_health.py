"""Whether a watch delivers, judged by what has come over it: events or bookmarks."""

from collections.abc import Callable
from typing import Final

# The API server sends a bookmark about every minute where nothing happens.
SILENCE_LIMIT_S: Final = 90.0
# kubelet restarts the operator some seconds later; a fresh process may fare better.
DEAD_AFTER_S: Final = 110.0
# A stream that is lost after less silence than this may just have been closed.
_CLOSED_WITHIN_S: Final = 65.0


class StreamHealth:
    """State of one watch, which is one stream after the other.

    ``name`` says what is watched, ``monotonic`` gives seconds. A watch whose streams are refused,
    or opened again and again without delivering, counts as silent since it last delivered.
    """

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._heard_at: float | None = None
        self._was_given_time = False
        self._refused = ""
        self._needs_a_person = False

    def opened(self) -> None:
        """Note that the API server has begun to answer.

        Silence counts from now on after a refusal; where a stream was just closed, it does so once
        until something is heard.
        """
        was_closed = not self._was_given_time and self.silence() < _CLOSED_WITHIN_S
        if self._refused or was_closed:
            self._heard_at, self._was_given_time = self._monotonic(), True
        self._refused = ""

    def refused(self, why: str, *, needs_a_person: bool = False) -> None:
        """Note that a stream could not be begun, and whether somebody has to change that."""
        if self._heard_at is None:
            self._heard_at = self._monotonic()
        self._refused, self._needs_a_person = why, needs_a_person

    def heard(self) -> None:
        """Note that an event or a bookmark has come."""
        self._heard_at, self._was_given_time = self._monotonic(), False

    def silence(self) -> float:
        """Seconds since something was heard."""
        return 0.0 if self._heard_at is None else self._monotonic() - self._heard_at

    def not_ready(self) -> str:
        """Why what is known may be out of date; empty while it delivers."""
        if self._refused:
            return f"the watch of {self._name} is refused: {self._refused}"
        return self._silent_for(SILENCE_LIMIT_S)

    def doubt(self) -> str:
        """Why there may be much that was not told; empty also while a refusal may soon pass.

        Always the same words for the same reason.
        """
        if self._refused and self._needs_a_person:
            return f"the watch of {self._name} is refused: {self._refused}"
        return f"the watch of {self._name} is silent" if self._silent_for(SILENCE_LIMIT_S) else ""

    def not_alive(self) -> str:
        """Why a new process may do better than this one; empty while there is no reason."""
        return self._silent_for(DEAD_AFTER_S)

    def _silent_for(self, limit: float) -> str:
        silence = self.silence()
        if silence < limit:
            return ""
        return f"the watch of {self._name} has delivered nothing for {silence:.0f} s"
