"""Logs: one JSON object per line, with the trace it belongs to and without what must not be in it.

Everything that writes logs ends here, the libraries' loggers too. What a log may never hold is
taken out at the last step, by the name of its key and by its look, in the texts of exceptions as
well: tokens, passwords, personal data and amounts of money. That is the second line of defence; the
first is not to log them.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import structlog
from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["configure_logs", "redact"]

REDACTED: Final = "(redacted)"

SECRET_WORDS: Final = frozenset(
    {
        "amount",
        "authorization",
        "balance",
        "dsn",
        "otp",
        "password",
        "phone",
        "pin",
        "secret",
        "token",
        "units",
    }
)
"""Words that make a key's value unfit for a log: in `phone_number` as in `minor_units`."""

OPEN_KEYS: Final = frozenset({"token_id"})
"""Keys that have such a word and are fit for a log all the same."""

PERSONAL_KEYS: Final = frozenset({"name", "display_name", "full_name", "nickname", "payee_name"})
"""Keys with the names of people; `name` alone is one too."""

SECRET_LOOKS: Final = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),
    (re.compile(r"(://[^:/@\s]*:)[^@/\s]+@"), rf"\1{REDACTED}@"),
    (re.compile(r"(?i)\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)\S+"), rf"\1\2{REDACTED}"),
    (re.compile(r"(?i)\bbearer\s+\S+"), f"Bearer {REDACTED}"),
    (re.compile(r"\+\d{7,15}\b"), REDACTED),
)
"""What is taken out of texts: signed tokens, passwords in addresses and in key=value form, bearer
tokens, and telephone numbers."""

TEXT_MAX: Final = 16_384
"""Longest text of one value, in characters: a traceback fits, a whole request does not."""

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logs(
    *,
    level: str,
    as_json: bool,
    stream: TextIO | None = None,
    **bound: str | int,
) -> None:
    """Send every log of this process to a stream; call it once, first thing.

    Args:
        level: Least severe level that is written: debug, info, warning or error.
        as_json: JSON lines for machines, or coloured text for a person at a terminal.
        stream: Where to write; standard error by default, since standard output is for results.
        bound: What every line shall say, such as the worker's number.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _binder(bound),
        add_trace,
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def add_trace(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add the ids of the present span, where there is one."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = format(span.trace_id, "032x")
        event["span_id"] = format(span.span_id, "016x")
    return event


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take out what may not be logged; control characters become escapes."""
    for key, value in event.items():
        if key.startswith("_"):
            continue  # structlog's own, gone before anything is written
        event[key] = REDACTED if is_secret(key) else _clean(value)
    return event


def is_secret(key: str) -> bool:
    """Whether a key's name says that its value may not be logged."""
    if key in OPEN_KEYS:
        return False
    return key in PERSONAL_KEYS or not SECRET_WORDS.isdisjoint(key.lower().split("_"))


def _clean(value: Any) -> Any:
    """Return a value without what looks secret, in containers too."""
    if isinstance(value, str):
        for look, instead in SECRET_LOOKS:
            value = look.sub(instead, value)
        return value[:TEXT_MAX]
    if isinstance(value, dict):
        return {
            key: REDACTED if is_secret(str(key)) else _clean(inner) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value if isinstance(value, int | float | None) else _clean(str(value))


def _binder(bound: dict[str, str | int]) -> structlog.typing.Processor:
    """Return the processor that adds what every line shall say."""

    def bind(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in bound.items():
            event.setdefault(key, value)
        return event

    return bind
