"""Unpacked wheels: their records say what is there, and what is alike is kept once."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from debian_packages import archive
from localcluster.errors import ClusterError
from operator_image.part import extract
from operator_image.wheels import tidy_records
from plugin_archive.archive import share
from python_versions.find import supported


def _write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_record_names_what_is_there_in_one_order(tmp_path: Path) -> None:
    _write(tmp_path, a="", b="")
    record = tmp_path / "x-1.dist-info/RECORD"
    record.parent.mkdir()
    record.write_text('b,sha256=2,1\n../../bin/x,sha256=3,1\na,sha256=1,1\n"c,d",,\n')

    tidy_records(tmp_path)

    assert record.read_text() == "a,sha256=1,1\nb,sha256=2,1\n"


def test_an_archive_is_unpacked_with_its_modes_by_each_python(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("tmp")
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(entry)
    packed.seek(0)

    extract(packed, tmp_path / "tree")

    assert (tmp_path / "tree/tmp").stat().st_mode & 0o7777 == 0o1777


def test_a_package_is_shared_whole_or_not_at_all(tmp_path: Path) -> None:
    one = _write(tmp_path / "3.11", pure__a="1", mixed__a="1", mixed__c311="x", single="s", own="o")
    two = _write(tmp_path / "3.12", pure__a="1", mixed__a="1", mixed__c312="x", single="s")
    common = tmp_path / "any"
    common.mkdir()

    share([one, two], common)

    assert _names(common) == {"pure/a", "single"}
    assert _names(one) == {"mixed/a", "mixed/c311", "own"}
    assert _names(two) == {"mixed/a", "mixed/c312"}


def test_each_version_that_is_promised_is_tested_and_served() -> None:
    launcher = Path(share.__code__.co_filename).with_name("launcher.sh").read_text()

    assert supported() == ["3.11", "3.12", "3.13", "3.14"]
    assert all(f"python{version}" in launcher for version in supported())


INDEX = """\
https://mirror.example/debian/ twelve
https://mirror.example/debian/ twelve-updates
https://mirror.example/debian/ twelve-backports
https://mirror.example/debian-security/ twelve-security
https://other.example/ twelve
https://other.example/apt/ stable
"""


def test_another_release_comes_from_the_mirrors_of_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "_codename", lambda: "twelve")
    monkeypatch.setattr(archive, "run", lambda *command: INDEX)

    assert set(archive.mirrors("thirteen")) == {
        ("https://mirror.example/debian/", "thirteen"),
        ("https://mirror.example/debian/", "thirteen-updates"),
        ("https://mirror.example/debian-security/", "thirteen-security"),
    }


def test_what_is_downloaded_already_counts_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The cache is named by all packages: an empty list would keep an old image for ever."""
    told = "Inst libc6 (2.41-12 Debian:13.1/stable [amd64]) []\nConf libc6 (2.41-12 x)\n"
    asked: list[tuple[str, ...]] = []

    def answer(*command: str) -> str:
        asked.append(command)
        return told

    monkeypatch.setattr(archive, "run", answer)
    wanted = archive.Archive(tmp_path, "thirteen", "amd64", ("libc6",))
    (tmp_path / "refreshed").touch()

    assert wanted.resolve() == ["libc6 2.41-12"]
    assert "--print-uris" not in asked[0]


def test_a_machine_that_is_no_debian_hears_of_the_dockerfile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "_codename", lambda: "")

    with pytest.raises(ClusterError) as raised:
        archive.sources("thirteen")
    assert "docker build -f operator/Dockerfile" in raised.value.hint
