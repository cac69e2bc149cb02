"""Log lines are one JSON object each and hold nothing that may not be in a log."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from longmen_server.platform.logs import REDACTED, configure_logs, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJsaW4ifQ.c2lnbmF0dXJl"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    configure_logs(level="info", as_json=True, stream=out, worker=3)
    yield out
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_time_level_logger_and_worker(stream: io.StringIO) -> None:
    structlog.stdlib.get_logger("some.module").info("batch_committed", commands=7)
    (line,) = lines(stream)
    assert line["event"] == "batch_committed"
    assert line["commands"] == 7
    assert line["level"] == "info"
    assert line["logger"] == "some.module"
    assert line["worker"] == 3
    assert line["timestamp"].endswith("Z")


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    structlog.stdlib.get_logger("x").debug("detail")
    logging.getLogger("library").debug("detail")
    assert not stream.getvalue()


def test_loggers_of_libraries_end_here_too(stream: io.StringIO) -> None:
    logging.getLogger("library").warning("token=%s for %s", TOKEN, "lin")
    (line,) = lines(stream)
    assert line["level"] == "warning"
    assert line["logger"] == "library"
    assert TOKEN not in line["event"]
    assert "_record" not in line


@pytest.mark.parametrize(
    "key",
    [
        "authorization",
        "access_token",
        "password",
        "pin",
        "phone_number",
        "amount",
        "minor_units",
        "available_minor_units",
        "display_name",
        "dsn",
    ],
)
def test_values_of_secret_keys_are_taken_out(stream: io.StringIO, key: str) -> None:
    structlog.stdlib.get_logger("x").info("event", **{key: "4711", "inner": {key: "4711"}})
    assert "4711" not in stream.getvalue()
    assert lines(stream)[0][key] == REDACTED


@pytest.mark.parametrize("key", ["token_id", "method", "incident_id", "account_id", "service_name"])
def test_other_keys_are_left(key: str) -> None:
    assert not is_secret(key)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"verify({TOKEN})", "c2lnbmF0dXJl"),
        ("authorization: Bearer abc.def", "abc.def"),
        ("connect postgresql://app:hunter2@db/longmen", "hunter2"),
        ("host=db password=hunter2 user=app", "hunter2"),
        ("Key (phone)=(+8613800138000) exists", "13800138000"),
    ],
)
def test_texts_that_look_secret_are_taken_out_of_exceptions_too(
    stream: io.StringIO, text: str, secret: str
) -> None:
    structlog.stdlib.get_logger("x").error("call_failed", exc_info=ValueError(text), detail=[text])
    (line,) = lines(stream)
    assert "ValueError" in line["exception"]
    assert secret not in stream.getvalue()


def test_a_value_cannot_forge_a_second_line(stream: io.StringIO) -> None:
    structlog.stdlib.get_logger("x").info("event", detail='a\r\n{"event": "forged"}\x1b[31m')
    assert len(lines(stream)) == 1
    assert "\x1b" not in stream.getvalue()


def test_a_line_names_the_trace_it_belongs_to(stream: io.StringIO) -> None:
    provider = TracerProvider()
    with provider.get_tracer("test").start_as_current_span("call") as span:
        structlog.stdlib.get_logger("x").info("inside")
    structlog.stdlib.get_logger("x").info("outside")
    inside, outside = lines(stream)
    assert inside["trace_id"] == trace.format_trace_id(span.get_span_context().trace_id)
    assert "trace_id" not in outside


def test_text_for_people_is_redacted_as_well(stream: io.StringIO) -> None:
    del stream
    out = io.StringIO()
    configure_logs(level="info", as_json=False, stream=out)
    structlog.stdlib.get_logger("x").info("event", password="hunter2")
    assert "event" in out.getvalue()
    assert "hunter2" not in out.getvalue()
