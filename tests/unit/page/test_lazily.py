"""The page costs an operator nothing that does not serve it."""

import subprocess
import sys


def test_an_operator_without_a_page_does_not_load_it() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, workflowexecution.cli.commands; "
            "print([name for name in sys.modules if 'jinja2' in name or 'execution.page' in name])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"
