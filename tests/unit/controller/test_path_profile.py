"""The path of an execution stays short: files that a reader opens, and changes of file."""

import pytest

import path_profile

# Files, and calls into another file, at most.
BOUNDS = {"event": (9, 14), "launch": (29, 80), "skip": (26, 56)}


@pytest.mark.parametrize("name", BOUNDS)
def test_the_path_is_no_longer_than_it_was_made(name: str) -> None:
    files, moves = BOUNDS[name]
    path = path_profile.profiles()[name]
    assert len(path.files) <= files, path.files
    assert path.moves <= moves, path.hops.most_common(20)
