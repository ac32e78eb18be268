"""``wfe bundle``: makes, checks, tries, pushes and lists remediation bundles."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AliasChoices, BaseModel, Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from workflowexecution.api.identity import DEFAULT_TIMEOUT
from workflowexecution.bundles.folder import BundleCommandError
from workflowexecution.core.text import escaped, one_line

if TYPE_CHECKING:
    from workflowexecution.bundles.folder import Bundle as Folder

_MISSING = (
    "wfe bundle needs more than the operator does; install it with "
    "pip install 'workflowexecution-operator[bundles]'"
)


_PARAMETER_FLAG = re.compile(r"(?:-p|--parameter)=?(?P<given>.*)", re.DOTALL)


class _Images(BaseModel):
    image: dict[str, str] = Field(
        default_factory=dict,
        description="Reference for a bare image name, as toolbox=registry/name@sha256:…; "
        "the default is a public image.",
    )

    def read(self, folder: Path) -> "Folder":
        from workflowexecution.bundles.folder import DEFAULT_IMAGES, read_bundle

        return read_bundle(folder, {**DEFAULT_IMAGES, **self.image})

    def checked(self, folder: Path) -> "Folder":
        """Read a bundle without problems. Raises: BundleCommandError where it has some."""
        from workflowexecution.bundles.lint import lint

        bundle = self.read(folder)
        if problems := lint(bundle):
            raise BundleCommandError("\n".join(str(problem) for problem in problems))
        return bundle


class New(BaseModel):
    """Make the folder of a new bundle, with its test; it passes lint as it is."""

    folder: CliPositionalArg[Path] = Field(description="Folder to make, named as the workflow.")

    def cli_cmd(self) -> None:
        """Write the files and print their names."""
        from workflowexecution.bundles.folder import make_bundle

        sys.stdout.writelines(f"{one_line(str(path))}\n" for path in make_bundle(self.folder))


class Lint(_Images):
    """Check bundles: Tekton's limits, the conventions, pinned images."""

    paths: CliPositionalArg[list[Path]] = Field(
        description="Folders of bundles, or of several bundles, or files in them."
    )
    output: Literal["text", "json"] = Field(
        "text", description="Form in which problems are printed."
    )

    def cli_cmd(self) -> None:
        """Print each problem on a line. Raises: BundleCommandError if there is one."""
        _require_extra()
        from workflowexecution.bundles.folder import bundles_at
        from workflowexecution.bundles.lint import lint

        folders = list(dict.fromkeys(each for path in self.paths for each in bundles_at(path)))
        problems = [problem for folder in folders for problem in lint(self.read(folder))]
        if self.output == "json":
            fields = ("bundle", "where", "message")
            _print_json([{name: getattr(each, name) for name in fields} for each in problems])
        else:
            sys.stdout.writelines(f"{one_line(str(problem))}\n" for problem in problems)
        if problems:
            raise BundleCommandError(f"{len(problems)} problems in {len(folders)} bundles")


class Try(_Images):
    """Run a bundle's folder on the cluster of the kubeconfig, without an operator and a registry.

    Exit status: 0 where the run is Completed, 10 where it has Failed, 1 where it cannot be run.
    """

    folder: CliPositionalArg[Path] = Field(description="Folder of the bundle.")
    target: str = Field(description="The target, as namespace/kind/name or kind/name.")
    parameter: dict[str, str] = Field(
        default_factory=dict,
        validation_alias=AliasChoices("p", "parameter"),
        description="A parameter, as NAME=VALUE; may be repeated.",
    )
    namespace: str = Field(
        "",
        validation_alias=AliasChoices("n", "namespace"),
        description="Namespace of the run; the default is that of the kubeconfig.",
    )
    service_account: str = Field(
        "",
        description="ServiceAccount of the run; the default is one of its own, which has the "
        "rights of role.yaml where the target is, and is removed at the end.",
    )
    timeout: str = Field(DEFAULT_TIMEOUT, description="Time limit of the run.")
    kubeconfig: str | None = Field(None, description="Path of a kubeconfig.")
    context: str | None = Field(None, description="Context of the kubeconfig.")
    keep: bool = Field(False, description="Keep the PipelineRun, with its pods and logs.")

    def cli_cmd(self) -> None:
        """Print the logs of its steps and its outcome. Raises: BundleCommandError, ValueError."""
        _require_extra()
        from workflowexecution.bundles.trial import Order, check_parameters
        from workflowexecution.cli.try_bundle import new_name, try_bundle
        from workflowexecution.kube.kubeconfig import Asked
        from workflowexecution.kube.load_access import load_access, load_namespace

        asked = Asked(self.kubeconfig, self.context)
        bundle = self.checked(self.folder)
        check_parameters(bundle, self.parameter)
        order = Order(
            bundle=bundle,
            target=self.target,
            parameters=self.parameter,
            namespace=self.namespace or load_namespace(asked),
            name=new_name(bundle.name),
            service_account=self.service_account,
            timeout=self.timeout,
        )
        access = load_access(asked)
        try:
            asyncio.run(try_bundle(access, order, keeps=self.keep))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise BundleCommandError("interrupted, so the run was stopped", status=130) from None


class Push(_Images):
    """Check a bundle and push it; prints the reference with its digest."""

    folder: CliPositionalArg[Path] = Field(description="Folder of the bundle.")
    reference: CliPositionalArg[str] = Field(description="Where to, as registry/name:tag.")
    plain_http: bool = Field(False, description="The registry speaks HTTP without TLS.")

    def cli_cmd(self) -> None:
        """Push the bundle. Raises: BundleCommandError where a check or the push fails."""
        _require_extra()
        from workflowexecution.bundles.packing import pack
        from workflowexecution.bundles.registry import BundleRegistry

        bundle = self.checked(self.folder)
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
    """Make, check, try, list and push remediation bundles."""

    new: CliSubCommand[New]
    lint: CliSubCommand[Lint]
    try_: CliSubCommand[Try] = Field(alias="try")
    push: CliSubCommand[Push]
    render: CliSubCommand[Render]
    list_: CliSubCommand[List] = Field(alias="list")

    def cli_cmd(self) -> None:
        """Run the subcommand."""
        CliApp.run_subcommand(self)


def with_whole_values(arguments: Sequence[str]) -> list[str]:
    """The arguments of ``wfe``; the parameters of ``bundle try`` are written as JSON.

    As NAME=VALUE, pydantic-settings would take a comma in a value for the end of that value.
    """
    if tuple(arguments[:2]) != ("bundle", "try"):
        return list(arguments)
    return list(_as_json(iter(arguments)))


def _as_json(arguments: Iterator[str]) -> Iterator[str]:
    for argument in arguments:
        flag = _PARAMETER_FLAG.fullmatch(argument)
        given = next(arguments, "") if flag and not flag["given"] else flag and flag["given"]
        if not flag:
            yield argument
            continue
        name, is_pair, value = (given or "").partition("=")
        if not is_pair:
            raise ValueError(f"-p {given}: write it as NAME=VALUE")
        yield from ("-p", json.dumps({name: value}))


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
