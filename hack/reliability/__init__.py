"""`make faults`: scenarios of faults against the operator, with results kept in docs/.

A scenario runs as tests with `WFE_FAULTS=long` in their environment and calls `record` once.
"""

import pytest

from reliability.results import ScenarioResult, is_long, record

# For what takes too long for `make test`.
long_only = pytest.mark.skipif(not is_long(), reason="part of `make faults`")

__all__ = ["ScenarioResult", "is_long", "long_only", "record"]
