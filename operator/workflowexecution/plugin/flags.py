"""The flags that commands share, and their place; a command refuses those it has no use for.

Shared flags may come before the command, as with kubectl.
"""

import copy
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args, get_type_hints

import typer

from workflowexecution.api import identity
from workflowexecution.plugin.rendering import Output, parse_form

# What to do instead of a flag that a command has no use for, by the parameter below.
Refused = Mapping[str, str]
LISTS: Final = frozenset(Output)
ANSWERS: Final = LISTS - {Output.WIDE}
LINES: Final = frozenset({Output.TABLE, Output.NAME})
WORDS: Final = frozenset({Output.TABLE})
_LOOKS_AT_NO_RUN: Final = {"execution_namespace": "it reads nothing of the runs"}
OF_EXECUTIONS: Final[Refused] = _LOOKS_AT_NO_RUN
OF_TARGETS: Final[Refused] = {
    "namespace": "it shows all namespaces; --target shows one target",
    "all_namespaces": "it shows all namespaces already",
}
OF_A_LAUNCH: Final[Refused] = {"all_namespaces": "an execution is in one namespace: name it by -n"}
OF_HOLDS: Final[Refused] = {
    "namespace": "holds are in the execution namespace: name that by --execution-namespace",
    "all_namespaces": "holds are in the execution namespace, and apply to all others",
}
OF_HOLD: Final[Refused] = {
    "namespace": "to hold what concerns one namespace, use --in",
    "all_namespaces": "to hold every launch, use --everything",
}
OF_THE_CLUSTER: Final[Refused] = {
    "namespace": "it is about the whole cluster",
    "all_namespaces": "it is about the whole cluster",
}
OF_DOCTOR: Final[Refused] = {
    "namespace": "name the operator's by --operator-namespace, that of runs by "
    "--execution-namespace",
    "all_namespaces": "it is about the whole cluster",
}
OF_VERSION: Final[Refused] = {**OF_THE_CLUSTER, **_LOOKS_AT_NO_RUN}
# Shared flags that a value follows, and those without one.
VALUED: Final = (
    *("-n", "--namespace", "-o", "--output", "--context", "--kubeconfig"),
    *("--cluster", "--user", "--as", "--as-group", "--as-uid", "--as-user-extra"),
    "--execution-namespace",
)
PLAIN: Final = ("-A", "--all-namespaces")
_HELP: Final = ("-h", "--help")
_SHORT: Final = ("-n", "-o")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of all commands; None where a flag is not given.

    template: of the output, where it has one.
    as_user, as_groups, as_uid: to impersonate. as_user_extra: each as KEY=VALUE.
    """

    namespace: str | None
    all_namespaces: bool
    output: Output
    template: str = ""
    context: str | None
    kubeconfig: str | None
    cluster: str | None = None
    user: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    as_user_extra: tuple[str, ...] = ()
    execution_namespace: str


def make_flags(
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="Namespace of the executions; else the context's."),
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Executions of all namespaces.")
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FORM",
            help="Form of the answer: `table`, `wide`, `json`, `yaml`, `name`, "
            "`jsonpath=TEMPLATE` or `custom-columns=TITLE:PATH,…`.",
            autocompletion=lambda: [item.value for item in Output],
        ),
    ] = Output.TABLE.value,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    kubeconfig: Annotated[
        str | None, typer.Option(help="Kubeconfig to read; else KUBECONFIG, else ~/.kube/config.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Cluster of the kubeconfig, in place of the context's.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="User of the kubeconfig, in place of the context's.")
    ] = None,
    as_user: Annotated[
        str | None, typer.Option("--as", help="User to impersonate, with your right to do so.")
    ] = None,
    as_groups: Annotated[
        list[str] | None,
        typer.Option("--as-group", help="Group to impersonate with --as; may be repeated."),
    ] = None,
    as_uid: Annotated[
        str | None, typer.Option("--as-uid", help="UID to impersonate with --as.")
    ] = None,
    as_user_extra: Annotated[
        list[str] | None,
        typer.Option(
            "--as-user-extra",
            help="KEY=VALUE to impersonate with --as; may be repeated, also for one key.",
        ),
    ] = None,
    execution_namespace: Annotated[
        str,
        typer.Option(
            envvar="WFE_EXECUTION_NAMESPACE",
            help="Namespace of the PipelineRuns, as in the operator's settings.",
        ),
    ] = identity.DEFAULT_EXECUTION_NAMESPACE,
) -> Flags:
    """The shared flags of one call. Raises: ValueError for an output that there is not."""
    form, template = parse_form(output)
    return Flags(
        namespace=namespace,
        all_namespaces=all_namespaces,
        output=form,
        template=template,
        context=context,
        kubeconfig=kubeconfig,
        cluster=cluster,
        user=user,
        as_user=as_user,
        as_groups=tuple(as_groups or ()),
        as_uid=as_uid,
        as_user_extra=tuple(as_user_extra or ()),
        execution_namespace=execution_namespace,
    )


# Names of the parameters that every command has.
SHARED: Final = tuple(inspect.signature(make_flags).parameters)


def parameters_of(refused: Refused) -> tuple[list[inspect.Parameter], dict[str, Any]]:
    """The shared parameters of a command and their annotations; refused ones are hidden."""
    hints = get_type_hints(make_flags, include_extras=True)
    annotations = {
        name: _hidden(hints[name]) if name in refused else hints[name] for name in SHARED
    }
    found = inspect.signature(make_flags).parameters.values()
    return [item.replace(annotation=annotations[item.name]) for item in found], annotations


def _hidden(annotation: Any) -> Any:
    kind, option = get_args(annotation)
    hidden = copy.copy(option)
    hidden.hidden = True
    return Annotated[kind, hidden]


def problem_of(context: typer.Context, refused: Refused, forms: frozenset[Output]) -> str:
    """The problem with the flags on a command line; empty where there is none.

    Args:
        context: of the command.
        refused: what to do instead, by parameter.
        forms: the forms that its answer has.
    """
    given = [name for name in SHARED if _is_given(context, name)]
    name = context.info_name
    for flag in given:
        if flag in refused:
            return f"{_option(flag)} does nothing in `{name}`: {refused[flag]}"
    if {"namespace", "all_namespaces"} <= set(given):
        return "-n and -A exclude each other: leave one out"
    form, _ = parse_form(context.params["output"])
    if "output" in given and form not in forms:
        others = ", ".join(item for item in Output if item in forms and item is not Output.TABLE)
        instead = f"it has -o {others}" if others else "leave it out"
        return f"-o {form} does nothing in `{name}`: {instead}"
    return ""


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(name: str) -> str:
    """The flag of a parameter, in its short form if it has one."""
    _, option = get_args(get_type_hints(make_flags, include_extras=True)[name])
    # Within Annotated, Typer keeps the first name as the default.
    names = [text for text in (option.default, *(option.param_decls or ())) if text is not ...]
    return str(names[-1] if names else f"--{name.replace('_', '-')}")


def in_order(arguments: Sequence[str]) -> list[str]:
    """The arguments with the command first; `help` and `--version` are commands, too.

    Without a command, or with an unknown flag before it, they are left as they are.
    """
    leading: list[str] = []
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        length = _length(arguments[place])
        if not length:
            return list(arguments)
        leading += arguments[place : place + length]
        place += length
    if place >= len(arguments):
        is_asked = "--version" in leading
        return (
            ["version", *(flag for flag in leading if flag != "--version")] if is_asked else leading
        )
    command, *rest = arguments[place:]
    if command == "help":
        return [*rest[:1], "--help"]
    return [command, *leading, *rest]


def _length(argument: str) -> int:
    """The number of arguments of a shared flag, with itself; 0 for a flag that is not shared."""
    if argument in (*PLAIN, *_HELP, "--version"):
        return 1
    if argument in VALUED:
        return 2
    name, has_value, _ = argument.partition("=")
    return 1 if (has_value and name in VALUED) or argument[:2] in _SHORT else 0
