"""Statements as PDF, set by typst in a process of its own.

Setting a long table takes seconds and hundreds of megabytes, and typst keeps what it has taken. So
every document gets a fresh process, which reads the content from its input, writes the document to
its output and ends; it can be killed when nobody waits any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from longmen_server.accounts.statement import (
    amount_text,
    direction_text,
    kind_text,
    time_text,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from longmen.accounts.v1 import wallet_pb2

__all__ = ["PdfPress", "page_content"]

TEMPLATE: Final = Path(__file__).with_name("statement.typ")

FONT_PACKAGE: Final = "manimgx_fonts_cjk"
"""Where Noto Sans CJK is: names and texts are Chinese, and not every server has Chinese fonts."""

TAGGED_LINES_MAX: Final = 300
"""Longest statement that is tagged for screen readers: tags make it ten times as large."""


def page_content(statement: wallet_pb2.Statement, zone: ZoneInfo) -> bytes:
    """Return what the template shows, as JSON."""
    content = {
        "title": "Account statement",
        "period": f"{statement.year:04}-{statement.month:02} ({statement.time_zone})"
        + ("" if statement.complete else ", so far"),
        "account": statement.account_id,
        "facts": [
            [
                "Account",
                statement.account_id,
                "Opening balance",
                amount_text(statement.opening),
            ],
            ["Currency", statement.opening.currency_code, "In", amount_text(statement.total_in)],
            ["Movements", str(len(statement.movements)), "Out", amount_text(statement.total_out)],
            ["", "", "Closing balance", amount_text(statement.closing)],
        ],
        "nothing": "No movements in this period.",
        "header": ["Booked", "Kind", "Details", "In", "Out", "Balance"],
        "lines": [_line(movement, zone) for movement in statement.movements],
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _line(movement: wallet_pb2.Movement, zone: ZoneInfo) -> list[str]:
    details = " · ".join(
        text
        for text in (
            movement.counterparty_masked_name,
            movement.description,
            movement.reference,
        )
        if text
    )
    amount = amount_text(movement.amount)
    incoming = direction_text(movement) == "IN"
    return [
        time_text(movement, zone)[:19],
        kind_text(movement).replace("_", " ").capitalize(),
        details or movement.counterparty_account_id,
        amount if incoming else "",
        "" if incoming else amount,
        amount_text(movement.posted_after),
    ]


class PdfPress:
    """Sets documents, a few at a time."""

    def __init__(self, *, parallel_max: int, waiting_max: int) -> None:
        """Take the limits.

        Args:
            parallel_max: documents set at the same time by this process.
            waiting_max: documents that may wait for their turn; the next one is refused.
        """
        self._turns = asyncio.Semaphore(parallel_max)
        self._waiting = 0
        self._waiting_max = waiting_max

    async def set_pages(self, content: bytes) -> bytes:
        """Return the document of some content.

        Raises:
            Refusal: OVERLOADED when too many documents wait.
            RuntimeError: typst could not set it; the message says why.
        """
        if self._turns.locked() and self._waiting >= self._waiting_max:
            raise Refusal(
                "OVERLOADED", "too many documents are being made", metadata={"class": "READ"}
            )
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            return await _run(content)
        finally:
            self._turns.release()


async def _run(content: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        document, complaint = await process.communicate(content)
    finally:
        # The caller may be gone, and with it whoever would have read the document.
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"the statement could not be set: {complaint.decode(errors='replace')}")
    return document


def _font_folders() -> list[str]:
    """Return where the font package is installed, without importing it."""
    found = importlib.util.find_spec(FONT_PACKAGE)
    return [] if found is None else list(found.submodule_search_locations or ())


def main() -> None:
    """Read content from standard input and write the document to standard output."""
    # Only this short-lived process needs typst; the server never loads it.
    import typst

    content = sys.stdin.buffer.read()
    tagged = len(json.loads(content)["lines"]) <= TAGGED_LINES_MAX
    document = typst.compile(
        str(TEMPLATE),
        sys_inputs={"statement": content.decode()},
        font_paths=_font_folders(),
        pdf_tags=tagged,
    )
    assert isinstance(document, bytes), "one input makes one document"
    sys.stdout.buffer.write(document)


if __name__ == "__main__":
    main()
