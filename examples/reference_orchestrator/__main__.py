"""Create an execution for each order, wait for all to end, and say what to do with each request.

Reads one JSON order per line: `{"request": object, "workflow": {…}, "target": {…}}`, and "attempt"
for a retry; all requests are in one namespace. Prints one JSON line for each request as soon as
that is known, then one for each group of duplicates. Exits with 0 if all have ended, 1 if some had
not at the deadline.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from reference_orchestrator.api import Executions, Object
from workflowexecution.orchestrator import (
    Interpretation,
    Key,
    Request,
    Workflow,
    build_execution,
    build_target_resource,
    group_duplicates,
    interpret,
    parse_request,
)


def main() -> int:
    """Carry out all orders; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog="reference_orchestrator")
    parser.add_argument("--deadline", type=float, default=60.0, help="seconds to wait for all")
    deadline = time.monotonic() + parser.parse_args().deadline
    orders = [json.loads(line) for line in sys.stdin if line.strip()]
    requests = [parse_request(order["request"]) for order in orders]
    (namespace,) = {request.namespace for request in requests}
    executions = Executions(namespace)
    made = [
        executions.ensure(_execution_for(order, request), request, deadline)
        for order, request in zip(orders, requests, strict=True)
    ]
    latest = _wait_for(made, executions, deadline)
    for group in group_duplicates(latest.values()):
        _say({"notify": group.of, "duplicates": [member.request for member in group.members]})
    return 0 if all(interpret(item).has_ended for item in latest.values()) else 1


def _execution_for(order: Mapping[str, Any], request: Request) -> dict[str, Any]:
    target = build_target_resource(**order["target"])
    attempt = order.get("attempt", 1)
    return build_execution(request, Workflow(**order["workflow"]), target, attempt=attempt)


def _wait_for(made: Iterable[Object], executions: Executions, deadline: float) -> dict[Key, Object]:
    """The executions as they were last seen, all of them ended or the deadline past."""
    latest = {interpret(item).execution: item for item in made}
    pending = set(latest)
    for item in executions.follow(deadline):
        said = interpret(item)
        if said.execution not in pending:
            continue
        latest[said.execution] = item
        if said.has_ended:
            pending.remove(said.execution)
            _conclude(said)
        if not pending:
            break
    for key in sorted(pending):
        _conclude(interpret(latest[key]))
    return latest


def _conclude(said: Interpretation) -> None:
    _say(
        {
            "request": said.request,
            "execution": said.execution,
            "standing": said.standing,
            "nextStep": said.next_step,
            "reason": said.reason,
            "because": said.because,
            "duplicateOf": said.duplicate_of,
            "duplicateOfRequest": said.duplicate_of_request,
            "until": said.until,
        }
    )


def _say(line: Mapping[str, Any]) -> None:
    print(json.dumps(line, default=str), flush=True)


if __name__ == "__main__":
    sys.exit(main())
