"""A role and the process that started it exchange one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


def read_order() -> dict[str, Any]:
    """Read the order from the process that started this role."""
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    return order


def tell(what: str, **details: Any) -> None:
    """Say that something is so."""
    sys.stdout.write(json.dumps({"at": what, **details}) + "\n")
    sys.stdout.flush()


async def told(word: str) -> None:
    """Wait until this word is said; EOFError where nobody will."""
    line = await asyncio.to_thread(sys.stdin.readline)
    if line.strip() != word:
        raise EOFError(f"{line!r} instead of {word!r}")
