"""``cancel``: stop what an execution runs."""

from typing import Annotated

import typer

from workflowexecution.control.cluster import KubeCluster
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.core.facts.run import RunState, parse_run
from workflowexecution.kube import errors
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import cluster_of
from workflowexecution.plugin.rights import missing_right
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError


async def cancel(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name of the execution.")],
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete the execution instead: the operator then cancels its run. "
            "Needs no right over PipelineRuns, and leaves no record.",
        ),
    ] = False,
) -> Exit | None:
    """Stop what an execution runs; its target is free once nothing of it executes any more."""
    cluster = cluster_of(session)
    execution = parse_execution(await cluster.get_execution(session.namespace, name))
    if execution.has_ended:
        raise CommandError(f"{_key(execution)} has ended: it is {execution.phase}")
    if delete:
        await cluster.remove_execution(execution.namespace, execution.name, execution.uid)
        session.printer.say(f"{_key(execution)} is deleted; the operator cancels its run")
    else:
        run = await _cancel_run(cluster, execution)
        session.printer.say(f"{_key(execution)}: PipelineRun {run} is being cancelled")
    return None


async def _cancel_run(cluster: KubeCluster, execution: Execution) -> str:
    """Ask Tekton to end its run; returns namespace/name."""
    if execution.run_name is None or execution.run_namespace is None:
        raise CommandError(
            f"{_key(execution)} has no run to cancel; to have none launched, use --delete"
        )
    where = f"{execution.run_namespace}/{execution.run_name}"
    try:
        run = parse_run(await cluster.get_run(execution.run_namespace, execution.run_name))
        if run is None or run.owner is None or run.owner.uid != execution.uid:
            raise CommandError(f"PipelineRun {where} is not the one that was made for it")
        if run.state is RunState.ACTIVE and not run.is_cancelled:
            await cluster.cancel_run(run)
    except errors.MissingRightError as error:
        raise CommandError(
            f"{missing_right(str(error))}; with --delete no such right is needed", Exit.FORBIDDEN
        ) from error
    return where


def _key(execution: Execution) -> str:
    return f"{execution.namespace}/{execution.name}"
