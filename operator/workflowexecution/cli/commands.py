"""The commands of ``wfe``; the flags of ``wfe run`` are made from the fields of the settings."""

import asyncio
import json
import sys
from typing import Final, Literal

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
from workflowexecution.api.crd import build_claim_crd, build_crd
from workflowexecution.api.fields import message_of_field
from workflowexecution.api.hold import build_hold_crd
from workflowexecution.bundles.folder import EDITOR_SCHEMA, BundleCommandError
from workflowexecution.cli.bundle import Bundle, with_whole_values
from workflowexecution.cli.run import run
from workflowexecution.core.text import printable
from workflowexecution.orchestrator import build_json_schema
from workflowexecution.settings import Settings

_CRDS: Final = {"executions": build_crd, "holds": build_hold_crd, "claims": build_claim_crd}


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
