"""The page for orchestrators says what the kit does: its tables are the kit's, its code runs."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from workflowexecution.orchestrator import Advice, NextStep
from workflowexecution.orchestrator.advice import BEFORE_EXECUTION, DURING_EXECUTION, SKIPPED

PAGE = (Path(__file__).parents[3] / "docs" / "orchestrators.md").read_text()


def table_under(heading: str) -> list[str]:
    """The rows of the first table under a heading, without its head."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("After a skip", SKIPPED),
        ("After a failure before any step had started", BEFORE_EXECUTION),
        ("After a failure during execution", DURING_EXECUTION),
    ],
)
def test_the_page_gives_the_advice_of_the_kit(heading: str, table: Mapping[str, Advice]) -> None:
    rows = [
        f"| `{reason}` | `{said.next_step}` | {said.because} |" for reason, said in table.items()
    ]
    assert table_under(heading) == rows


@pytest.mark.parametrize("step", NextStep)
def test_the_page_explains_every_next_step(step: NextStep) -> None:
    assert f"\n| `{step}` | " in PAGE


def test_the_code_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    exec(compile(code, "docs/orchestrators.md", "exec"), {})
    assert capsys.readouterr().out == "Wait because it has not ended\n"
