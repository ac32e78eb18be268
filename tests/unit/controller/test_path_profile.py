"""The path of an execution stays short: files that a reader opens, and changes of file."""

import pytest

import path_profile

# Files, calls into another file, and those of them that do more than read a field, at most.
BOUNDS = {"event": (10, 19, 14), "launch": (30, 103, 82), "skip": (27, 62, 56)}


@pytest.mark.parametrize("name", BOUNDS)
def test_the_path_is_no_longer_than_it_was_made(name: str) -> None:
    files, moves, others = BOUNDS[name]
    path = path_profile.profiles()[name]
    assert len(path.files) <= files, path.files
    assert path.moves <= moves, path.hops.most_common(20)
    assert path.moves - path.reads <= others, path.hops.most_common(20)
