"""``support-bundle``: collects what a maintainer asks for, without secrets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated, Final

import typer

from workflowexecution import __version__
from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.core.text import command
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit
from workflowexecution.plugin.support.archive import write_archive
from workflowexecution.plugin.support.collect import Collector
from workflowexecution.plugin.support.redaction import Redactor

_ABOUT: Final = (
    "Values of parameters, environment variables, annotations and unknown labels are masked. "
    "Messages are masked unless they were asked for. Look through all files before you send them."
)


async def support_bundle(
    session: Session,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Archive to write; else named after the time, here."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=100, help="Number of executions, the newest ones.")
    ] = 50,
    with_messages: Annotated[
        bool,
        typer.Option(
            "--with-messages",
            help="Keep the messages of steps, Tekton and people; they may quote anything.",
        ),
    ] = False,
    operator_namespace: Annotated[
        str, typer.Option(help="Namespace of the operator.")
    ] = identity.DEFAULT_OPERATOR_NAMESPACE,
) -> Exit | None:
    """Collect what a maintainer asks for into one archive, without secrets."""
    redactor = Redactor(with_messages=with_messages)
    collector = Collector(session, redactor, operator_namespace=operator_namespace, limit=limit)
    with _progress(session, len(collector.parts)) as begin:
        for part in collector.parts:
            begin(part)
            await collector.read(part)
    if not collector.files:
        raise CommandError(f"nothing could be read: {collector.unread[0]}", collector.statuses[0])
    now = session.now()
    path = file or Path(f"wfe-support-bundle-{now:%Y%m%d-%H%M%S}.tar.gz")
    summary = {
        "madeAt": format_time(now),
        "plugin": __version__,
        "about": _ABOUT,
        "messages": "kept" if with_messages else "masked",
        "unread": redactor.document(collector.unread),
    }
    write_archive(path, {"summary.yaml": summary, **collector.redacted()}, now)
    _tell(session, path, collector)
    if Exit.FORBIDDEN in collector.statuses:
        return Exit.FORBIDDEN
    return Exit.ERROR if collector.statuses else None


def _tell(session: Session, path: Path, collector: Collector) -> None:
    for line in dict.fromkeys(collector.unread):
        session.printer.note(f"unknown: {line}")
    session.printer.say(f"wrote {path}: {len(collector.files) + 1} files")
    session.printer.say(f"look through it before you send it: {command('tar', 'tzf', str(path))}")


@contextmanager
def _progress(session: Session, number: int) -> Iterator[Callable[[str], None]]:
    """A bar on the terminal of standard error; nothing where that is none."""
    console = session.printer.console_of_notes
    if console is None:
        yield lambda part: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task, done = bar.add_task("", total=number), count()
        yield lambda part: bar.update(task, completed=next(done), description=f"reading {part}")
