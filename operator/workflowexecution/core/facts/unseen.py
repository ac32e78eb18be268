"""The run that an execution's status names, before anybody has seen the run itself."""

from workflowexecution.api import reading
from workflowexecution.api.fields import parse_time
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Owner, Run


def unseen_run(execution: Execution, run_name: str, namespace: str) -> Run:
    """What a status tells of its run; it holds its target as one that was deleted does.

    Its ``uid`` is empty: whoever looks at what is left of it reads the run itself first.
    """
    slot = names.parse_slot(run_name)
    meta = reading.mapping(execution.raw, "metadata")
    return Run(
        name=run_name,
        namespace=namespace,
        uid="",
        resource_version="",
        target_key=execution.target_key,
        slot_number=slot[1] if slot else 0,
        target=execution.target,
        workflow_id=execution.workflow_id,
        owner=Owner(uid=execution.uid, namespace=execution.namespace, name=execution.name),
        created_at=execution.started_at or parse_time(meta["creationTimestamp"]),
        is_gone=True,
    )
