"""Numbers of several tests are added up; of times and restarts the worst is told."""

from reliability.tally import Tally


def test_numbers_are_added_and_the_worst_time_is_kept() -> None:
    tally = Tally("one")
    tally.add(executions=3, lost=1, recovery_s=2.5, restarts=1)
    tally.add(executions=4, repetitions=5, double_runs=2, wrong_phases=1, recovery_s=1.0)
    found = tally.result
    assert (found.repetitions, found.executions) == (6, 7)
    assert (found.double_runs, found.lost, found.wrong_phases) == (2, 1, 1)
    assert (found.recovery_s, found.restarts) == (2.5, 1)


def test_without_a_recovery_none_is_told() -> None:
    tally = Tally("one")
    tally.add(executions=1)
    assert tally.result.recovery_s is None


def test_whatever_else_is_counted_goes_into_the_note() -> None:
    tally = Tally("one")
    tally.add(executions=1, launches_called_back=2, alarms=0)
    tally.add(executions=1, launches_called_back=3)
    assert tally.result.note == "5 launches called back"
