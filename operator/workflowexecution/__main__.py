"""Entry point: ``wfe`` and ``python -m workflowexecution``."""

import sys

from workflowexecution.cli import commands


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(commands.main())


if __name__ == "__main__":
    main()
