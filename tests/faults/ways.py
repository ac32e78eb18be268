"""The ways in which one request can fail, each with what follows for the one who asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness import faults
from harness.faults import Act

# What the API server says where a right is missing, and where admission refuses.
NO_RIGHT = 'x is forbidden: User "system:serviceaccount:a:b" cannot patch resource "x"'
REFUSED = "x is forbidden: not today"
# Longer than the operator waits for an answer.
TOO_LONG_S = 16.0
PAGE_OF_A_PROXY = "<html>Bad gateway</html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to fail.

    is_definite: whether the answer says that nothing was done, and is believed.
    is_refusal: whether it is final, too, for whoever creates something.
    is_carried_out_late: whether the write is done after its failure was noticed.
    seconds: how long one strike lasts.
    """

    name: str
    when: Literal["before", "after"]
    act: Act
    is_definite: bool = False
    is_refusal: bool = False
    is_carried_out_late: bool = False
    seconds: float = 0.0


def _definite(name: str, act: Act, *, is_refusal: bool = False) -> Way:
    return Way(name=name, when="before", act=act, is_definite=True, is_refusal=is_refusal)


WAYS = (
    _definite("conflict", faults.answer(409, "Conflict")),
    _definite("exists", faults.answer(409, "AlreadyExists")),
    _definite("not-found", faults.answer(404, "NotFound")),
    _definite("no-right", faults.answer(403, "Forbidden", message=NO_RIGHT)),
    _definite("gone", faults.answer(410, "Expired")),
    _definite("refused", faults.answer(403, "Forbidden", message=REFUSED), is_refusal=True),
    _definite("invalid", faults.answer(422, "Invalid"), is_refusal=True),
    Way(name="unauthorized", when="before", act=faults.answer(401, "Unauthorized")),
    Way(name="throttled", when="before", act=faults.answer(429, "TooManyRequests", 1)),
    Way(name="broken", when="before", act=faults.answer(500, "InternalError")),
    Way(name="broken-after", when="after", act=faults.answer(500, "InternalError")),
    Way(name="unavailable", when="before", act=faults.answer(503, "ServiceUnavailable")),
    Way(name="unavailable-after", when="after", act=faults.answer(503, "ServiceUnavailable")),
    Way(name="timed-out", when="before", act=faults.answer(504, "Timeout")),
    Way(name="timed-out-after", when="after", act=faults.answer(504, "Timeout")),
    Way(name="reset", when="before", act=faults.drop),
    Way(name="reset-after", when="after", act=faults.drop),
    Way(name="halved", when="after", act=faults.halve),
    Way(name="no-object", when="after", act=faults.page(502, PAGE_OF_A_PROXY)),
    Way(name="no-object-200", when="after", act=faults.page(200, PAGE_OF_A_PROXY)),
    Way(name="slow", when="before", act=faults.delay(1.5), seconds=1.5),
    Way(name="slow-after", when="after", act=faults.delay(1.5), seconds=1.5),
    Way(
        name="late",
        when="before",
        act=faults.late(1.0),
        seconds=1.0,
        is_carried_out_late=True,
    ),
    Way(name="silent", when="before", act=faults.hang(TOO_LONG_S), seconds=TOO_LONG_S),
    Way(name="silent-after", when="after", act=faults.hang(TOO_LONG_S), seconds=TOO_LONG_S),
    Way(
        name="very-late",
        when="before",
        act=faults.delay(TOO_LONG_S),
        seconds=TOO_LONG_S,
        is_carried_out_late=True,
    ),
)
