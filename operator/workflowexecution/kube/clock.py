"""The API server's time, which is the same for all operators, even with wrong clocks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

# The Date header counts whole seconds and leaves the rest out.
_DATE_STEP_S: Final = 1.0
# How fast two clocks may drift apart: ten times what a quartz clock does.
_DRIFT: Final = 0.001
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class Clock(Protocol):
    """A source of wall-clock time and of monotonic time."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


@dataclass(frozen=True, slots=True)
class _Interval:
    """Bounds of how far the server's clock is ahead, in seconds."""

    low: float
    high: float

    def widened(self, seconds: float) -> "_Interval":
        return _Interval(self.low - seconds, self.high + seconds)

    def meet(self, other: "_Interval") -> "_Interval | None":
        low, high = max(self.low, other.low), min(self.high, other.high)
        return _Interval(low, high) if low <= high else None


class ServerClock:
    """Our own clock, corrected by as much as the API server's replies prove it wrong.

    Each reply bounds the difference by its ``Date`` and by when it was asked for and received; the
    bounds of all replies are taken together. A difference of nothing is kept as long as no reply
    speaks against it. One reply alone that contradicts all before it, as from a proxy, changes
    nothing; a second one that agrees with it does. A step of our own clock has no effect: it is
    read once, and time is counted from then on.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._base = wall() - monotonic()
        self._known: _Interval | None = None
        self._odd: _Interval | None = None
        self._observed_at = monotonic()

    @property
    def offset(self) -> float:
        """Seconds the server's clock is ahead of our own."""
        if self._known is None:
            return 0.0
        return min(max(0.0, self._known.low), self._known.high)

    def now(self) -> datetime:
        """The server's time, aware UTC."""
        seconds = self._base + self._monotonic() + self.offset
        return _EPOCH + timedelta(seconds=seconds)

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return self._monotonic()

    def observe(self, date: datetime, *, sent: float, received: float) -> None:
        """Take in one reply.

        Args:
            date: its ``Date`` header.
            sent: monotonic time of the request.
            received: monotonic time of its reply.
        """
        stamp = date.timestamp() - self._base
        seen = _Interval(stamp - received, stamp + _DATE_STEP_S - sent)
        drift = max(received - self._observed_at, 0.0) * _DRIFT
        self._observed_at = received
        if self._known is None:
            self._known = seen
            return
        known = self._known.widened(drift)
        met = known.meet(seen)
        if met is None:
            # Contradicted once it stays; contradicted twice in the same way it is wrong.
            self._known = (self._odd.meet(seen) if self._odd else None) or known
            self._odd = seen
            return
        self._known, self._odd = met, None
