"""Where scanned codes are judged before the transaction that takes them.

A code names its device, so its secret is one row away; rows are remembered, because a device that
paid will pay again. What is remembered may be old, so a code that is not good by it is judged again
by what the database has, and the transaction checks under its locks that the secret is still the
device's.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from longmen_server.payer_codes.model import LATE_STEPS, Judged
from longmen_server.payer_codes.queries import find_by_handles
from longmen_server.payments.codes import consumer_code, payer_code
from longmen_server.payments.codes.tlv import CodeError
from longmen_server.payments.scan import code_refusal
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import BrokenSealError

if TYPE_CHECKING:
    from longmen_server.payer_codes.model import PayerCodeRow
    from longmen_server.payments.codes.payer_code import PayerCode
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.sealing import Sealer

__all__ = ["CodeDesk"]

REMEMBERED_MAX: Final = 20_000
"""Devices remembered by one worker, some 10 MB; their secrets stay sealed meanwhile."""

READ_SECONDS_MAX: Final = 5.0
"""How long one read of devices may take."""


class CodeDesk:
    """Judges scanned codes."""

    def __init__(self, *, readers: Readers, clock: Clock, sealer: Sealer) -> None:
        """Take what judging needs.

        Args:
            readers: where devices are read.
            clock: by which codes grow old.
            sealer: opens secrets.
        """
        self._readers = readers
        self._clock = clock
        self._sealer = sealer
        self._remembered: dict[tuple[int, int], PayerCodeRow] = {}
        self._wanted: dict[tuple[int, int], asyncio.Future[PayerCodeRow | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def judge(
        self, text: str, book: int, deadline: float, *, at_us: int | None = None
    ) -> Judged:
        """Return what is to be known of a scanned code.

        Args:
            text: the code, as digits or in EMV's consumer-presented form.
            book: of the merchant, in which the payer's device has to be.
            deadline: monotonic seconds.
            at_us: when it was scanned, in microseconds; None for now.

        Raises:
            Refusal: STORAGE_UNAVAILABLE and its like, when devices cannot be read.
        """
        try:
            is_emv = consumer_code.is_consumer_code(text)
            code = payer_code.parse(consumer_code.read(text) if is_emv else text)
        except CodeError as error:
            return Judged(malformed=_malformed(text, error))
        at_us = self._clock.now_us() if at_us is None else at_us
        key = (book, code.handle)
        row = self._remembered.get(key)
        if row is not None:
            judged = self._compare(code, row, at_us)
            if judged.step is not None:
                return judged
        row = await self._look_up(key, deadline)
        self._remembered.pop(key, None)
        if row is None:
            return Judged(code=code)
        if len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = row
        return self._compare(code, row, at_us)

    async def _look_up(self, key: tuple[int, int], deadline: float) -> PayerCodeRow | None:
        """Read a device, together with those that others want meanwhile.

        Tills scan payers who were never here before, so most codes have to be read; those that come
        while a read is under way share the next one.

        Raises:
            Refusal: STORAGE_UNAVAILABLE and its like; DEADLINE_EXCEEDED.
        """
        wanted = self._wanted.get(key)
        if wanted is None:
            wanted = self._wanted[key] = asyncio.get_running_loop().create_future()
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read(), name="payer-codes")
        try:
            left = deadline - self._clock.monotonic()
            return await asyncio.wait_for(asyncio.shield(wanted), left)
        except TimeoutError:
            raise Refusal(
                "DEADLINE_EXCEEDED", "the deadline passed before the code was looked up"
            ) from None

    async def _read(self) -> None:
        """Read what is wanted until nothing is."""
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            by_book: defaultdict[int, list[int]] = defaultdict(list)
            for book, handle in wanted:
                by_book[book].append(handle)
            try:
                deadline = self._clock.monotonic() + READ_SECONDS_MAX
                async with self._readers.connection(deadline=deadline) as connection:
                    found = {
                        (book, handle): row
                        for book, handles in by_book.items()
                        for handle, row in (
                            await find_by_handles(connection, book, handles)
                        ).items()
                    }
            except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits is told
                for future in wanted.values():
                    future.set_exception(error)
                    future.exception()  # whoever waited may have left
                continue
            for key, future in wanted.items():
                future.set_result(found.get(key))

    def _compare(self, code: PayerCode, row: PayerCodeRow, at_us: int) -> Judged:
        """Compare a code with those that its device can have made around a moment."""
        step, late = None, False
        try:
            secret = self._sealer.open(row.secret, row.place) if row.secret else b""
        except BrokenSealError:
            secret = b""  # sealed by another server's key: no code of the device can be good here
        if secret:
            step = payer_code.step_of(code, secret, now_us=at_us)
            late = step is None and _is_late(code, secret, at_us)
        return Judged(
            code=code,
            owner=row.owner,
            enrolled_at_us=row.enrolled_at_us,
            step=step,
            late=late,
        )


def _is_late(code: PayerCode, secret: bytes, now_us: int) -> bool:
    """Whether the device made the code in the half hour before those minutes that count."""
    newest = payer_code.step_at(now_us) - payer_code.WINDOW_STEPS - 1
    found = False
    for step in range(newest - LATE_STEPS, newest + 1):
        expected = payer_code.password(secret, step, code.sequence)
        found |= hmac.compare_digest(expected, code.password)
    return found


def _malformed(text: str, error: CodeError) -> Refusal:
    if error.problem != "scheme_unknown":
        return code_refusal(error)
    return Refusal(
        "CODE_UNKNOWN_SCHEME",
        "the code is another scheme's",
        metadata={"scheme": error.path or payer_code.scheme_of(text)},
        field="code",
    )
