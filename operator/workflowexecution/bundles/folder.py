"""Makes and reads the folder of a bundle: its Tekton objects with scripts and images filled in.

A folder has ``workflow.yaml`` (other ``*.yaml`` files may have more objects), ``parameters.json``,
``role.yaml`` and ``README.md``. Scripts that several steps or bundles share are separate files: a
line ``. NAME.sh`` in a step's script is replaced by the text of the file. ``scripts`` has those of
this package.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

Object = dict[str, Any]

PARAMETERS: Final = "parameters.json"
ROLE: Final = "role.yaml"
README: Final = "README.md"
WORKFLOW: Final = "workflow.yaml"
DEFAULT_IMAGES: Final[Mapping[str, str]] = {
    "toolbox": "docker.io/alpine/k8s:1.34.1"
    "@sha256:ec714df3813b5405292860f8a1c55c5727bf8c33c88992f1e981efad8065547f"
}
SCRIPTS: Final = Path(__file__).with_name("scripts")
TEMPLATE: Final = Path(__file__).with_name("template")
EDITOR_SCHEMA: Final = TEMPLATE / "workflow.schema.json"
BUNDLE_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TEST: Final = "test.py.template"
_INCLUDE: Final = re.compile(r"^\. ([a-z0-9-]+\.sh)$", re.MULTILINE)


class BundleError(ValueError):
    """A folder that cannot be read as a bundle; the message names the file and the fix."""


class BundleCommandError(RuntimeError):
    """A command failed although its arguments were valid; the text says why.

    It is empty where the answer of the command says so already. status: the exit status.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it is pushed, with the other files of its folder.

    objects: in the order of file names; images and scripts are filled in.
    parameters: the JSON Schema of its parameters; None where there is none.
    role: the objects of ``role.yaml``; empty where there is none.
    """

    folder: Path
    objects: tuple[Object, ...]
    parameters: Object | None
    role: tuple[Object, ...]
    has_readme: bool

    @property
    def name(self) -> str:
        """The name of the folder and of the workflow."""
        return self.folder.resolve().name

    @property
    def pipeline(self) -> Object | None:
        """The Pipeline that executions run; None where there is none."""
        named = (item for item in self.objects if key_of(item) == ("Pipeline", "workflow"))
        return next(named, None)


def read_bundle(folder: Path, images: Mapping[str, str] = DEFAULT_IMAGES) -> Bundle:
    """Read a bundle's folder.

    Args:
        folder: of the bundle; shared scripts are searched in it, then in its parent, then in this
            package.
        images: references by bare name. An image without ``/``, ``:`` and ``@`` is a bare name,
            and is replaced by its reference.

    Raises: BundleError where a file is missing or cannot be read, or a bare name has no reference.
    """
    if not folder.is_dir():
        raise BundleError(f"{folder}: no such folder; name one that holds a workflow.yaml")
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name != ROLE]
    objects = [item for path in files for item in _documents(path)]
    if not objects:
        raise BundleError(f"{folder}: holds no Tekton object; write its Pipeline to workflow.yaml")
    for container in (each for item in objects for each in containers_of(item)):
        _fill_in(container, folder, images)
    role = folder / ROLE
    return Bundle(
        folder=folder,
        objects=tuple(objects),
        parameters=_parameters(folder / PARAMETERS),
        role=tuple(_documents(role)) if role.exists() else (),
        has_readme=(folder / README).is_file(),
    )


def bundles_at(path: Path) -> list[Path]:
    """The folders of bundles that a path means, for tools that name files.

    A file means its folder, also if it is deleted. A folder without a workflow means all bundles
    directly in it, so that a shared script beside them means each of them; where there are none, it
    means itself.
    """
    is_file = path.is_file() or (not path.exists() and (path.parent / WORKFLOW).exists())
    folder = path.parent if is_file else path
    if (folder / WORKFLOW).exists():
        return [folder]
    return sorted(found.parent for found in folder.glob(f"*/{WORKFLOW}")) or [folder]


def make_bundle(folder: Path) -> list[Path]:
    """Make the folder of a new bundle, which can be pushed as it is; its name is the workflow's.

    Returns: its files. Raises: BundleError where the name is not valid or the folder has files.
    """
    name = folder.resolve().name
    if not BUNDLE_NAME.fullmatch(name):
        raise BundleError(
            f"{folder}: name {name!r} must be lower case letters, digits and dashes, at most 63"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleError(f"{folder}: is there already; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for source in sorted(path for path in TEMPLATE.iterdir() if path.is_file()):
        # Each test has a name of its own, so that pytest can run those of several bundles at once.
        as_named = f"test_{name.replace('-', '_')}.py" if source.name == _TEST else source.name
        made.append(folder / as_named)
        made[-1].write_text(source.read_text().replace("@NAME@", name))
    return made


def key_of(item: Object) -> tuple[str, str]:
    """Kind and name of an object; empty where they are missing."""
    meta = item.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return str(item.get("kind") or ""), str(name or "")


def containers_of(value: object) -> Iterator[Object]:
    """All steps, sidecars and step templates with an image, in all inline tasks."""
    if isinstance(value, list):
        for item in value:
            yield from containers_of(item)
    elif isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value
        for item in value.values():
            yield from containers_of(item)


def _fill_in(container: Object, folder: Path, images: Mapping[str, str]) -> None:
    image = container["image"]
    if not any(mark in image for mark in "/:@$"):
        if image not in images:
            known = ", ".join(sorted(images)) or "none"
            raise BundleError(
                f"{folder}: image={image!r}: no reference is given for this name "
                f"(known: {known}); give one, as {image}=registry/name@sha256:…"
            )
        container["image"] = images[image]
    if isinstance(container.get("script"), str):
        container["script"] = _INCLUDE.sub(
            lambda found: _shared(found[1], folder), container["script"]
        )


def _shared(name: str, folder: Path) -> str:
    for place in (folder, folder.resolve().parent, SCRIPTS):
        if (place / name).is_file():
            return (place / name).read_text().rstrip("\n")
    known = ", ".join(sorted(path.name for path in SCRIPTS.glob("*.sh")))
    raise BundleError(
        f"{folder}: script reads {name}, which is neither there nor in its parent, and is none of "
        f"the shared scripts ({known})"
    )


def _documents(path: Path) -> list[Object]:
    try:
        documents = [item for item in yaml.safe_load_all(path.read_text()) if item is not None]
    except yaml.YAMLError as error:
        raise BundleError(f"{path}: not YAML: {error}") from error
    if not all(isinstance(item, dict) for item in documents):
        raise BundleError(f"{path}: holds something that is not an object")
    return documents


def _parameters(path: Path) -> Object | None:
    if not path.exists():
        return None
    try:
        schema = json.loads(path.read_text())
    except ValueError as error:
        raise BundleError(f"{path}: not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise BundleError(f"{path}: must be a JSON Schema, which is an object")
    return schema
