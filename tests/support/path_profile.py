"""The path of one execution through the files of the package, as a reader follows it.

A move is a call into another file than the caller's; its return is not counted again. What goes on
after an answer has come counts like a call. Calls by the model of the cluster are not counted.
Run it to see the paths; ``-v`` shows the moves.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from model_operators import Operator
from model_server import Server
from model_store import EXECUTIONS
from workflowexecution.api import status

_PACKAGE: Final = f"{Path(status.__file__).parents[1]}/"
_HERE: Final = f"{Path(__file__).parent}/"
# The parts of the model that begin a piece of work; all others play the cluster.
_BEGINNERS: Final = (f"{_HERE}model_operators.py", f"{_HERE}model_loop.py")
_READER: Final = "api/reading.py"
_TARGET: Final = "Node/worker-1"


@dataclass
class Trail:
    """The path of a piece of work: files, and moves from one to another."""

    files: set[str] = field(default_factory=set)
    hops: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def moves(self) -> int:
        """Number of calls into another file."""
        return self.hops.total()

    @property
    def reads(self) -> int:
        """Those of them that read a field of an object."""
        return sum(count for (_, called), count in self.hops.items() if called == _READER)

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Take in one event, as ``sys.setprofile`` tells it."""
        name = _file_of(frame)
        if event != "call" or not name or _is_of_the_cluster(frame):
            return
        caller = frame.f_back
        while caller is not None and not _file_of(caller):
            caller = caller.f_back
        self.files.add(name)
        if caller is not None and _file_of(caller) != name:
            self.hops[_file_of(caller), name] += 1


def _file_of(frame: FrameType) -> str:
    name = frame.f_code.co_filename
    return name.removeprefix(_PACKAGE) if name.startswith(_PACKAGE) else ""


def _is_of_the_cluster(frame: FrameType) -> bool:
    """Whether the model of the cluster has made this call, directly or through other calls."""
    caller = frame.f_back
    while caller is not None and not caller.f_code.co_filename.startswith(_HERE):
        caller = caller.f_back
    return caller is not None and caller.f_code.co_filename not in _BEGINNERS


def profiles() -> dict[str, Trail]:
    """The trails of an event, of the pass that launches and of one that skips."""
    server = Server()
    one = Operator(server)
    one.start()
    one.open()
    # The first pass of a process claims the namespace, and fills what is remembered of texts.
    server.create_execution("before", "Node/other", "restart")
    one.deliver_all()
    _pass(one)
    one.deliver_all()
    server.create_execution("first", _TARGET, "restart")
    event = _trail_of(one.deliver_all)
    launch = _trail_of(lambda: _pass(one))
    server.create_execution("second", _TARGET, "restart")
    one.deliver_all()
    skip = _trail_of(lambda: _pass(one))
    phases = {raw["metadata"]["name"]: raw["status"]["phase"] for raw in server.all(EXECUTIONS)}
    assert phases == {"before": "Running", "first": "Running", "second": "Skipped"}
    return {"event": event, "launch": launch, "skip": skip}


def _trail_of(work: Callable[[], object]) -> Trail:
    trail, before = Trail(), sys.getprofile()
    sys.setprofile(trail.note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return trail


def _pass(one: Operator) -> None:
    for key in one.wake():
        one.start_pass(key)
    while one.pending:
        one.answer_all()


def main() -> None:
    """Print all of them."""
    for name, trail in profiles().items():
        moves = f"{trail.moves} moves, {trail.reads} of them to read a field"
        print(f"{name}: {len(trail.files)} files, {moves}")
        if "-v" in sys.argv:
            for (caller, called), count in trail.hops.most_common():
                print(f"  {count:4} {caller} -> {called}")


if __name__ == "__main__":
    main()
