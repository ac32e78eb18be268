"""The state between passes is dropped together with its object."""

from dataclasses import replace

from builders import make_execution, make_task_run, step
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.cache.memory import Memory, RunMemory, StatusChange
from workflowexecution.core.facts.leftovers import Leftovers

KEY = ("runs", "wfe-0123456789abcdef-1")


def test_nothing_is_left_of_what_is_not_kept() -> None:
    memory = Memory()
    memory.execution("a").progress_at = 1.0
    memory.execution("b").progress_at = 1.0
    memory.run(KEY).leftovers = Leftovers()
    memory.run(("runs", "other")).is_stuck = True
    assert (len(memory), memory.stuck_runs()) == (4, 1)
    memory.keep_only(["b"], [KEY])
    assert (len(memory), memory.stuck_runs()) == (2, 0)
    assert memory.has_looked_at(KEY)
    memory.drop_execution("b")
    memory.drop_run(KEY)
    assert len(memory) == 0


def test_a_write_that_was_not_answered_is_remembered_until_it_is_settled() -> None:
    memory, empty = Memory(), WorkflowExecutionStatus()
    memory.execution("a").unconfirmed = StatusChange(make_execution(), empty, empty)
    memory.keep_only([], [])
    assert len(memory) == 1


def test_only_the_last_own_write_is_known() -> None:
    memory = Memory()
    memory.execution("a").written_version = "7"
    assert [memory.wrote("a", "7"), memory.wrote("a", "8"), memory.wrote("b", "7")] == [
        True,
        False,
        False,
    ]


def test_a_task_that_never_began_is_known_as_such_when_its_pod_is_gone() -> None:
    memory, gone = RunMemory(), make_task_run("work", steps=[step("work", 1)])
    held = replace(gone, is_held=True, awaits=("proxy",))

    memory.note(Leftovers((held,)))
    memory.note(Leftovers((gone,)))

    assert list(memory.children.values()) == [held]
    assert memory.has_begun is False


def test_what_was_seen_of_a_waiting_task_leaves_in_doubt_whether_it_began_later() -> None:
    cut_off = step("work", 1, "TaskRunCancelled")
    memory, gone = RunMemory(), make_task_run("work", reason="TaskRunCancelled", steps=[cut_off])
    memory.note_look([make_task_run("work", "Unknown", "Running"), make_task_run("other")])
    memory.note_look([replace(make_task_run("work", "Unknown", "Running"), let_begin=False)])

    memory.note(Leftovers((gone,)))

    assert list(memory.children.values()) == [replace(gone, let_begin=False)]
    assert memory.has_begun is None
