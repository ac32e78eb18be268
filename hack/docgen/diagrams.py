"""The pictures in `docs/images/`: the decision, the lock, the cooldown and the life of one."""

from __future__ import annotations

from pathlib import Path

from docgen.drawing import Drawing

FOLDER = Path(__file__).parents[2] / "docs" / "images"
# Question, answer, colour of the answer: in the order of core/decision.py.
QUESTIONS = (
    ("Does it have a run already?", "Running\nits status follows that run", "good"),
    (
        "Can it not be run as it is written?",
        "Failed · ConfigurationError\nfield, value, fix",
        "bad",
    ),
    ("Is another run on the target unfinished?", "Skipped · ResourceBusy\nand by whom", "skip"),
    (
        "Did the same workflow end there\nless than 5 minutes ago?",
        "Skipped · RecentlyRemediated\nand how long remains",
        "skip",
    ),
    ("Does a person hold new launches?", "Pending · Held\nuntil the hold is lifted", "quiet"),
)


def decision() -> str:
    """The questions that are asked of an execution, from top to bottom."""
    step, left, right = 82, 20, 440
    end = 82 + step * len(QUESTIONS)
    picture = Drawing(740, end + 56, "How it is decided whether a workflow runs")
    picture.box(left, 16, 320, 40, "a WorkflowExecution is created", "plain")
    for number, (question, answer, kind) in enumerate(QUESTIONS):
        y = 82 + number * step
        picture.arrow([(180, y - 26), (180, y)])
        picture.box(left, y, 320, 54, question, "ask", has_head=False)
        picture.box(right, y, 280, 54, answer, kind)
        picture.arrow([(340, y + 27), (right, y + 27)], "yes", (388, y + 20))
        picture.text(194, y + 72, "no", anchor="start")
    picture.arrow([(180, end - 28), (180, end)])
    picture.box(left, end, 320, 40, "a run is launched", "good")
    picture.box(right, end, 280, 40, "Running, then Completed or Failed", "good")
    picture.arrow([(340, end + 20), (right, end + 20)])
    return picture.svg()


def lock() -> str:
    """Three executions on one target in time: the run is the lock."""
    picture = Drawing(740, 225, "The run is the lock: who has the target when")
    for y, name in ((40, "restart-1"), (95, "restart-2"), (150, "scale-1")):
        picture.text(20, y + 5, name, anchor="start", is_bold=True)
    picture.box(120, 20, 250, 40, "its run works", "good")
    picture.box(370, 20, 110, 40, "its pods stop", "quiet")
    picture.dashed(240, 60, 75)
    picture.box(240, 75, 240, 40, "Skipped: held by restart-1", "skip")
    picture.dashed(480, 60, 180)
    picture.dashed(540, 60, 130)
    picture.box(540, 130, 180, 40, "its run works", "good")
    picture.text(20, 200, "target", anchor="start", is_bold=True)
    picture.box(120, 180, 360, 30, "held by the run of restart-1", "quiet")
    picture.text(510, 200, "free")
    picture.box(540, 180, 180, 30, "held by scale-1", "quiet")
    return picture.svg()


def cooldown() -> str:
    """What may run on a target after a run of `restart` has ended there."""
    picture = Drawing(740, 220, "The cooldown: the same workflow waits, another need not")
    picture.box(20, 20, 150, 40, "restart runs", "good")
    picture.box(170, 20, 360, 40, "cooldown of restart on this target", "quiet")
    for x, label in ((170, "it ends"), (314, "2m later"), (530, "5m later")):
        picture.dashed(x, 60, 180)
        picture.text(x, 202, label)
    picture.box(314, 75, 200, 40, "restart: Skipped, 3m left", "skip")
    picture.box(314, 130, 200, 40, "scale: runs", "good")
    picture.box(530, 75, 190, 40, "restart: runs again", "good")
    return picture.svg()


def life() -> str:
    """The phases of an execution."""
    picture = Drawing(740, 260, "The phases of an execution")
    picture.box(20, 90, 120, 50, "created\nno phase yet", "plain")
    picture.box(210, 20, 140, 50, "Pending\nit has to wait", "ask")
    picture.box(330, 90, 140, 50, "Running\nits run works", "ask")
    picture.box(560, 20, 160, 50, "Completed\nthe run succeeded", "good")
    picture.box(560, 90, 160, 50, "Failed\nwhat, where, why", "bad")
    picture.box(560, 185, 160, 50, "Skipped\nbecause of whom", "skip")
    picture.arrow([(80, 90), (80, 45), (210, 45)])
    picture.arrow([(350, 45), (400, 45), (400, 90)])
    picture.arrow([(140, 115), (330, 115)], "launched", (235, 108))
    picture.arrow([(470, 108), (510, 108), (510, 45), (560, 45)])
    picture.arrow([(470, 122), (560, 122)])
    picture.arrow([(80, 140), (80, 210), (560, 210)], "held, or cooling down", (300, 203))
    picture.arrow([(110, 140), (110, 170), (530, 170), (530, 132), (560, 132)])
    picture.text(300, 164, "cannot be run as it is written")
    return picture.svg()


PICTURES = {"decision": decision, "lock": lock, "cooldown": cooldown, "life": life}


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw())


if __name__ == "__main__":
    main()
