"""The codes that a device shows, made without a network. Pure but for the clock.

    8 | handle, 8 digits | number within the minute | password, 6 digits | check digits

The password is RFC 4226's over HMAC-SHA-256 of the minute since 1970, eight bytes, and the number,
one byte, under the device's secret; the check digits are those of ISO 7064 MOD 97-10.
"""

from __future__ import annotations

import base64
import hmac
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from longmen_client.money import Money

__all__ = ["BudgetSpentError", "Clock", "CodeMaker", "Scan", "emv_form"]

Clock: TypeAlias = Callable[[], float]
"""Seconds since 1970."""

STEP_SECONDS: Final = 60
PER_STEP: Final = 10
_PREFIX: Final = "8"
_COUNTER: Final = struct.Struct(">QB")


def machine_time() -> float:
    """The device's own clock."""
    return time.time()  # noqa: TID251 - a device has no other


_EMV_HEAD: Final = bytes.fromhex("85054350563031")
_EMV_APPLICATION: Final = bytes.fromhex("4F08F04C4F4E474D454E50074C4F4E474D454E")


def emv_form(code: str) -> str:
    """A code in EMV's consumer-presented form, to be drawn as a QR code that other scanners know.

    Args:
        code: the digits that `CodeMaker.next_code` gave.
    """
    digits = bytes.fromhex(code)
    template = _EMV_APPLICATION + bytes((0x5A, len(digits))) + digits
    return base64.b64encode(_EMV_HEAD + bytes((0x61, len(template))) + template).decode()


class BudgetSpentError(Exception):
    """The device has to be online before it shows another code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a till that scanned a code of the device asks."""

    order_id: str
    merchant_name: str
    """To show to the payer."""
    amount: Money
    description: str
    state: str
    """Of the order: the payer is asked while it is NEEDS_AUTH."""
    tip: Money | None = None
    """Paid besides the amount; None without one."""

    @property
    def asks(self) -> bool:
        """Whether the payer has to decide."""
        return self.state == "NEEDS_AUTH"


class CodeMaker:
    """One device's secret and budget, kept between starts by `save` and `load`."""

    def __init__(
        self, *, secret: bytes, handle: int, account_id: str, clock: Clock = machine_time
    ) -> None:
        self.account_id = account_id
        """What is paid from."""
        self.codes_left = 0
        self.renew_before_s = 0.0
        """From when no code is shown until the device was online, in seconds since 1970."""
        self._secret = secret
        self._handle = handle
        self._clock = clock
        self._step = 0
        self._shown = 0

    def renewed(self, codes_left: int, renew_before_s: float) -> None:
        """Take the budget that the bank has told."""
        self.codes_left = codes_left
        self.renew_before_s = renew_before_s

    def next_code(self) -> str:
        """The next code to show; each is good once, for its minute and the one after.

        Raises:
            BudgetSpentError: the device has to be online first, or has shown ten codes this minute.
        """
        now = self._clock()
        step = int(now) // STEP_SECONDS
        if step != self._step:
            self._step, self._shown = step, 0
        if self.codes_left <= 0 or now >= self.renew_before_s:
            raise BudgetSpentError("the device has to be online before its next code")
        if self._shown >= PER_STEP:
            raise BudgetSpentError("the device has shown every code of this minute")
        number = self._shown
        self._shown += 1
        self.codes_left -= 1
        body = f"{_PREFIX}{self._handle:08d}{number}{self._password(step, number)}"
        return body + f"{98 - int(body) * 100 % 97:02d}"

    def save(self) -> bytes:
        """What `load` takes after a restart. It is a secret: keep it like a key."""
        kept = {
            "secret": self._secret.hex(),
            "handle": self._handle,
            "account_id": self.account_id,
            "codes_left": self.codes_left,
            "renew_before_s": self.renew_before_s,
            "step": self._step,
            "shown": self._shown,
        }
        return json.dumps(kept).encode()

    @classmethod
    def load(cls, saved: bytes, *, clock: Clock = machine_time) -> CodeMaker:
        """Go on where a saved one was."""
        kept = json.loads(saved)
        maker = cls(
            secret=bytes.fromhex(kept["secret"]),
            handle=kept["handle"],
            account_id=kept["account_id"],
            clock=clock,
        )
        maker.renewed(kept["codes_left"], kept["renew_before_s"])
        maker._step, maker._shown = kept["step"], kept["shown"]
        return maker

    def _password(self, step: int, number: int) -> str:
        digest = hmac.digest(self._secret, _COUNTER.pack(step, number), sha256)
        offset = digest[-1] & 0x0F
        truncated: int = struct.unpack_from(">I", digest, offset)[0] & 0x7FFFFFFF
        return f"{truncated % 1_000_000:06d}"
