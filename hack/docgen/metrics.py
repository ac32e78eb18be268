"""`docs/reference/metrics.md`, made from the metrics that the operator serves."""

from __future__ import annotations

from pathlib import Path

from workflowexecution import __version__
from workflowexecution.observe.api_requests import Described
from workflowexecution.observe.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
HEAD = """# Metrics

The operator serves these metrics to Prometheus at `/metrics` on port 9090. This page is made from
the metrics themselves by `make docs`. [Observe](../how-to/observe.md) shows how to read them, the
alerts, and the dashboard.

No label contains a name or a target, so the number of series does not grow with the work. Every
series exists from the start, except those of requests, because their statuses are not known
before. Every replica reports the gauges of locks and holds, also a standby: use `max`, not `sum`.
Durations are in seconds. Timestamps of the API server are whole seconds, so a duration that begins
at one can be up to a second too long.

| Metric | Type | Labels | |
|---|---|---|---|
"""
TAIL = """
There are also the usual `process_…` metrics: `process_resident_memory_bytes`,
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
    if values == (__version__,):
        return f"`{name}`: that of the operator"
    return f"`{name}`: {', '.join(f'`{value}`' for value in values)}"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
