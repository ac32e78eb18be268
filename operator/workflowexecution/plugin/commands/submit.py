"""``submit``: create an execution from flags or a file, checked first, and wait for its end."""

import asyncio
import secrets
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from workflowexecution.api import identity, reading
from workflowexecution.api.duration import parse_duration
from workflowexecution.control.cluster import Raw, execution_paths
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.kube import errors
from workflowexecution.plugin.commands.parameters import spec_problem
from workflowexecution.plugin.exits import Exit, exit_for
from workflowexecution.plugin.gather import cluster_of
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.views.progress import progress_of
from workflowexecution.plugin.views.why import happened_to

_POLL_S: Final = 1.0


async def submit(
    session: Session,
    file: Annotated[
        Path | None,
        typer.Option("--filename", "-f", help="YAML or JSON of one execution, instead of flags."),
    ] = None,
    name: Annotated[
        str, typer.Option(help="Its name; made from the workflow's if not given.")
    ] = "",
    target: Annotated[str, typer.Option(help="Target, e.g. shop/Deployment/cart.")] = "",
    workflow: Annotated[str, typer.Option(help="Workflow id.")] = "",
    version: Annotated[str, typer.Option(help="Version of the workflow.")] = "",
    image: Annotated[str, typer.Option(help="Bundle with the workflow, an OCI reference.")] = "",
    digest: Annotated[str, typer.Option(help="Digest the bundle must have, sha256:…")] = "",
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=value; may be repeated.")
    ] = None,
    time_limit: Annotated[
        str, typer.Option("--timeout", help="Time limit of the run, e.g. 30m.")
    ] = "",
    service_account: Annotated[str, typer.Option(help="ServiceAccount of the run.")] = "",
    request: Annotated[
        str, typer.Option(help="Name of the remediation request it is for.")
    ] = "manual",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end; the exit status tells the outcome.")
    ] = False,
    wait_timeout: Annotated[str, typer.Option(help="How long to wait at most.")] = "1h",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Have the API server check it; create nothing.")
    ] = False,
) -> Exit | None:
    """Create an execution, checked first; its target is locked as for any other."""
    limit = parse_duration(wait_timeout).total_seconds()
    flags = _present(
        targetResource=target,
        workflowRef=_present(
            workflowId=workflow, version=version, containerImage=image, containerDigest=digest
        ),
        parameters=_parameters(parameter or []),
        executionConfig=_present(timeout=time_limit, serviceAccountName=service_account),
    )
    if file is None:
        manifest = _manifest(name or _new_name(workflow), request, flags)
    elif flags or name:
        raise ValueError("--filename tells everything; leave out the flags of the execution")
    else:
        manifest = _read(file)
    if problem := spec_problem(manifest):
        raise ValueError(f"{problem}; nothing was created")
    created = await _create(session, manifest, dry_run=dry_run)
    _tell(session, created, dry_run=dry_run)
    if not wait or dry_run:
        return None
    return await _wait(session, parse_execution(created), limit)


def _read(file: Path) -> dict[str, Any]:
    """The one execution in a file. Raises: ValueError or OSError naming the file."""
    try:
        found = [item for item in yaml.safe_load_all(file.read_text()) if item is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is neither YAML nor JSON: {error}") from error
    if len(found) != 1 or not isinstance(found[0], dict):
        raise ValueError(f"{file} holds {len(found)} objects; give one WorkflowExecution")
    if found[0].get("kind") != identity.KIND or found[0].get("apiVersion") != identity.API_VERSION:
        raise ValueError(
            f"{file} holds no WorkflowExecution; write apiVersion: {identity.API_VERSION} "
            f"and kind: {identity.KIND}"
        )
    return dict(found[0])


def _manifest(name: str, request: str, flags: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": {"name": name},
        "spec": {"remediationRequestRef": {"name": request}, **flags},
    }


def _new_name(workflow: str) -> str:
    stem = "".join(char if char.isalnum() else "-" for char in workflow.lower()).strip("-")[:40]
    return f"{stem.strip('-') or 'execution'}-{secrets.token_hex(4)}"


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", {})}


def _parameters(given: list[str]) -> dict[str, str]:
    for item in given:
        if "=" not in item:
            raise ValueError(f"--parameter {item!r} has no value; write it like REPLICAS=3")
    return dict(item.split("=", 1) for item in given)


async def _create(session: Session, manifest: dict[str, Any], *, dry_run: bool) -> Raw:
    namespace = reading.text(reading.mapping(manifest, "metadata"), "namespace")
    (path,) = execution_paths([namespace or session.namespace])
    query = {"fieldValidation": "Strict", "fieldManager": "kubectl-wfe"}
    if dry_run:
        query["dryRun"] = "All"
    return await session.client.request("POST", path, body=manifest, params=query)


def _tell(session: Session, created: Raw, *, dry_run: bool) -> None:
    meta = created["metadata"]
    done = "would be created" if dry_run else "created"
    if session.printer.output in (Output.JSON, Output.YAML):
        session.printer.print_document(created)
    elif session.printer.output is Output.NAME:
        session.printer.say(f"{identity.SINGULAR}.{identity.GROUP}/{meta['name']}")
    else:
        session.printer.say(f"{meta['namespace']}/{meta['name']} {done}")


async def _wait(session: Session, created: Execution, limit: float) -> Exit:
    """Follow an execution to its end, telling each change once, on standard error."""
    cluster, deadline, told = cluster_of(session), time.monotonic() + limit, ""
    while True:
        execution = created
        try:
            raw = await cluster.get_execution(created.namespace, created.name)
            execution = parse_execution(raw)
        except errors.UnavailableError as error:
            session.printer.note(f"warning: {error}; asking again")
        if execution.uid != created.uid:
            raise errors.NotFoundError(f"{created.namespace}/{created.name} was deleted")
        if (line := progress_of(execution)) != told:
            session.printer.note(line)
            told = line
        if execution.has_ended:
            if said := happened_to(execution):
                session.printer.note(said)
            return exit_for(execution.phase)
        if time.monotonic() >= deadline:
            session.printer.note("the time to wait is over; it goes on")
            return Exit.STILL_GOING
        await asyncio.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))
