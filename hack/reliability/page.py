"""The table in docs/reliability.md, made from the results that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reliability.results import FILE, ScenarioResult, load
from reliability.scenarios import SCENARIOS

PAGE = FILE.with_suffix(".md")
BEGIN = "<!-- results: written by `make faults`, from reliability.json -->"
END = "<!-- end of results -->"
HEAD = (
    "| Scenario | Repetitions | Executions | Double runs | Lost | Wrong phases | Recovery | "
    "Restarts | Date | Machine |",
    "|---|--:|--:|--:|--:|--:|--:|--:|---|---|",
)


def table(results: Mapping[str, ScenarioResult]) -> str:
    """All results that there are, as Markdown, in the order of the scenarios."""
    shown = [scenario for scenario in SCENARIOS if scenario.name in results]
    rows = [_row(scenario.title, results[scenario.name]) for scenario in shown]
    return "\n".join([*HEAD, *rows])


def with_results(text: str, results: Mapping[str, ScenarioResult]) -> str:
    """The page with its table made again. Raises: ValueError where it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END} in the page")
    return f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}"


def write(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(with_results(page.read_text(), load()))


def _row(title: str, result: ScenarioResult) -> str:
    recovery = "" if result.recovery_s is None else f"{result.recovery_s:.1f} s"
    cells = (
        f"{title}; {result.note}" if result.note else title,
        f"{result.repetitions:,}",
        f"{result.executions:,}" if result.executions else "",
        str(result.double_runs),
        str(result.lost),
        str(result.wrong_phases),
        recovery,
        str(result.restarts),
        result.date,
        result.machine,
    )
    return f"| {' | '.join(cells)} |"
