"""An execution wants the run that its status names."""

from dataclasses import replace

import pytest

from builders import RUN_NAMESPACE, TARGET, make_execution
from workflowexecution.api.status import Phase
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution

NAME = names.run_name(TARGET, 1)
NAMED = make_execution(phase=Phase.RUNNING, number=1)
OF_AN_EARLIER_VERSION = replace(NAMED, run_namespace=None)


@pytest.mark.parametrize(
    ("execution", "namespace", "name", "wants"),
    [
        (make_execution(), RUN_NAMESPACE, NAME, True),
        (NAMED, RUN_NAMESPACE, NAME, True),
        (NAMED, RUN_NAMESPACE, "another", False),
        (NAMED, "their-runs", NAME, False),
        (OF_AN_EARLIER_VERSION, "their-runs", NAME, True),
        (OF_AN_EARLIER_VERSION, RUN_NAMESPACE, "another", False),
    ],
)
def test_it_wants_the_run_that_its_status_names(
    execution: Execution, namespace: str, name: str, wants: bool
) -> None:
    assert execution.wants(namespace, name) is wants
