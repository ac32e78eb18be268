"""The commands of ``wfe``; the flags of ``wfe run`` are made from the fields of the settings.

``wfe run`` starts the operator with its settings, and runs it until a signal to stop.
"""

import asyncio
import gc
import json
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import structlog
import yaml
from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliPositionalArg,
    CliSubCommand,
    SettingsConfigDict,
    SettingsError,
)

from workflowexecution import __version__
from workflowexecution.api.crd import build_crd
from workflowexecution.api.fields import message_of_field
from workflowexecution.api.hold import build_claim_crd, build_hold_crd
from workflowexecution.bundles.folder import EDITOR_SCHEMA, BundleCommandError
from workflowexecution.cli.bundle import Bundle, with_whole_values
from workflowexecution.controller.recorder import open_event_sinks
from workflowexecution.core.pipelinerun import RunTemplate
from workflowexecution.core.policy import Policy, Retention
from workflowexecution.core.text import printable
from workflowexecution.kube.access import Access
from workflowexecution.kube.load_access import load_access
from workflowexecution.manager.manager import Manager
from workflowexecution.observe.logs import configure_logs
from workflowexecution.observe.metrics import Metrics
from workflowexecution.observe.web_server import Health, HttpServer
from workflowexecution.orchestrator import build_json_schema
from workflowexecution.settings import Settings

if TYPE_CHECKING:
    from workflowexecution.page.page import StatusPage

_CRDS: Final = {"executions": build_crd, "holds": build_hold_crd, "claims": build_claim_crd}
# Parsing makes many objects and no cycles: with the default threshold of 700, the garbage collector
# takes half of the time of a list. kopf leaves cycles with each event: with a threshold of 50,000,
# one collection stops the process for 100 ms.
_COLLECT_AFTER: Final = 5_000


def policy_of(settings: Settings) -> Policy:
    """The settings that reconciling needs."""
    return Policy(
        cooldown=settings.cooldown,
        progress_interval=settings.progress_interval,
        cancel_grace=settings.cancel_grace,
        deadline_grace=settings.deadline_grace,
        leftover_grace=settings.leftover_grace,
        retention=Retention(
            runs=settings.run_retention,
            failed_runs=settings.failed_run_retention,
            executions=settings.execution_retention,
            cooldown=settings.cooldown,
        ),
        template=RunTemplate(
            namespace=settings.execution_namespace,
            allowed_service_accounts=frozenset(settings.allowed_service_accounts),
            security_context=settings.run_security_context,
            pod=settings.pod,
            finally_timeout=settings.finally_timeout,
            is_traced=bool(settings.traces_endpoint),
        ),
        guards=settings.guards,
        watch_namespaces=tuple(settings.watch_namespaces),
        shard=settings.shard,
    )


async def run(settings: Settings) -> None:
    """Run the operator until SIGTERM or SIGINT.

    Raises: ValueError or OSError where it cannot start; RuntimeError where it cannot continue.
    """
    configure_logs(settings.log_format, settings.log_level)
    stop = asyncio.Event()
    keep_signals = partial(_stop_at_signals, stop)
    keep_signals()
    access = load_access()
    # The objects of the imports are never freed, so the garbage collector need not scan them.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 200, 100)
    health, metrics = Health(), Metrics()
    server = HttpServer(health, metrics)
    probes_port, metrics_port = await server.start(
        settings.bind_address,
        probes_port=settings.probes_port,
        metrics_port=settings.metrics_port,
    )
    structlog.get_logger("app").info(
        "starting",
        version=__version__,
        server=access.server,
        execution_namespace=settings.execution_namespace,
        shard=str(settings.shard),
        probes_port=probes_port,
        metrics_port=metrics_port,
    )
    event_sinks = open_event_sinks(
        metrics,
        settings.cloudevents_window,
        traces_endpoint=settings.traces_endpoint,
        cloudevents_sink=settings.cloudevents_sink,
    )
    page = _page_of(settings, access)
    app = Manager(
        access,
        policy_of(settings),
        metrics,
        health,
        concurrency=settings.concurrency,
        resync_interval=settings.resync_interval,
        lease_namespace=settings.lease_namespace if settings.leader_election else None,
        event_sinks=event_sinks,
        listener=page,
        keep_signals=keep_signals,
    )
    try:
        if page is not None:
            await page.start(app.view, settings.bind_address, settings.page_port)
        await app.run(stop)
    finally:
        if page is not None:
            await page.close()
        await asyncio.gather(*(sink.close() for sink in event_sinks))
        await server.close()


def _stop_at_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _page_of(settings: Settings, access: Access) -> "StatusPage | None":
    """The status page, None where it is off; its modules take memory and are loaded only here.

    Raises: ValueError where a package that it needs is not installed.
    """
    if settings.page == "off":
        return None
    try:
        from workflowexecution.page.page import StatusPage
    except ModuleNotFoundError as error:
        extra = "pip install 'workflowexecution-operator[page]'"
        raise ValueError(f"--page={settings.page}: {error}; {extra}, or set --page=off") from error
    return StatusPage(
        access,
        is_for_loopback=settings.page == "loopback",
        audience=settings.page_audience,
    )


class Run(Settings):
    """Run the operator, in a cluster or on the current kubeconfig."""

    def cli_cmd(self) -> None:
        """Run until a signal to stop."""
        asyncio.run(run(self))


class Crd(BaseModel):
    """Print a CustomResourceDefinition: of executions, of holds, or of claims."""

    of: CliPositionalArg[Literal["executions", "holds", "claims"]] = Field(
        default="executions", description="Which: executions, holds or claims."
    )

    def cli_cmd(self) -> None:
        """Write it to standard output as YAML."""
        crd = _CRDS[self.of]()
        yaml.safe_dump(crd, sys.stdout, sort_keys=False, width=100, allow_unicode=True)


class Schema(BaseModel):
    """Print the JSON Schema of a WorkflowExecution, or of the workflow.yaml of a bundle."""

    of: CliPositionalArg[Literal["execution", "bundle"]] = Field(
        default="execution", description="Which: execution or bundle."
    )

    def cli_cmd(self) -> None:
        """Write it to standard output as JSON."""
        if self.of == "bundle":
            sys.stdout.write(EDITOR_SCHEMA.read_text())
            return
        json.dump(build_json_schema(), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")


class Version(BaseModel):
    """Print the version."""

    def cli_cmd(self) -> None:
        """Write it to standard output."""
        sys.stdout.write(f"{__version__}\n")


class Wfe(BaseSettings):
    """Launch remediation workflows on Kubernetes safely."""

    model_config = SettingsConfigDict(
        cli_prog_name="wfe",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    run: CliSubCommand[Run]
    crd: CliSubCommand[Crd]
    schema_: CliSubCommand[Schema] = Field(alias="schema")
    bundle: CliSubCommand[Bundle]
    version: CliSubCommand[Version]

    def cli_cmd(self) -> None:
        """Run the subcommand."""
        CliApp.run_subcommand(self)


def _print_error(error: str) -> None:
    """Print an error without control characters: it may quote a registry or a file."""
    sys.stderr.write(f"wfe: {printable(error)}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run ``wfe``; print each error in the arguments on a line, with field and value."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        CliApp.run(Wfe, cli_args=with_whole_values(given))
    except ValidationError as error:
        for item in error.errors():
            field = ".".join(str(part) for part in item["loc"])
            _print_error(f"{field}={item['input']!r}: {message_of_field(item)}")
        return 2
    except (SettingsError, ValueError, OSError) as error:
        _print_error(str(error))
        return 2
    except BundleCommandError as error:
        if str(error):
            _print_error(str(error))
        return error.status
    except RuntimeError as error:
        _print_error(f"stopped: {error}")
        return 1
    return 0
