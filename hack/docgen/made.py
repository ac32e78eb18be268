"""Every page that is made from the code: the modules of this package that have PAGE and `page`."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import docgen


def modules() -> list[ModuleType]:
    """The modules that make a page each."""
    names = [f"docgen.{item.name}" for item in pkgutil.iter_modules(docgen.__path__)]
    # The one is run, the other is for mkdocs alone.
    found = [
        importlib.import_module(name)
        for name in names
        if name not in ("docgen.__main__", "docgen.site")
    ]
    return [module for module in found if hasattr(module, "PAGE")]
