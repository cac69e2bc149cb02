"""Where statements are written: off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from longmen.accounts.v1 import accounts_service_pb2 as pb
from longmen.accounts.v1 import wallet_pb2
from longmen_server.accounts.statement import as_csv, as_json, make_statement
from longmen_server.accounts.statement_pdf import PdfPress, page_content
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from longmen_server.accounts.queries import MonthHistory
    from longmen_server.accounts.settings import AccountsSettings
    from longmen_server.accounts.statement import Month
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId

__all__ = ["StatementOffice"]

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv; charset=utf-8"
PDF_TYPE = "application/pdf"


class StatementOffice:
    """Makes the replies of GetStatement."""

    def __init__(self, zone: ZoneInfo, settings: AccountsSettings) -> None:
        """Take the bank's time zone and the limits."""
        self._zone = zone
        self._bytes_max = settings.statement_bytes_max
        self.lines_max = settings.statement_lines_max
        """Lines of a statement at most."""
        # Thousands of lines are a tenth of a second of work, too long for the event loop.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="statements")
        self._press = PdfPress(
            parallel_max=settings.statement_pdfs_parallel_max,
            waiting_max=settings.statement_pdfs_waiting_max,
        )

    def check_lines(self, month: Month, history: MonthHistory) -> None:
        """Refuse a month with too many movements for a statement.

        Raises:
            Refusal: STATEMENT_TOO_LARGE.
        """
        if len(history.entries) > self.lines_max:
            raise self._too_large(month)

    async def answer(
        self,
        account: AccountRow,
        month: Month,
        history: MonthHistory,
        masked_names: Mapping[AccountId, str],
        *,
        wanted: int,
        now_us: int,
    ) -> bytes:
        """Return the serialised reply, with the document in the format that is wanted.

        Raises:
            Refusal: STATEMENT_TOO_LARGE when the reply is more than a client takes, OVERLOADED.
        """
        loop = asyncio.get_running_loop()

        def write() -> tuple[pb.GetStatementResponse, bytes]:
            statement = make_statement(account, month, history, masked_names, now_us=now_us)
            reply = pb.GetStatementResponse(statement=statement)
            return reply, self._document(reply, wanted)

        reply, content = await loop.run_in_executor(self._thread, write)
        if wanted == wallet_pb2.STATEMENT_FORMAT_PDF:
            reply.document = await self._press.set_pages(content)
        data = await loop.run_in_executor(self._thread, reply.SerializeToString)
        if len(data) > self._bytes_max:
            raise self._too_large(month)
        return data

    def _document(self, reply: pb.GetStatementResponse, wanted: int) -> bytes:
        """Add the document that is wanted; return what is left to be set as a PDF."""
        statement = reply.statement
        if wanted == wallet_pb2.STATEMENT_FORMAT_JSON:
            reply.document, reply.media_type = as_json(statement), JSON_TYPE
        elif wanted == wallet_pb2.STATEMENT_FORMAT_CSV:
            reply.document, reply.media_type = as_csv(statement, self._zone), CSV_TYPE
        elif wanted == wallet_pb2.STATEMENT_FORMAT_PDF:
            reply.media_type = PDF_TYPE
            return page_content(statement, self._zone)
        return b""

    def _too_large(self, month: Month) -> Refusal:
        return Refusal(
            "STATEMENT_TOO_LARGE",
            "the month has more movements than a statement carries; list them instead",
            metadata={"month": str(month), "limit": str(self.lines_max)},
            field="month",
        )
