"""With which status ``kubectl wfe`` ends, for scripts."""

from enum import IntEnum

from workflowexecution.api.status import Phase


class Exit(IntEnum):
    """Exit statuses; ``meaning`` is what the reference says of each."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> "Exit":
        """Give a number its meaning."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made

    OK = 0, "It is done; of what waits for an end: Completed; of `can-run`: it would be launched."
    ERROR = 1, "It cannot be done as things are; the message says why. Of `doctor`: an error."
    USAGE = 2, "Wrong flags, arguments or file, or no usable kubeconfig."
    NOT_FOUND = 3, "There is no such object."
    FORBIDDEN = 4, "A right is missing; the message names it."
    UNAVAILABLE = 5, "No way to the cluster: the API server gave no answer, or the login failed."
    FAILED = 10, "The execution ended as Failed; of `can-run`: it would fail at once."
    SKIPPED = 11, "The execution ended as Skipped; of `can-run`: it would be skipped."
    STILL_GOING = 12, "The execution had not ended when the time to wait was over."
    HELD = 13, "Of `can-run`: it would wait, because a person holds it."
    INTERRUPTED = 130, "Ctrl-C was pressed."


def exit_for(phase: Phase | None) -> Exit:
    """The status for what became of an execution."""
    by_phase = {Phase.COMPLETED: Exit.OK, Phase.FAILED: Exit.FAILED, Phase.SKIPPED: Exit.SKIPPED}
    return by_phase.get(phase, Exit.STILL_GOING) if phase else Exit.STILL_GOING
