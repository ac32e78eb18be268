"""Run as `python -m benchmarks.roles NAME`, with the order as a line of JSON on standard input."""

from __future__ import annotations

import asyncio
import gc
import sys

from benchmarks.roles import lines, lister, player, raw, reactor

ROLES = {"lister": lister.run, "player": player.run, "raw": raw.run, "reactor": reactor.run}


def main() -> None:
    """Play one role to its end."""
    # What measures should not pause: these processes are short, and hold no cycles.
    gc.disable()
    asyncio.run(ROLES[sys.argv[1]](lines.read_order()))


if __name__ == "__main__":
    main()
