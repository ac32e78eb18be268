"""Entry point of ``kubectl-wfe``, which kubectl runs as ``kubectl wfe``."""

import sys
from typing import Final

_MISSING: Final = (
    "error: kubectl wfe needs more than is installed; install it with "
    "pip install 'workflowexecution-operator[plugin]'\n"
)


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        from workflowexecution.plugin import app
    except ModuleNotFoundError as error:
        if "workflowexecution" in str(error.name):
            raise
        sys.stderr.write(_MISSING)
        sys.exit(1)
    app.main()


def complete() -> None:
    """Print suggestions for shell completion, for kubectl."""
    try:
        from workflowexecution.plugin import app
    except ModuleNotFoundError:
        sys.exit(1)
    app.complete()


if __name__ == "__main__":
    main()
