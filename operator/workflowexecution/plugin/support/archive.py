"""Writes a support bundle: one tar.gz, readable by its owner alone."""

import io
import os
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml


def write_archive(path: Path, files: Mapping[str, Any], made_at: datetime) -> None:
    """Write all files into one folder of an archive; a value that is no text is written as YAML.

    Raises: OSError, FileExistsError where there is such a file already.
    """
    folder = path.name.removesuffix(".tar.gz")
    is_new = os.O_EXCL if not path.exists() or path.is_file() else 0
    number = os.open(path, os.O_WRONLY | os.O_CREAT | is_new, 0o600)
    with os.fdopen(number, "wb") as out, tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, value in files.items():
            text = value if isinstance(value, str) else _yaml(value)
            content = text.encode(errors="replace")
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(content), 0o600, int(made_at.timestamp())
            archive.addfile(entry, io.BytesIO(content))


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000))
