"""``submit``: validates and creates an execution from flags or a file, and can wait for its end."""

import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import parse_duration
from workflowexecution.api.spec import parse_spec
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import execution_paths
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.pipeline import declared_in, undeclared_among
from workflowexecution.core.pipelinerun import pinned_image
from workflowexecution.kube import errors
from workflowexecution.plugin.commands.why import IS_KIND_SERVED, fit_of_target, spec_problem
from workflowexecution.plugin.follow import wait_for_end
from workflowexecution.plugin.gather import last_resolved_run, read_settings
from workflowexecution.plugin.parameters import ThisTarget, ThisWorkflow, in_flags
from workflowexecution.plugin.requests import name_of_kind
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, report_unread

_FLAGS: Final = {
    "spec.targetResource": "--target",
    "spec.workflowRef.workflowId": "--workflow",
    "spec.workflowRef.version": "--version",
    "spec.workflowRef.containerImage": "--image",
    "spec.workflowRef.containerDigest": "--digest",
    "spec.parameters": "--parameter",
    "spec.executionConfig.timeout": "--timeout",
    "spec.executionConfig.serviceAccountName": "--service-account",
    "spec.remediationRequestRef.name": "--request",
}


async def submit(
    session: Session,
    file: Annotated[
        Path | None,
        typer.Option(
            "--filename",
            "-f",
            help="YAML or JSON of one execution, instead of flags; - reads standard input.",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="Its name; made from the workflow's if not given.")
    ] = "",
    target: ThisTarget = "",
    workflow: ThisWorkflow = "",
    version: Annotated[str, typer.Option(help="Version of the workflow.")] = "",
    image: Annotated[str, typer.Option(help="Bundle with the workflow, an OCI reference.")] = "",
    digest: Annotated[str, typer.Option(help="Digest the bundle must have, sha256:…")] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            help="NAME=value; may be repeated; warns of names that the last run did not declare.",
        ),
    ] = None,
    time_limit: Annotated[
        str, typer.Option("--timeout", help="Time limit of the run, e.g. 30m.")
    ] = "",
    service_account: Annotated[str, typer.Option(help="ServiceAccount of the run.")] = "",
    request: Annotated[
        str, typer.Option(help="Name of the remediation request it is for; `manual` otherwise.")
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end; the exit status tells the outcome.")
    ] = False,
    wait_timeout: Annotated[
        str, typer.Option(help="How long to wait at most with --wait; 1h otherwise.")
    ] = "",
    any_target: Annotated[
        bool,
        typer.Option(
            "--any-target", help="Also a target whose kind the cluster does not serve as written."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Have the API server check it; create nothing.")
    ] = False,
) -> Exit | None:
    """Create an execution, checked first; its target is locked as for any other."""
    if wait_timeout and not wait:
        raise ValueError("--wait-timeout does nothing without --wait: give both")
    if wait and dry_run:
        raise ValueError("--wait does nothing with --dry-run, which creates nothing: leave it out")
    limit = parse_duration(wait_timeout or "1h").total_seconds()
    flags = _present(
        targetResource=target,
        workflowRef=_present(
            workflowId=workflow, version=version, containerImage=image, containerDigest=digest
        ),
        parameters=_parameters(parameter or []),
        executionConfig=_present(timeout=time_limit, serviceAccountName=service_account),
    )
    if file is None:
        manifest = _manifest(name or _new_name(workflow), request or "manual", flags)
    elif flags or name or request:
        raise ValueError(
            "the file has the whole execution; leave out --filename or the other flags"
        )
    else:
        manifest = _read(file)
    flag_of: Mapping[str, str] = {} if file else _FLAGS
    if problem := spec_problem(manifest):
        raise ValueError(f"{in_flags(problem, flag_of)}; nothing was created")
    if not any_target:
        await _check_kind(session, manifest, flag_of)
    created = await _create(session, manifest, dry_run=dry_run)
    _print_created(session, created, dry_run=dry_run)
    await _warn_of_parameters(session, manifest)
    await _warn_of_operator(session, created)
    if not wait:
        return None
    return await wait_for_end(session, parse_execution(created), limit)


async def _check_kind(
    session: Session, manifest: dict[str, Any], flag_of: Mapping[str, str]
) -> None:
    """Refuse a target that no object of the cluster can have. Raises: ValueError with the fix."""
    unread: list[str] = []
    fit = await fit_of_target(session, reading.text(manifest, "spec", "targetResource"), unread)
    if fit.problem:
        said = in_flags(f"spec.targetResource: {fit.problem}", flag_of)
        raise ValueError(f"{said}; nothing was created (--any-target creates it as it is)")
    if fit.unchecked:
        session.printer.note(f"warning: the kind of the target was not checked: {fit.unchecked}")
    report_unread(session.printer, IS_KIND_SERVED, unread)


async def _warn_of_parameters(session: Session, manifest: dict[str, Any]) -> None:
    """Warn of parameters that the last run of the bundle did not declare, if that can be read."""
    spec, _ = parse_spec(manifest)
    if spec is None or not spec.parameters:
        return
    bundle = pinned_image(spec)
    run = await last_resolved_run(session, spec.workflow_ref.workflow_id, bundle)
    undeclared = undeclared_among(spec.parameters, declared_in(run)) if run else None
    if run and undeclared:
        meta = run["metadata"]
        shown_by = f"as its last run {meta['namespace']}/{meta['name']} shows"
        session.printer.note(f"warning: {undeclared.describe()} ({shown_by})")


async def _warn_of_operator(session: Session, created: Raw) -> None:
    """Warn where nobody may decide on it: its namespace is not served, or the operator is away."""
    namespace = reading.text(created, "metadata", "namespace")
    target = reading.text(created, "spec", "targetResource")
    try:
        settings = await read_settings(session)
    except errors.ApiError:
        # It is created, and what follows is not known.
        return
    basis = settings.basis_for(target, session.now())
    for line in filter(None, (basis.not_served(namespace), *basis.notes)):
        session.printer.note(f"warning: {line}")


def _read(file: Path) -> dict[str, Any]:
    """Read the one execution in a file. Raises: ValueError or OSError that names the file."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        found = [item for item in yaml.safe_load_all(text) if item is not None]
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
        # Also an empty reference: what is missing in it is named then.
        "spec": {"remediationRequestRef": {"name": request}, "workflowRef": {}, **flags},
    }


def _new_name(workflow: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:40]
    return f"{stem.strip('-') or 'execution'}-{secrets.token_hex(4)}"


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", {})}


def _parameters(given: list[str]) -> dict[str, str]:
    for item in given:
        if "=" not in item:
            raise ValueError(f"--parameter {item!r} has no value; write it like REPLICAS=3")
    return dict(item.split("=", 1) for item in given)


async def _create(session: Session, manifest: dict[str, Any], *, dry_run: bool) -> Raw:
    namespace = reading.text(manifest, "metadata", "namespace")
    if namespace and session.asked_namespace not in ("", namespace):
        raise ValueError(
            f"the file names namespace {namespace}, and -n names {session.asked_namespace}: "
            "name one namespace"
        )
    (path,) = execution_paths([namespace or session.namespace])
    query = {"fieldValidation": "Strict", "fieldManager": "kubectl-wfe"}
    if dry_run:
        query["dryRun"] = "All"
    return await session.client.request("POST", path, body=manifest, params=query)


def _print_created(session: Session, created: Raw, *, dry_run: bool) -> None:
    meta = created["metadata"]
    done = "would be created" if dry_run else "created"
    text = f"{meta['namespace']}/{meta['name']} {done}"
    session.printer.print_answer(created, name_of_kind(meta["name"]), text)
