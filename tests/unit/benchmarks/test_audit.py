"""The API server's own record tells what one user has asked, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import audit

OTHER = "admin"


def event(
    verb: str, resource: str, subresource: str = "", *, user: str = audit.OPERATOR, code: int = 200
) -> dict[str, Any]:
    about = {"resource": resource, "subresource": subresource}
    return {
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": user},
        "objectRef": {key: value for key, value in about.items() if value},
        "responseStatus": {"code": code},
    }


def lines(*events: dict[str, Any]) -> bytes:
    text = [json.dumps(one, separators=(",", ":")) for one in events]
    return ("\n".join(text) + "\n").encode()


def test_requests_are_counted_by_verb_and_resource() -> None:
    text = lines(
        event("create", "pipelineruns", code=201),
        event("patch", "workflowexecutions", "status"),
        event("patch", "workflowexecutions", "status"),
        event("list", "pods"),
    )
    asked = audit.count(text, audit.OPERATOR)
    assert asked.kinds == {
        "create pipelineruns": 1,
        "patch workflowexecutions/status": 2,
        "list pods": 1,
    }
    assert (asked.total, asked.writes) == (4, 3)


def test_what_others_ask_is_not_counted() -> None:
    about_us = event("get", "serviceaccounts", user=OTHER) | {"note": audit.OPERATOR}
    text = lines(event("create", "pipelineruns", user=OTHER), about_us)
    assert audit.count(text, audit.OPERATOR).total == 0


def test_a_watch_counts_once_though_it_is_recorded_twice() -> None:
    begins = event("watch", "pipelineruns") | {"stage": "ResponseStarted"}
    text = lines(begins, event("watch", "pipelineruns"))
    assert audit.count(text, audit.OPERATOR).kinds == {"watch pipelineruns": 1}
    assert audit.count(lines(begins), audit.OPERATOR).kinds == {"watch pipelineruns": 1}


def test_refusals_are_counted_by_status() -> None:
    text = lines(
        event("create", "pipelineruns", code=409),
        event("create", "pipelineruns", code=429),
        event("create", "pipelineruns", code=429),
    )
    assert audit.count(text, audit.OPERATOR).refused == {409: 1, 429: 2}


def test_the_lease_is_no_part_of_the_work() -> None:
    text = lines(event("update", "leases"), event("patch", "configmaps"), event("create", "events"))
    assert audit.count(text, audit.OPERATOR).writes == 1


def test_only_what_came_since_is_read_and_a_line_under_way_is_left(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(lines(event("list", "pods")))
    start = audit.end_of(log)
    with log.open("ab") as file:
        file.write(lines(event("create", "events")) + lines(event("create", "events"))[:40])
    assert audit.asked_since(log, start).kinds == {"create events": 1}
