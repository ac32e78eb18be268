"""Counts the requests of one user by the API server's own record."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

OPERATOR = "system:serviceaccount:kubernaut-system:workflowexecution-controller"
# Every other verb that is counted is a write.
READS = ("get", "list", "watch")
UPKEEP = (" leases", " configmaps")


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests by `verb resource/subresource`, and those refused by HTTP status."""

    kinds: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All requests; a watch counts when it begins."""
        return self.kinds.total()

    @property
    def writes(self) -> int:
        """Requests that change something; lease and published settings are no part of the work."""
        return sum(
            number
            for kind, number in self.kinds.items()
            if kind.split()[0] not in READS and not kind.endswith(UPKEEP)
        )


def end_of(path: Path) -> int:
    """The present end of the record, to read on from there later."""
    return path.stat().st_size


def asked_since(path: Path, start: int, user: str = OPERATOR) -> Asked:
    """Everything a user has asked since."""
    with path.open("rb") as file:
        file.seek(start)
        return count(file.read(), user)


def count(text: bytes, user: str) -> Asked:
    """Count the requests of one user in lines of the record."""
    asked, mark = Asked(), f'"{user}"'.encode()
    for line in text.splitlines():
        if mark not in line or not line.endswith(b"}"):
            continue
        event = json.loads(line)
        # A watch is recorded when it begins and when it ends.
        stage = "ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"
        if event["stage"] != stage or event["user"]["username"] != user:
            continue
        about = event.get("objectRef", {})
        what = "/".join(filter(None, (about.get("resource"), about.get("subresource"))))
        asked.kinds[f"{event['verb']} {what or event['requestURI']}"] += 1
        code = event.get("responseStatus", {}).get("code", 0)
        if code >= 400:
            asked.refused[code] += 1
    return asked
