"""`docs/contributing/modules.md`: the map of the operator's modules, in their own words."""

from __future__ import annotations

import ast
from pathlib import Path

from docgen.words import cell

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "workflowexecution"
PAGE = ROOT / "docs" / "contributing" / "modules.md"
HEAD = """# Map of modules

Every module of `operator/workflowexecution/`, in its own words. This page is made from the
modules by `make docs`. Imports point one way, from the first of these packages to the last, and
the import linter checks it.
"""
ORDER = [
    "plugin",
    "cli",
    "page",
    "manager",
    "controller",
    "cache",
    "client",
    "bundles",
    "views",
    "observe",
    "core",
    "kube",
    "api",
]


def page() -> str:
    """The whole page, as Markdown."""
    packages = sorted(
        {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/__init__.py")}
    )
    lines = [HEAD, *_table("workflowexecution", PACKAGE.glob("*.py"))]
    for name in sorted(packages, key=_rank):
        folder = PACKAGE / name
        lines += [f"\n## {name}\n", _says(folder / "__init__.py"), ""]
        lines += _table(name, folder.rglob("*.py"))
    return "\n".join([*lines, ""])


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _table(heading: str, paths: object) -> list[str]:
    assert hasattr(paths, "__iter__")
    found = sorted(path for path in paths if path.name != "__init__.py" or _depth(path) > 2)
    rows = [f"| `{_name(path)}` | {cell(_says(path))} |" for path in found if _says(path)]
    return [f"| Module of {heading} | |", "|---|---|", *rows]


def _depth(path: Path) -> int:
    return len(path.relative_to(PACKAGE).parts)


def _name(path: Path) -> str:
    name = path.relative_to(PACKAGE).with_suffix("")
    return str(name.parent if name.name == "__init__" else name)


def _says(path: Path) -> str:
    """The first paragraph of a module's docstring."""
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(said.partition("\n\n")[0].replace("``", "`").split())


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
