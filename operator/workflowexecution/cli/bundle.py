"""``wfe bundle``: checks, renders, pushes and lists remediation bundles."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from workflowexecution.bundles.folder import BundleCommandError
from workflowexecution.core.text import escaped, one_line

if TYPE_CHECKING:
    from workflowexecution.bundles.folder import Bundle as Folder

_MISSING = (
    "wfe bundle needs more than the operator does; install it with "
    "pip install 'workflowexecution-operator[bundles]'"
)


class _Images(BaseModel):
    image: dict[str, str] = Field(
        default_factory=dict,
        description="Reference for a bare image name, as toolbox=registry/name@sha256:…; "
        "the default is a public image.",
    )

    def read(self, folder: Path) -> "Folder":
        from workflowexecution.bundles.folder import DEFAULT_IMAGES, read_bundle

        return read_bundle(folder, {**DEFAULT_IMAGES, **self.image})


class Lint(_Images):
    """Check bundles: Tekton's limits, the conventions, pinned images."""

    folders: CliPositionalArg[list[Path]] = Field(description="Folders of bundles.")
    output: Literal["text", "json"] = Field(
        "text", description="Form in which problems are printed."
    )

    def cli_cmd(self) -> None:
        """Print each problem on a line. Raises: BundleCommandError if there is one."""
        _require_extra()
        from workflowexecution.bundles.lint import lint

        problems = [problem for folder in self.folders for problem in lint(self.read(folder))]
        if self.output == "json":
            fields = ("bundle", "where", "message")
            _print_json([{name: getattr(each, name) for name in fields} for each in problems])
        else:
            sys.stdout.writelines(f"{one_line(str(problem))}\n" for problem in problems)
        if problems:
            raise BundleCommandError(f"{len(problems)} problems in {len(self.folders)} bundles")


class Push(_Images):
    """Check a bundle and push it; prints the reference with its digest."""

    folder: CliPositionalArg[Path] = Field(description="Folder of the bundle.")
    reference: CliPositionalArg[str] = Field(description="Where to, as registry/name:tag.")
    plain_http: bool = Field(False, description="The registry speaks HTTP without TLS.")

    def cli_cmd(self) -> None:
        """Push the bundle. Raises: BundleCommandError where a check or the push fails."""
        _require_extra()
        from workflowexecution.bundles.lint import lint
        from workflowexecution.bundles.packing import pack
        from workflowexecution.bundles.registry import BundleRegistry

        bundle = self.read(self.folder)
        if problems := lint(bundle):
            raise BundleCommandError("\n".join(str(problem) for problem in problems))
        registry = BundleRegistry(self.reference, plain_http=self.plain_http)
        sys.stdout.write(f"{registry.push(pack(bundle.objects))}\n")


class Render(_Images):
    """Print a bundle as plain Tekton YAML, scripts and images filled in."""

    folder: CliPositionalArg[Path] = Field(description="Folder of the bundle.")

    def cli_cmd(self) -> None:
        """Write it to standard output."""
        from workflowexecution.bundles.packing import render

        sys.stdout.write(render(self.read(self.folder).objects))


class List(_Images):
    """List the bundles in a folder, or the objects of a pushed bundle."""

    source: CliPositionalArg[str] = Field(
        description="A folder of bundles, or a reference as registry/name:tag."
    )
    output: Literal["table", "json"] = Field("table", description="Form in which they are printed.")
    plain_http: bool = Field(False, description="The registry speaks HTTP without TLS.")

    def cli_cmd(self) -> None:
        """Write them to standard output. Raises: BundleCommandError where the registry refuses."""
        _require_extra()
        folder = Path(self.source)
        rows = self._folder_rows(folder) if folder.is_dir() else self._pushed_rows()
        if self.output == "json":
            _print_json(rows)
        else:
            _print_table(rows)

    def _folder_rows(self, folder: Path) -> list[dict[str, Any]]:
        found = sorted(path.parent for path in folder.glob("*/workflow.yaml"))
        return [_row_of(self.read(path)) for path in found]

    def _pushed_rows(self) -> list[dict[str, Any]]:
        from workflowexecution.bundles.registry import BundleRegistry

        registry = BundleRegistry(self.source, plain_http=self.plain_http)
        if image := registry.image_in_index():
            sys.stderr.write(
                f"{self.source} is an OCI index; Tekton takes its image {image}, and an execution "
                "that is pinned by the digest of that image has it verified\n"
            )
        fields = ("kind", "name", "api_version", "digest")
        return [{name: getattr(entry, name) for name in fields} for entry in registry.entries()]


class Bundle(BaseModel):
    """Check, list and push remediation bundles."""

    lint: CliSubCommand[Lint]
    push: CliSubCommand[Push]
    render: CliSubCommand[Render]
    list_: CliSubCommand[List] = Field(alias="list")

    def cli_cmd(self) -> None:
        """Run the subcommand."""
        CliApp.run_subcommand(self)


def _row_of(bundle: "Folder") -> dict[str, Any]:
    spec = (bundle.pipeline or {}).get("spec") or {}
    params = spec.get("params") or []
    return {
        "name": bundle.name,
        "description": " ".join(str(spec.get("description", "")).split()),
        "parameters": {
            item["name"]: item.get("default")
            for item in params
            if item["name"] != "TARGET_RESOURCE"
        },
    }


def _print_json(rows: object) -> None:
    sys.stdout.write(escaped(json.dumps(rows, indent=2, ensure_ascii=False)) + "\n")


def _print_table(rows: list[dict[str, Any]]) -> None:
    # Imported here because the operator's pod has no rich, and `wfe run` loads this module.
    from rich.console import Console
    from rich.text import Text

    from workflowexecution.cli.table import UNBOUNDED, Column, table_lines

    def column(key: str) -> Column[dict[str, Any]]:
        return Column(
            key.replace("_", " ").upper(),
            lambda row: _cell(row[key]),
            may_move=key == "description",
            is_text=key == [*rows[0]][-1],
        )

    if not rows:
        sys.stderr.write("no bundles\n")
        return
    console = Console(highlight=False)
    width = console.width if sys.stdout.isatty() else UNBOUNDED
    for line in table_lines(rows, [*map(column, rows[0])], width):
        console.print(Text.assemble(*line), soft_wrap=True)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(key if given is None else f"{key}={given}" for key, given in value.items())
    return str(value)


def _require_extra() -> None:
    """Check that the extra `bundles` is installed. Raises: BundleCommandError."""
    try:
        import jsonschema  # noqa: F401
        import oras  # noqa: F401
        import rich  # noqa: F401
    except ImportError as error:
        raise BundleCommandError(_MISSING) from error
