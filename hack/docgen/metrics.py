"""`docs/reference/metrics.md`, made from the metrics that the operator serves."""

from __future__ import annotations

from pathlib import Path

from workflowexecution import __version__
from workflowexecution.observe.described import Described
from workflowexecution.observe.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
HEAD = """# Metrics

What the operator tells Prometheus at `/metrics` on port 9090. This page is made from the metrics
themselves by `make docs`. [Observe](../how-to/observe.md) shows how to read them, what to alert on,
and which dashboard shows them.

No label ever carries a name or a target, so the number of series does not grow with what is done.
Every series is there from the start, but for those of requests, whose statuses are not known
before. Gauges of what is held are told by every replica, also by those that stand by: take `max`,
not `sum`. Durations are in seconds. Timestamps of the API server are whole seconds, so what is
counted from one can be up to a second too long.

| Metric | Type | Labels | |
|---|---|---|---|
"""
TAIL = """
Beside these there are the usual `process_…` metrics: `process_resident_memory_bytes`,
`process_cpu_seconds_total`, `process_open_fds`, `process_max_fds`,
`process_virtual_memory_bytes` and `process_start_time_seconds`.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(_row(metric) for metric in Metrics().described) + TAIL


def _row(metric: Described) -> str:
    labels = "; ".join(_label(name, values) for name, values in metric.labels.items())
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |\n"


def _label(name: str, values: tuple[str, ...]) -> str:
    # The page is the same in every version.
    told = ("that of the operator",) if values == (__version__,) else values
    return f"`{name}`: {', '.join(told)}"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
