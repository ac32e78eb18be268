"""`make faults`: what is tried against the operator, and what came of it, kept in docs/.

A scenario runs as tests with `WFE_FAULTS=long` in their environment and calls `record` once.
"""

from reliability.results import ScenarioResult, is_long, record

__all__ = ["ScenarioResult", "is_long", "record"]
