"""Where scanned codes are read, and compared with those that a device can have made.

A code names its device and nothing secret is looked up outside of the transaction that takes it:
the device's row is locked there anyway, so a scan costs no read of its own, and a secret renewed
meanwhile cannot be mistaken for the present one.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from longmen_server.payer_codes.model import LATE_STEPS, Match, Scan
from longmen_server.payments.codes import consumer_code, payer_code
from longmen_server.payments.codes.tlv import CodeError
from longmen_server.payments.scan import code_refusal
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import BrokenSealError

if TYPE_CHECKING:
    from longmen_server.payer_codes.model import PayerCodeRow
    from longmen_server.payments.codes.payer_code import PayerCode
    from longmen_server.platform.sealing import Sealer

__all__ = ["CodeDesk"]


class CodeDesk:
    """Reads scanned codes, and opens the secrets they are compared by."""

    def __init__(self, sealer: Sealer) -> None:
        """Take what opens secrets."""
        self._sealer = sealer

    def scan(self, text: str, *, at_us: int | None = None) -> Scan:
        """Return what a scanned code says.

        Args:
            text: the code, as digits or in EMV's consumer-presented form.
            at_us: when it was scanned, in microseconds; None for now.
        """
        try:
            is_emv = consumer_code.is_consumer_code(text)
            code = payer_code.parse(consumer_code.read(text) if is_emv else text)
        except CodeError as error:
            return Scan(self.compare, malformed=_malformed(text, error), at_us=at_us)
        return Scan(self.compare, code, at_us=at_us)

    def compare(self, code: PayerCode, row: PayerCodeRow, at_us: int) -> Match:
        """Compare a code with those that its device can have made around a moment."""
        try:
            secret = self._sealer.open(row.secret, row.place) if row.secret else b""
        except BrokenSealError:
            secret = b""  # sealed by another server's key: no code of the device can be good here
        if not secret:
            return Match()
        step = payer_code.step_of(code, secret, now_us=at_us)
        return Match(step, late=step is None and _is_late(code, secret, at_us))


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
