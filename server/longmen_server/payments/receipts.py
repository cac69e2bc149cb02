"""Receipts on paper: what was paid, as JSON for programs and as a page for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from google.protobuf.json_format import MessageToDict

from longmen.payments.v1 import bill_pb2
from longmen_server.accounts.statement_pdf import PdfPress
from longmen_server.platform.clock import DEFAULT_ZONE, from_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from longmen_server.accounts.settings import AccountsSettings

__all__ = ["ReceiptOffice"]

JSON_TYPE: Final = "application/json"
PDF_TYPE: Final = "application/pdf"


class ReceiptOffice:
    """Makes the documents of receipts; pages are set a few at a time, like statements."""

    def __init__(self, settings: AccountsSettings) -> None:
        """Take how many pages are set at once, and may wait."""
        self._press = PdfPress(
            parallel_max=settings.statement_pdfs_parallel_max,
            waiting_max=settings.statement_pdfs_waiting_max,
        )

    async def document(
        self,
        wanted: int,
        receipt: Message,
        *,
        title: str,
        subject: str,
        paid_at_us: int,
        facts: Sequence[tuple[str, str, str, str]],
    ) -> tuple[bytes, str]:
        """Return the document that is wanted and its media type; nothing where none is.

        Args:
            wanted: longmen.payments.v1.ReceiptFormat.
            receipt: the same as a message.
            title: of the page.
            subject: the id of what was paid, at the foot of the page.
            paid_at_us: when it was paid.
            facts: lines of the page: two names, each with what it names.

        Raises:
            Refusal: OVERLOADED when too many documents wait.
        """
        if wanted == bill_pb2.RECEIPT_FORMAT_JSON:
            content = MessageToDict(receipt, preserving_proto_field_name=True)
            return json.dumps(content, ensure_ascii=False).encode(), JSON_TYPE
        if wanted != bill_pb2.RECEIPT_FORMAT_PDF:
            return b"", ""
        at = from_microseconds(paid_at_us).astimezone(DEFAULT_ZONE)
        page = {
            "title": title,
            "period": at.isoformat(sep=" ", timespec="seconds"),
            "account": subject,
            "facts": [list(fact) for fact in facts],
            "nothing": "This receipt is proof of one payment.",
            "header": [],
            "lines": [],
        }
        return await self._press.set_pages(json.dumps(page, ensure_ascii=False).encode()), PDF_TYPE
