"""Entry point of ``kubectl-wfe``, which kubectl runs as ``kubectl wfe``."""

import sys
from typing import Final

_MISSING: Final = (
    "error: kubectl wfe needs more than the operator does; install it with "
    "pip install 'workflowexecution-operator[plugin]'\n"
)


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        from workflowexecution.plugin import app
    except ModuleNotFoundError as error:
        if error.name not in ("rich", "typer"):
            raise
        sys.stderr.write(_MISSING)
        sys.exit(1)
    app.main()


if __name__ == "__main__":
    main()
