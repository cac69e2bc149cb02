"""The rules of factors: what a good password and PIN are, and when wrong tries block.

Sources: NIST SP 800-63B and OWASP ASVS 5.0 (6.2) for passwords; Delegated Regulation (EU) 2018/389
Art. 4(3)(b) for at most five tries in a row; RFC 6238 for one-time codes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from longmen_server.platform.ids import CustomerId, FactorId

__all__ = [
    "NO_DEVICE",
    "AttemptKey",
    "AttemptRow",
    "FactorKey",
    "FactorKind",
    "FactorRow",
    "FactorState",
    "Passkey",
    "SecurityRow",
    "Verdict",
]


class FactorKind(IntEnum):
    """What a customer proves to be one with; numbers as in the contract."""

    PASSWORD = 1
    PAYMENT_PIN = 2
    TOTP = 3
    PASSKEY = 4
    BACKUP_CODES = 5
    MESSAGE_CODE = 6


class FactorState(IntEnum):
    """Whether a factor counts."""

    PENDING = 1
    ACTIVE = 2
    REMOVED = 3


ENROLMENT_US: Final = 600_000_000
"""How long a seed or a passkey's challenge waits to be confirmed."""

PASSKEYS_MAX: Final = 10
MAIN_SLOT: Final = 0
PENDING_SLOT: Final = 10
"""Where what is not confirmed yet stands; passkeys in use have slots 0 to 9."""


class FactorKey(NamedTuple):
    """The place of one factor."""

    customer_id: CustomerId
    kind: int
    slot: int


@dataclass(slots=True)
class FactorRow:
    """One factor, or the place where one was."""

    customer_id: CustomerId
    kind: int
    slot: int
    factor_id: FactorId
    state: int
    flagged: bool
    counter: int
    """TOTP: last step used. Passkey: its signature counter. Backup codes: bits of those used."""
    expires_at_us: int
    """When a pending one is void; 0 for others."""
    created_at_us: int
    changed_at_us: int
    """Grows with every change of the secret: what was checked against an older one is void."""
    secret: bytes
    """Password, PIN: PHC string. TOTP: the seed, sealed. Passkey: public key, or while pending the
    challenge. Backup codes: salt and hashes. Nothing of it opens anything without the server's
    key file."""
    credential_id: bytes
    """The passkey's own id; empty for others."""
    label: str

    @property
    def key(self) -> FactorKey:
        """Where it stands."""
        return FactorKey(self.customer_id, self.kind, self.slot)

    @property
    def is_active(self) -> bool:
        """Whether it counts."""
        return self.state == FactorState.ACTIVE

    def is_pending(self, now_us: int) -> bool:
        """Whether it waits to be confirmed."""
        return self.state == FactorState.PENDING and now_us < self.expires_at_us

    def copy(self) -> FactorRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


class Passkey(NamedTuple):
    """What a passkey's registration has shown."""

    credential_id: bytes
    public_key: bytes
    counter: int


def places(customer_id: CustomerId) -> list[FactorKey]:
    """Return every place a customer's factors can stand in."""
    single = (FactorKind.PASSWORD, FactorKind.PAYMENT_PIN, FactorKind.BACKUP_CODES)
    keys = [FactorKey(customer_id, kind, MAIN_SLOT) for kind in single]
    keys += [FactorKey(customer_id, FactorKind.TOTP, slot) for slot in (MAIN_SLOT, PENDING_SLOT)]
    keys += [FactorKey(customer_id, FactorKind.PASSKEY, n) for n in range(PENDING_SLOT + 1)]
    return keys


def bit(kind: int) -> int:
    """Return the bit of a kind in a set of kinds."""
    return 1 << kind


def bits(kinds: Iterable[int]) -> int:
    """Return a set of kinds as bits."""
    return sum(bit(kind) for kind in set(kinds))


def kinds_of(mask: int) -> list[FactorKind]:
    """Return the kinds whose bits are set, in order."""
    return [kind for kind in FactorKind if mask & bit(kind)]


@dataclass(slots=True)
class SecurityRow:
    """What payments have to know of a customer's factors, in one row."""

    customer_id: CustomerId
    kinds: int
    """Bits of the kinds that count now."""
    exempt_count: int
    """Payments let through without approval since the last one with."""
    unblocked_at_us: int
    """Wrong tries before it are forgiven: the bank lifted the blocks."""
    changed_at_us: int

    def copy(self) -> SecurityRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return SecurityRow(*_security_columns(self))


# Every payment copies one: four times as fast as `dataclasses.replace`.
_security_columns: Final = attrgetter(*SecurityRow.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What looking at an offered factor came to."""

    kind: FactorKind
    slot: int
    is_right: bool
    changed_at_us: int
    """Of the factor that was looked at."""
    counter: int
    """TOTP: the step of the code. Passkey: its counter. Backup codes: which one."""

    @classmethod
    def wrong(cls, kind: FactorKind) -> Verdict:
        """Return the verdict over what is wrong, or of a kind that is not set up."""
        return cls(kind=kind, slot=MAIN_SLOT, is_right=False, changed_at_us=0, counter=0)


# -- Wrong tries.

NO_DEVICE: Final = bytes(16)
"""Stands for every device that is not bound: they share their tries, so that a guesser gains
nothing by new devices, and takes nothing from the owner's bound one."""

TRIES_BEFORE_DELAY: Final = 3
TRIES_BEFORE_BLOCK: Final = 5
DELAY_US: Final = 60_000_000
"""Pause after the third and after the fourth wrong try."""
_HOUR_US: Final = 3_600_000_000
BLOCKS_US: Final = (3 * _HOUR_US, 24 * _HOUR_US)
"""How long the first and the second block last; three hours are Alipay's."""
FOR_EVER_US: Final = 1 << 62
"""The third block lasts until the bank lifts it: fifteen guesses of a million in all."""


class AttemptKey(NamedTuple):
    """Whose tries of what, on which device."""

    customer_id: CustomerId
    device_id: bytes
    kind: int


@dataclass(slots=True)
class AttemptRow:
    """Wrong tries in a row."""

    customer_id: CustomerId
    device_id: bytes
    kind: int
    failures: int
    """Tries since the last right one, or since the last block; one in progress counts as wrong."""
    blocks: int
    """Blocks since the last right one."""
    blocked_until_us: int
    changed_at_us: int

    @property
    def key(self) -> AttemptKey:
        """Whose it is."""
        return AttemptKey(self.customer_id, self.device_id, self.kind)

    def copy(self) -> AttemptRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)


def is_blocked(row: AttemptRow | None, security: SecurityRow | None, now_us: int) -> bool:
    """Whether no try is taken at present."""
    return blocked_until(row, security) > now_us


def blocked_until(row: AttemptRow | None, security: SecurityRow | None) -> int:
    """Return until when no try is taken, in microseconds; 0 for now."""
    if row is None or is_forgiven(row, security):
        return 0
    return row.blocked_until_us


def is_forgiven(row: AttemptRow, security: SecurityRow | None) -> bool:
    """Whether the bank has lifted what a row tells."""
    return security is not None and row.changed_at_us <= security.unblocked_at_us


def count_try(row: AttemptRow, now_us: int) -> bool:
    """Count a try as wrong before it is looked at; say whether it brings about a block.

    Counting first makes it right under any number of tries at once: none is looked at that was not
    counted, and a right one takes the count back.
    """
    row.failures += 1
    row.changed_at_us = now_us
    if row.failures >= TRIES_BEFORE_BLOCK:
        duration = BLOCKS_US[row.blocks] if row.blocks < len(BLOCKS_US) else FOR_EVER_US - now_us
        row.failures = 0
        row.blocks += 1
        row.blocked_until_us = now_us + duration
        return True
    if row.failures >= TRIES_BEFORE_DELAY:
        row.blocked_until_us = now_us + DELAY_US
    return False


def forgive(row: AttemptRow, now_us: int) -> None:
    """Take all tries back."""
    row.failures = row.blocks = row.blocked_until_us = 0
    row.changed_at_us = now_us


# -- Passwords.

PASSWORD_MIN: Final = 8
PASSWORD_MIN_ALONE: Final = 15
PASSWORD_MAX: Final = 128
_REPEATED_MAX: Final = 2
"""Different characters that a password must exceed."""


CONTEXT_WORDS: Final = (
    *("longmen", "wallet", "bank", "password", "passwort", "qianbao", "yinhang", "mima"),
    *("龙门", "钱包", "银行", "密码"),
)
"""Words that guessers put into passwords for a bank's wallet, in lower case (ASVS 6.1.2)."""


def check_password(
    password: str,
    common: Collection[str],
    phone_number: str,
    words: Iterable[str] = CONTEXT_WORDS,
) -> None:
    """Refuse a password that guessers try first.

    Args:
        password: in normalization form C.
        common: passwords that everybody uses, in lower case.
        phone_number: the customer's, in E.164 form.
        words: that make a password no longer: what is left beside them has to be long enough.

    Raises:
        Refusal: PASSWORD_WEAK.
    """
    if len(password) < PASSWORD_MIN:
        raise password_weak("length.min", PASSWORD_MIN)
    if len(password) > PASSWORD_MAX:
        raise password_weak("length.max", PASSWORD_MIN)
    lower = password.lower()
    if lower in common or len(set(lower)) <= _REPEATED_MAX or is_run(lower):
        raise password_weak("common", PASSWORD_MIN)
    if phone_number[-8:] and phone_number[-8:] in password:
        raise password_weak("phone_number", PASSWORD_MIN)
    left = lower
    for word in words:
        left = left.replace(word, "")
    if len(left) < min(len(lower), PASSWORD_MIN):
        raise password_weak("context", PASSWORD_MIN)


def check_password_length(length: int, other_kinds: int) -> None:
    """Refuse a password too short to stand alone where it would.

    Raises:
        Refusal: PASSWORD_WEAK.
    """
    strong = bits((FactorKind.PAYMENT_PIN, FactorKind.TOTP, FactorKind.PASSKEY))
    if length < PASSWORD_MIN_ALONE and not other_kinds & strong:
        raise password_weak("length.alone", PASSWORD_MIN_ALONE)


def password_weak(rule: str, minimum: int) -> Refusal:
    """Return the refusal of a password."""
    return Refusal(
        "PASSWORD_WEAK",
        "the password is too easy to guess",
        metadata={"rule": rule, "minimum": str(minimum)},
        field="password",
    )


# -- PINs.


def check_pin(pin: str, phone_number: str) -> None:
    """Refuse a PIN that guessers try first.

    Args:
        pin: six digits.
        phone_number: the customer's, in E.164 form.

    Raises:
        Refusal: PIN_WEAK.
    """
    rule = weak_pin_rule(pin, phone_number)
    if rule is not None:
        raise Refusal(
            "PIN_WEAK",
            "the PIN is too easy to guess",
            metadata={"rule": rule},
            field="pin",
        )


def weak_pin_rule(pin: str, phone_number: str) -> str | None:
    """Return the name of the rule that a PIN breaks."""
    if is_run(pin):
        return "run"
    if has_period(pin):
        return "repetition"
    if pin in {phone_number[-6:], phone_number[-6:][::-1]}:
        return "phone_number"
    if is_date(pin):
        return "date"
    return None


def is_run(text: str) -> bool:
    """Whether characters follow each other by steps of one, up or down: 123456, 987654, 890123."""
    steps = {
        (ord(b) - ord(a)) % 10 if text.isdigit() else ord(b) - ord(a) for a, b in pairwise(text)
    }
    return len(steps) == 1 and bool(steps & {1, 9, -1})


def has_period(pin: str) -> bool:
    """Whether a PIN repeats one, two or three digits, or pairs: 111111, 121212, 123123, 112233."""
    pairs = pin[0::2] == pin[1::2]
    mirrored = pin == pin[::-1]
    return pairs or mirrored or len(set(pin)) <= _REPEATED_MAX or pin[:3] == pin[3:]


def is_date(pin: str) -> bool:
    """Whether a PIN can be a birthday: year, month and day in the orders that people use."""
    first, second, third = int(pin[:2]), int(pin[2:4]), int(pin[4:])
    orders = ((first, second, third), (third, second, first), (third, first, second))
    if any(_is_day(year, month, day) for year, month, day in orders):
        return True
    # Year of four digits and month, as in 199007 or 071990.
    years = ((int(pin[:4]), third), (int(pin[2:]), first))
    return any(1900 <= year <= 2099 and 1 <= month <= 12 for year, month in years)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


# -- One-time codes.

TOTP_STEP_S: Final = 30
TOTP_WINDOW: Final = 1
"""Steps that the customer's clock may be off, in either direction."""

CODES: Final = 10
"""Backup codes made at a time."""
CODE_CHARACTERS: Final = 16
"""Characters of a code, in base 32: 80 bits."""
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32


def plain_code(code: str) -> str:
    """Return a backup code as it is hashed, however it was typed."""
    return code.replace("-", "").upper()


def shown_code(code: str) -> str:
    """Return a backup code in groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, CODE_CHARACTERS, 4))


def find_code(secret: bytes, used: int, offered: bytes) -> int | None:
    """Return which unused code an offered one's hash belongs to."""
    for index in range(CODES):
        at = SALT_BYTES + index * HASH_BYTES
        if secret[at : at + HASH_BYTES] == offered and not used >> index & 1:
            return index
    return None


def codes_left(used: int) -> int:
    """Return how many backup codes are unused."""
    return CODES - used.bit_count()


# -- Refusals.


def factor_rejected() -> Refusal:
    """Return the one refusal of a wrong, a blocked and a missing factor."""
    return Refusal("FACTOR_REJECTED", "what was offered does not prove who is calling")


def enrolment_not_found() -> Refusal:
    """Return the refusal of a confirmation that confirms nothing."""
    return Refusal("ENROLMENT_NOT_FOUND", "nothing was started that could be confirmed")


def limit_reached() -> Refusal:
    """Return the refusal of one passkey too many."""
    return Refusal(
        "FACTOR_LIMIT_REACHED",
        "no more passkeys can be kept",
        metadata={"limit": str(PASSKEYS_MAX)},
    )


def passkey_rejected() -> Refusal:
    """Return the refusal of a credential that was not made as it has to be."""
    return Refusal(
        "PASSKEY_REJECTED",
        "the credential is not one this bank can take",
        field="credential_json",
    )


def factor_not_found(factor_id: str) -> Refusal:
    """Return the refusal of a factor that is not there, or another's."""
    return Refusal(
        "FACTOR_NOT_FOUND",
        "no such factor",
        metadata={"factor_id": factor_id},
        field="factor_id",
    )
