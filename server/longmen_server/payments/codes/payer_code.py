"""Payer codes: eighteen digits that a payer's device shows and a till scans.

    8 · hhhhhhhh · s · pppppp · cc
    │   │          │   │        └ check digits, ISO 7064 MOD 97-10 over the sixteen before them
    │   │          │   └ one-time password, six digits
    │   │          └ sequence: the device's ten codes of one minute
    │   └ handle: the device's number, given at enrolment
    └ ours: 10-15, 25-30 and 62 belong to WeChat Pay, Alipay and UnionPay

The password is RFC 4226's truncated HMAC, here over SHA-256, of the minute (RFC 6238's time step,
60 seconds) and the sequence, under the device's own secret. So a device makes codes without a
network, and the server keeps no table of codes: only each device's secret, and which of its last
codes were used.

A till rejects misread digits by the check digits alone: MOD 97-10 finds every wrong digit and every
swap of two neighbours.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen_server.payments.codes.tlv import CodeError, is_digits

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE_DIGITS: Final = 18
PREFIX: Final = "8"
HANDLE_DIGITS: Final = 8
HANDLES: Final = 10**HANDLE_DIGITS
SEQUENCES: Final = 10
PASSWORD_DIGITS: Final = 6
STEP_SECONDS: Final = 60
WINDOW_STEPS: Final = 1
"""Steps that a device's clock may be off, either way."""
SECRET_BYTES: Final = 32
MEMORY_STEPS: Final = 72 * 60
"""Steps for which used codes are known: a till without a network forwards a code long after."""
MEMORY_USES: Final = 48
"""Uses known at most. The window has thirty codes, so what comes from it is always told apart."""
_COUNTER: Final = struct.Struct(">QB")

#: First digits of other schemes' codes, for a cashier's one input field.
SCHEMES: Final = (
    *((str(prefix), "wechat_pay") for prefix in range(10, 16)),
    *((str(prefix), "alipay") for prefix in range(25, 31)),
    ("62", "unionpay"),
    (PREFIX, "longmen"),
)


@dataclass(frozen=True, slots=True)
class PayerCode:
    """A payer code taken apart; nothing of it is proven."""

    handle: int
    """The device's number."""
    sequence: int
    """Which of the device's codes of that minute."""
    password: str
    """Six digits that only the device and we can make."""

    def use(self, step: int) -> int:
        """The number of this use within the device's life, by which it is spent once."""
        return step * SEQUENCES + self.sequence


def scheme_of(text: str) -> str:
    """Whose code it is, by its first digits; empty when nobody's we know."""
    if not is_digits(text):
        return ""
    return next((scheme for prefix, scheme in SCHEMES if text.startswith(prefix)), "")


def step_at(now_us: int) -> int:
    """The minute that a moment, in microseconds since 1970, belongs to."""
    return now_us // (STEP_SECONDS * 1_000_000)


def make(secret: bytes, *, handle: int, step: int, sequence: int) -> str:
    """The code a device shows.

    Args:
        secret: the device's, SECRET_BYTES long.
        handle: the device's number, below HANDLES.
        step: the minute, from `step_at`.
        sequence: 0 to 9; the device takes the next one after each code it has shown.
    """
    assert len(secret) == SECRET_BYTES, "secrets have a fixed length"
    assert 0 <= handle < HANDLES, "handles have eight digits"
    assert 0 <= sequence < SEQUENCES, "sequences have one digit"
    body = f"{PREFIX}{handle:0{HANDLE_DIGITS}d}{sequence}{password(secret, step, sequence)}"
    return body + check_digits(body)


def parse(text: str) -> PayerCode:
    """Take a code apart.

    Raises:
        CodeError: `not_digits`, `scheme_unknown` for another's code, `length_wrong`,
            `check_digits_wrong`.
    """
    if not is_digits(text):
        raise CodeError("not_digits")
    if not text.startswith(PREFIX):
        raise CodeError("scheme_unknown")
    if len(text) != CODE_DIGITS:
        raise CodeError("length_wrong", offset=min(len(text), CODE_DIGITS))
    if int(text) % 97 != 1:
        raise CodeError("check_digits_wrong", offset=CODE_DIGITS - 2)
    handle_end = 1 + HANDLE_DIGITS
    return PayerCode(
        handle=int(text[1:handle_end]),
        sequence=int(text[handle_end]),
        password=text[handle_end + 1 : handle_end + 1 + PASSWORD_DIGITS],
    )


def step_of(code: PayerCode, secret: bytes, *, now_us: int) -> int | None:
    """The minute a code was made in, when the device made it within the window; None otherwise.

    Each is compared in constant time; that a code of the present minute is found before the others
    are tried tells nothing but that it was good, as the answer does.
    """
    present = step_at(now_us)
    around = (present + sign * away for away in range(1, WINDOW_STEPS + 1) for sign in (-1, 1))
    for step in (present, *around):
        expected = password(secret, step, code.sequence)
        if hmac.compare_digest(expected, code.password):
            return step
    return None


def spend(
    code: PayerCode, step: int, used: Iterable[int], *, now_us: int
) -> tuple[int, ...] | None:
    """The device's used codes after this one is spent, or None when it was spent before.

    Uses that no till can forward any more are forgotten, and of many the oldest; a code older than
    a full memory may have been spent and cannot be told from one that was.
    """
    use = code.use(step)
    oldest = (step_at(now_us) - MEMORY_STEPS) * SEQUENCES
    kept = sorted(one for one in used if one >= oldest)
    is_full = len(kept) >= MEMORY_USES
    if use in kept or use < oldest or (is_full and use < kept[0]):
        return None
    return (*kept[1:], use) if is_full else (*kept, use)


def check_digits(body: str) -> str:
    """The two digits that make the whole number 1 modulo 97 (ISO 7064 MOD 97-10)."""
    return f"{98 - int(body) * 100 % 97:02d}"


def password(secret: bytes, step: int, sequence: int) -> str:
    """The one-time password of a code: RFC 4226 over HMAC-SHA-256."""
    digest = hmac.digest(secret, _COUNTER.pack(step, sequence), sha256)
    offset = digest[-1] & 0x0F
    number: int = struct.unpack_from(">I", digest, offset)[0] & 0x7FFFFFFF
    return f"{number % 10**PASSWORD_DIGITS:0{PASSWORD_DIGITS}d}"
