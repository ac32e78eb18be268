"""Entry point: ``wfe`` and ``python -m workflowexecution``."""

import sys
from typing import Final

_MISSING: Final = (
    "wfe: {name} is missing; install the operator with "
    "pip install 'workflowexecution-operator[operator]'\n"
)


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        from workflowexecution.cli import commands
    except ModuleNotFoundError as error:
        if "workflowexecution" in str(error.name):
            raise
        sys.stderr.write(_MISSING.format(name=error.name))
        sys.exit(1)
    sys.exit(commands.main())


if __name__ == "__main__":
    main()
