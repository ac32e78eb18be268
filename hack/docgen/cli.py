"""`docs/reference/cli.md`, made from the commands of `kubectl wfe` themselves."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, get_args

from typer.main import get_command

from workflowexecution.plugin.app import application
from workflowexecution.plugin.flags import SHARED
from workflowexecution.plugin.shell import Exit

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
HEAD = """# kubectl wfe

`kubectl wfe` shows executions, explains and stops them, with the rights of its user. `wfe run`
runs the operator itself. This page is made from the commands by `make docs`.

## Install

It is the program `kubectl-wfe` of the operator's package with the extra `plugin`, and needs Python
3.11 to 3.14; kubectl finds it on the `PATH`:

<!-- needs: the package in an index -->
```sh
pip install 'workflowexecution-operator[plugin]'
# Or in an environment of its own, by one of these:
pipx install 'workflowexecution-operator[plugin]'
uv tool install 'workflowexecution-operator[plugin]'
```

Or with [krew](https://krew.sigs.k8s.io): `make plugin` puts an archive for each platform, and the
manifest that names them, into `dist/plugin`:

<!-- needs: krew, and what make plugin makes -->
```sh
kubectl krew install --manifest=dist/plugin/wfe.yaml \\
  --archive=dist/plugin/kubectl-wfe-linux-amd64.tar.gz
```

kubectl completes commands, names of executions, targets and workflows, in each shell that you
have [set up](https://kubernetes.io/docs/reference/kubectl/generated/kubectl_completion/) for it.
It uses the program `kubectl_complete-wfe`, which is installed with `kubectl-wfe` and has to be on
the `PATH`, too.

## Rights

If a right is missing, a command names it and the role that gives it, shows the rest, and ends
with status 4.

| Role | For | Bound |
|---|---|---|
| `workflowexecution-viewer` | `list`, `describe`, `why`, `watch`, `top` | in all namespaces |
| `workflowexecution-run-reader` | also `locks`, `cooldowns`, `can-run`, `logs` | where runs are |
| `workflowexecution-canceller` | also `cancel` | where runs are |
| `workflowexecution-orchestrator` | also `submit`, `cancel --delete` | in your namespaces |
| `workflowexecution-holder` | also `holds`, `hold`, `release` | where runs are |
| `workflowexecution-clearer` | also `clear` | in your namespaces, and where runs are |
| `workflowexecution-doctor` | also `doctor`, and most of `support-bundle` | in all namespaces |

The first one is part of the cluster's own role `view`. Where it is bound in one namespace only,
commands that ask about targets say that they may not know of all.
"""
FORMS = """\
Tables are for people: their columns and words may change, and on a narrow terminal a row has
several lines. Programs read `-o json`, `-o yaml`, `-o name`, `-o jsonpath=…` and
`-o custom-columns=…`, as kubectl has them, and the exit status. What goes on, as `watch` and
`logs`, is one JSON object a line, or one YAML document each. Answers go to standard output, notes,
progress and errors to standard error. Colours are used on a terminal only, and never where
`NO_COLOR` is set.

An execution is named `NAME`, `NAMESPACE/NAME` as other commands print it, or `TYPE/NAME` as for
kubectl: `wfe/NAME`, `workflowexecution/NAME` or `workflowexecutions/NAME`, each also with the
group, as `-o name` prints it. A type always wins: name a namespace that is called `wfe` with
`-n wfe`. With `-A` the execution is looked for in all namespaces. A hold is named `NAME` or
`TYPE/NAME`.

Where a command takes `NAMES`, each is answered in order, and an error stops no other one; the exit
status is that of the first error. Programs get one List for several names, as with kubectl.

Flags of all commands may come before the command: `kubectl wfe -n shop list`. `-h`, `--help` and
`kubectl wfe help COMMAND` show the flags of a command. A flag that would do nothing is refused; the
message says what to do instead.

It reaches the cluster that kubectl reaches with the same flags and files, as the same user:
several files in `KUBECONFIG`, the account of a pod, impersonation, credential plugins and HTTP
proxies are read by the rules of kubectl. What it does not support, such as a SOCKS proxy, it
refuses with the name of the field. kubectl does not hand its own flags to plugins: they come
after `wfe`.

`support-bundle` writes one archive for a report: versions, published settings, what `doctor`
finds, the newest executions with their runs, TaskRuns, pods and Events, holds, and the
Deployment, log and metrics of the operator. It keeps known fields only. Values of parameters, of
environment variables, of annotations and of unknown labels are masked, and messages, which may
quote them, unless `--with-messages` asks for them. Known values, and what looks like a token or a
password, are masked in all text. It takes what your rights allow and says what is missing. The
log needs `get` on `pods/log`, the metrics `get` on `pods/proxy`, in the operator's namespace; no
shipped role gives the last one. Look through the files before you send them.

What a missing right hides is `unknown`: the answer names the right, and the exit status is 4. A
command that changes something ends with status 0 once that is done, even if it cannot be read what
follows from the change.
"""


def page() -> str:
    """The whole page, as Markdown."""
    group: Any = get_command(application())
    lines = [HEAD, "## Commands\n", "| Command | |", "|---|---|"]
    for name, command in group.commands.items():
        lines.append(f"| [`{name}`](#{name}) | {_cell(_first_line(command))} |")
    for name, command in group.commands.items():
        own = [item for item in command.params if item.name not in (*SHARED, "help")]
        lines += [f"\n### {name}\n", f"`kubectl wfe {name}{_usage(own)}`\n", _first_line(command)]
        lines += _table(own)
        lines += _refused(command)
    # One that takes all of them.
    shared = [item for item in group.commands["describe"].params if item.name in SHARED]
    lines += ["\n## Flags of all commands", *_table(shared), f"\n{FORMS}", "## Exit statuses\n"]
    lines += ["| Status | Means |", "|---|---|"]
    lines += [f"| {status.value} | {status.meaning} |" for status in Exit]
    return "\n".join([*lines, ""])


def _first_line(command: Any) -> str:
    return str(command.help).strip().splitlines()[0]


def _usage(params: list[Any]) -> str:
    arguments = [
        item.name.upper() if item.required else f"[{item.name.upper()}]"
        for item in params
        if item.param_type_name == "argument"
    ]
    return "".join(f" {name}" for name in [*arguments, "[flags]"])


def _table(params: list[Any]) -> list[str]:
    options = [item for item in params if item.param_type_name == "option"]
    rows = [f"| {_flags(item)} | {_cell(_help(item))} |" for item in options]
    return ["\n| Flag | |\n|---|---|", *rows] if rows else []


def _refused(command: Any) -> list[str]:
    """The shared flags that a command refuses."""
    hidden = [_flags(item) for item in command.params if getattr(item, "hidden", False)]
    return [f"\nRefuses {'; '.join(hidden)}, which would do nothing."] if hidden else []


def _flags(option: Any) -> str:
    names = sorted(option.opts, key=len)
    return ", ".join(f"`{name}`" for name in names)


def _help(option: Any) -> str:
    default = option.default
    is_told = default not in (None, "", False) and not callable(default)
    known = f" Default: `{default}`." if is_told else ""
    variable = f" Environment: `{option.envvar}`." if option.envvar else ""
    required = " Required." if option.required else ""
    return f"{option.help}{_choices(option)}{required}{known}{variable}"


def _choices(option: Any) -> str:
    kind = option.type_descriptor.annotation
    (kind,) = get_args(kind) or (kind,)
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        return ""
    return f" One of {', '.join(f'`{item.value}`' for item in kind)}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
