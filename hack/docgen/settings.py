"""`docs/reference/settings.md`, made from the settings and the other commands of `wfe`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings.sources.types import _CliPositionalArg, _CliSubCommand

from docgen.words import cell
from workflowexecution.api.reading import format_duration
from workflowexecution.cli.commands import Wfe
from workflowexecution.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
HEAD = """# Settings and wfe

`wfe` is the operator's own program; users need [`kubectl wfe`](cli.md). This page is
made from its commands by `make docs`; `wfe run --help` prints the same.

## Settings of the operator

Each is a flag of `wfe run` and an environment variable; a flag wins. In the cluster set the
variable on the Deployment, for instance in a kustomization of your own:

```yaml
patches:
  - target: {kind: Deployment, name: workflowexecution-controller}
    patch: |-
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value: {name: WFE_RUN_RETENTION, value: 48h}
```

Durations are written like `90s`, `5m` or `1h30m`. A value that cannot be used stops the start, with
a line that names the setting, the value and the fix.

| Flag | Environment | Default | |
|---|---|---|---|
"""
ENDPOINTS = """
## Ports

| Port | Path | Answers |
|---|---|---|
| probes | `/healthz` | 200 while the process works; 503 with the reason where it should be ended |
| probes | `/readyz` | 200 where it knows the cluster and can work; 503 with the reason where not |
| metrics | `/metrics` | all metrics, in Prometheus' text format |
"""


def page() -> str:
    """The whole page, as Markdown."""
    rows = [_setting(name, field) for name, field in Settings.model_fields.items()]
    others = [line for path, model in _commands("wfe", Wfe) for line in _command(path, model)]
    return "\n".join(
        [
            HEAD + "\n".join(rows),
            ENDPOINTS,
            "## Other commands of wfe\n",
            "\n".join(others).rstrip(),
            "",
        ]
    )


def _setting(name: str, field: FieldInfo) -> str:
    shown = "" if field.default_factory else _shown(field.default)
    default = f"`{shown}`" if shown else "empty"
    flag, variable = f"--{name.replace('_', '-')}", f"WFE_{name.upper()}"
    return f"| `{flag}` | `{variable}` | {default} | {cell(field.description or '')} |"


def _shown(value: Any) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)):
        return json.dumps(value) if value else ""
    return str(value)


def _commands(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every command but `wfe run`, each with the model that reads its flags."""
    for name, field in model.model_fields.items():
        if _CliSubCommand not in field.metadata:
            continue
        inner = next(kind for kind in get_args(field.annotation) if kind is not type(None))
        called = f"{path} {field.alias or name}"
        if issubclass(inner, Settings):
            continue
        yield from _commands(called, inner)
        if not _has_subcommands(inner):
            yield called, inner


def _has_subcommands(model: type[BaseModel]) -> bool:
    return any(_CliSubCommand in field.metadata for field in model.model_fields.values())


def _command(path: str, model: type[BaseModel]) -> list[str]:
    fields = model.model_fields.items()
    arguments = [name.upper() for name, field in fields if _CliPositionalArg in field.metadata]
    rows = [
        f"| `{_name(name, field)}` | {cell(field.description or '')}{_default(field)} |"
        for name, field in fields
    ]
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    usage = " ".join([path, *arguments])
    return [f"### {path}\n", f"`{usage}`: {cell(model.__doc__ or '')}\n", *table]


def _name(name: str, field: FieldInfo) -> str:
    is_argument = _CliPositionalArg in field.metadata
    return name.upper() if is_argument else f"--{name.replace('_', '-')}"


def _default(field: FieldInfo) -> str:
    if field.is_required() or field.default_factory or field.default in (None, False):
        return ""
    return f" Default `{_shown(field.default)}`."


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
