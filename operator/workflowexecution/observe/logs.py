"""Structured logs: one event a line, with the execution it is about on every line."""

import logging
import sys
from typing import Literal

import structlog

from workflowexecution.core.text import one_line, printable


def configure_logs(log_format: Literal["json", "text"], level: str) -> None:
    """Send our own and all libraries' log lines to standard error in one format."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    # JSON escapes by itself what others have written.
    harmless = [] if log_format == "json" else [_harmless]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *harmless,
                renderer,
            ],
        )
    )
    handler.addFilter(_is_ours_or_matters)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # kopf logs each event, which costs time even at a level that is not written. Of its
    # requests we tell ourselves.
    logging.getLogger("kopf").setLevel(logging.ERROR)
    logging.getLogger("kopf._cogs.clients").setLevel(logging.CRITICAL)


def _harmless(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Let no text of others be obeyed by a terminal, or pass for another line of the log."""
    return {key: _as_text(key, value) for key, value in event.items()}


def _as_text(key: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if key == "exception":
        return printable(value).replace("\n", "\n    ")
    return one_line(value)


def _is_ours_or_matters(record: logging.LogRecord) -> bool:
    """Leave out what libraries tell in detail: it drowns ours, and some log whole credentials."""
    is_ours = isinstance(record.msg, dict)
    return is_ours or record.levelno >= logging.WARNING
