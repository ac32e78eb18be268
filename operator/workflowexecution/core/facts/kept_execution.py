"""The part of an execution that is kept between two passes: its author cannot choose its size.

An execution may be a megabyte, and a single wide character makes a string take four times as much.
Decisions, statuses and what is announced need little of it; the parameters go into the run alone.
"""

import sys
from dataclasses import replace
from typing import Any, Final

from workflowexecution.api import reading, validation
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution

# Of parameters, as they lie in memory: those of nearly all executions are far smaller.
PARAMETERS_KEPT: Final = 16 * 1024
_PROBLEM_MAX: Final = 4096
_META: Final = (
    *("namespace", "name", "uid", "resourceVersion"),
    *("generation", "creationTimestamp", "deletionTimestamp"),
)
# Each has a length that the definition bounds.
_SPEC: Final = ("remediationRequestRef", "workflowRef", "targetResource", "executionConfig")
# A traceparent has 55 characters, and more only behind a dash.
_TRACEPARENT_MAX: Final = 56


def kept(seen: Execution) -> Execution:
    """The same execution without what nothing asks for again: at most about 40 KiB.

    Parameters that are large, or are in a run already, are left out: it is not whole then, and
    tells what is wrong with its spec where that still matters.
    """
    if not seen.is_whole:
        return seen
    meta, spec = reading.mapping(seen.raw, "metadata"), reading.mapping(seen.raw, "spec")
    has_run = seen.run_name is not None
    is_whole = not has_run and bool(spec) and _is_small(spec.get("parameters"))
    problem = "" if has_run or is_whole else validation.parse_spec(seen.raw)[1]
    wanted = (*_SPEC, "parameters") if is_whole else _SPEC
    parent = reading.text(reading.mapping(meta, "annotations"), names.TRACEPARENT)
    small = {
        "metadata": {key: meta[key] for key in _META if key in meta}
        | {"annotations": {names.TRACEPARENT: parent[:_TRACEPARENT_MAX]} if parent else {}},
        "spec": {key: spec[key] for key in wanted if key in spec},
        "status": reading.mapping(seen.raw, "status"),
    }
    return replace(seen, raw=small, is_whole=is_whole, problem=problem[:_PROBLEM_MAX])


def _is_small(parameters: Any) -> bool:
    if parameters is None:
        return True
    texts = (*parameters, *parameters.values()) if isinstance(parameters, dict) else (parameters,)
    are_texts = isinstance(parameters, dict) and all(isinstance(one, str) for one in texts)
    return are_texts and sum(map(sys.getsizeof, texts)) <= PARAMETERS_KEPT
