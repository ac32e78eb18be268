"""The pictures in `docs/images/`: decision, lock, cooldown, phases and architecture."""

from __future__ import annotations

from pathlib import Path

from docgen.drawing import Drawing

FOLDER = Path(__file__).parents[2] / "docs" / "images"
# Question, answer, colour of the answer: in the order of core/decision.py.
QUESTIONS = (
    ("Does it have a run already?", "Running\nits status follows that run", "good"),
    (
        "Is its spec invalid?",
        "Failed · ConfigurationError\nfield, value, fix",
        "bad",
    ),
    (
        "Is another run on the target unfinished?",
        "Skipped · ResourceBusy\nand by which execution",
        "skip",
    ),
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
    picture = Drawing(740, 225, "The run is the lock: which run locks the target when")
    for y, name in ((40, "restart-1"), (95, "restart-2"), (150, "scale-1")):
        picture.text(20, y + 5, name, anchor="start", is_bold=True)
    picture.box(120, 20, 250, 40, "its run works", "good")
    picture.box(370, 20, 110, 40, "its pods stop", "quiet")
    picture.dashed(240, 60, 75)
    picture.box(240, 75, 240, 40, "Skipped: locked by restart-1", "skip")
    picture.dashed(480, 60, 180)
    picture.dashed(540, 60, 130)
    picture.box(540, 130, 180, 40, "its run works", "good")
    picture.text(20, 200, "target", anchor="start", is_bold=True)
    picture.box(120, 180, 360, 30, "locked by the run of restart-1", "quiet")
    picture.text(510, 200, "free")
    picture.box(540, 180, 180, 30, "locked by scale-1", "quiet")
    return picture.svg()


def cooldown() -> str:
    """The workflows that may run on a target after a run of `restart` has ended there."""
    picture = Drawing(740, 220, "The cooldown: the same workflow is skipped, another one runs")
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
    picture.box(560, 185, 160, 50, "Skipped\nby which execution", "skip")
    picture.arrow([(80, 90), (80, 45), (210, 45)])
    picture.arrow([(350, 45), (400, 45), (400, 90)])
    picture.arrow([(140, 115), (330, 115)], "launched", (235, 108))
    picture.arrow([(470, 108), (510, 108), (510, 45), (560, 45)])
    picture.arrow([(470, 122), (560, 122)])
    picture.arrow([(80, 140), (80, 210), (560, 210)], "locked, or cooling down", (300, 203))
    picture.arrow([(110, 140), (110, 170), (530, 170), (530, 132), (560, 132)])
    picture.text(300, 164, "its spec is not valid")
    return picture.svg()


def architecture() -> str:
    """One pass from an event to a status; each box names the code that does it."""
    picture = Drawing(740, 470, "From an event to a status")
    picture.box(12, 20, 214, 54, "API server\nwatch of executions and runs", "plain")
    picture.box(263, 20, 214, 54, "kopf handler\ncontroller/handlers.py", "ask")
    picture.box(514, 20, 214, 54, "EventHandler\ncontroller/handlers.py", "ask")
    picture.arrow([(226, 47), (263, 47)])
    picture.arrow([(477, 47), (514, 47)])
    picture.box(263, 116, 214, 54, "Store\ncache/store.py", "skip")
    picture.box(514, 116, 214, 54, "WorkQueue\ncontroller/workqueue.py", "ask")
    picture.arrow([(580, 74), (580, 96), (370, 96), (370, 116)], "facts", (480, 90))
    picture.arrow([(660, 74), (660, 116)], "key", (680, 100))
    picture.box(12, 212, 716, 168, "", "quiet")
    picture.text(370, 234, "ExecutionReconciler.reconcile, controller/execution.py", is_bold=True)
    picture.arrow([(625, 170), (625, 212)], "one pass for each key", (545, 196))
    steps = (
        ("gather\ncache/store.py", "ask"),
        ("decide\ncore/decision.py", "good"),
        ("act\nactions.py", "ask"),
        ("write once\nstatus_writer.py", "ask"),
    )
    for number, (text, kind) in enumerate(steps):
        x = 36 + number * 172
        picture.box(x, 250, 152, 54, text, kind)
        if number:
            picture.arrow([(x - 20, 277), (x, 277)])
    picture.arrow([(370, 170), (370, 190), (112, 190), (112, 250)], "snapshot", (240, 184))
    picture.arrow([(456, 304), (456, 334), (112, 334), (112, 304)], "new facts", (284, 328))
    picture.text(370, 366, "core is pure: a snapshot goes in, a verdict comes out")
    picture.box(12, 402, 214, 54, "API server\nruns", "plain")
    picture.box(263, 402, 214, 54, "API server\nstatus", "plain")
    picture.box(514, 402, 214, 54, "Recorder\ncontroller/recorder.py", "ask")
    picture.arrow([(500, 304), (500, 390), (115, 390), (115, 402)])
    picture.arrow([(590, 304), (590, 396), (370, 396), (370, 402)])
    picture.arrow([(660, 304), (660, 402)], "record", (692, 394))
    return picture.svg()


PICTURES = {
    "decision": decision,
    "lock": lock,
    "cooldown": cooldown,
    "life": life,
    "architecture": architecture,
}


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw())


if __name__ == "__main__":
    main()
