"""Looking at secrets: how each kind of factor is hashed, sealed and compared.

Everything expensive happens here, before a command is submitted; the command then takes the verdict
if the factor is still the one that was looked at. A PIN has but a million values, so its hash alone
would not keep it: it first goes through an HMAC with the server's key, bound to its customer.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

import pyotp

from longmen_server.factors.model import (
    CODE_CHARACTERS,
    CODES,
    CONTEXT_WORDS,
    MAIN_SLOT,
    SALT_BYTES,
    TOTP_STEP_S,
    TOTP_WINDOW,
    FactorKind,
    FactorRow,
    Verdict,
    find_code,
    plain_code,
    shown_code,
)
from longmen_server.factors.passkeys import Passkeys, credential_id_of
from longmen_server.platform.hashing import keyed
from longmen_server.platform.sealing import BrokenSealError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.factors.settings import FactorsSettings
    from longmen_server.platform.hashing import Hasher
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.sealing import SecretKeys

__all__ = ["BackupCodes", "FactorChecks", "common_passwords"]

SEED_BYTES: Final = 20
"""As RFC 4226 recommends, and as SHA-1 takes whole."""
_CODE_BYTES: Final = 10
_NO_SALT: Final = bytes(SALT_BYTES)
_HASHED: Final = {FactorKind.PASSWORD: b"password", FactorKind.PAYMENT_PIN: b"pin"}


class BackupCodes(NamedTuple):
    """Fresh backup codes."""

    shown: list[str]
    hashes: bytes
    """Salt and hashes, as they are kept."""


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords that everybody tries first, in lower case."""
    text = resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def normal(password: str) -> str:
    """Return a password in form C, in which it is compared whatever keyboard it came from."""
    return unicodedata.normalize("NFC", password)


class FactorChecks:
    """Makes and checks the secret side of factors."""

    def __init__(self, *, hasher: Hasher, secrets_: SecretKeys, settings: FactorsSettings) -> None:
        """Take what hashing and sealing need."""
        self._hasher = hasher
        self._pepper = secrets_.derive("factors/pepper")
        self._seeds = secrets_.sealer("factors/seeds")
        self._replies = secrets_.sealer("factors/replies")
        self._bank_name = settings.bank_name
        self.passkeys = Passkeys(settings)
        self.context_words = (*CONTEXT_WORDS, settings.bank_name.lower())
        """Words that make no password longer: the bank's own name beside those of all banks."""

    # -- making --------------------------------------------------------------------------------

    async def hash(self, customer_id: CustomerId, kind: FactorKind, secret: str) -> str:
        """Return the PHC string of a password or PIN.

        Raises:
            Refusal: OVERLOADED.
        """
        return await self._hasher.hash(self._peppered(customer_id, kind, secret))

    def new_seed(self, customer_id: CustomerId) -> tuple[str, bytes]:
        """Return a seed for an authenticator app, in base 32, and the same sealed."""
        seed = secrets.token_bytes(SEED_BYTES)
        return base64.b32encode(seed).decode(), self._seeds.seal(seed, customer_id)

    def seed_uri(self, seed: str, name: str) -> str:
        """Return the URI of a seed, as authenticator apps scan it."""
        return pyotp.TOTP(seed).provisioning_uri(name=name, issuer_name=self._bank_name)

    async def new_codes(self, customer_id: CustomerId) -> BackupCodes:
        """Return ten backup codes.

        Raises:
            Refusal: OVERLOADED.
        """
        codes = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode() for _ in range(CODES)]
        assert all(len(code) == CODE_CHARACTERS for code in codes)
        salt = secrets.token_bytes(SALT_BYTES)
        offered = [self._peppered(customer_id, FactorKind.BACKUP_CODES, code) for code in codes]
        hashes = await self._hasher.stretch_all(offered, salt)
        return BackupCodes([shown_code(code) for code in codes], salt + b"".join(hashes))

    def seal_reply(self, plain: bytes, request_digest: bytes) -> bytes:
        """Return the secret part of a reply as it may be stored."""
        return self._replies.seal(plain, request_digest)

    def open_reply(self, sealed: bytes, request_digest: bytes) -> bytes:
        """Return the secret part of a stored reply."""
        return self._replies.open(sealed, request_digest)

    # -- checking ------------------------------------------------------------------------------

    async def check_secret(
        self, customer_id: CustomerId, row: FactorRow | None, kind: FactorKind, offered: str
    ) -> Verdict:
        """Compare a password or PIN; takes as long when there is none.

        Raises:
            Refusal: OVERLOADED.
        """
        stored = None if row is None else row.secret.decode()
        is_right = await self._hasher.verify(stored, self._peppered(customer_id, kind, offered))
        return _verdict(row, kind, is_right=is_right)

    async def check_code(
        self, customer_id: CustomerId, row: FactorRow | None, offered: str
    ) -> Verdict:
        """Look for a backup code; takes as long when there are none.

        Raises:
            Refusal: OVERLOADED.
        """
        kind = FactorKind.BACKUP_CODES
        salt = _NO_SALT if row is None else row.secret[:SALT_BYTES]
        secret = self._peppered(customer_id, kind, plain_code(offered))
        stretched = await self._hasher.stretch(secret, salt)
        index = None if row is None else find_code(row.secret, row.counter, stretched)
        return _verdict(row, kind, is_right=index is not None, counter=index or 0)

    def check_totp(
        self, customer_id: CustomerId, row: FactorRow | None, code: str, now_us: int
    ) -> Verdict:
        """Compare a code of an authenticator app with those of the present step and around it."""
        step = None if row is None else self.find_step(customer_id, row, code, now_us)
        return _verdict(row, FactorKind.TOTP, is_right=step is not None, counter=step or 0)

    def find_step(
        self, customer_id: CustomerId, row: FactorRow, code: str, now_us: int
    ) -> int | None:
        """Return the step whose code was offered; None for any other code."""
        try:
            seed = self._seeds.open(row.secret, customer_id)
        except BrokenSealError:
            return None
        totp = pyotp.TOTP(base64.b32encode(seed).decode())
        present = now_us // 1_000_000 // TOTP_STEP_S
        found = None
        for step in range(present - TOTP_WINDOW, present + TOTP_WINDOW + 1):
            if hmac.compare_digest(totp.generate_otp(step), code):
                found = step
        return found

    def check_passkey(
        self, rows: Sequence[FactorRow], assertion_json: str, challenge: bytes
    ) -> Verdict:
        """Verify an assertion by one of a customer's passkeys."""
        claimed = credential_id_of(assertion_json)
        row = next((row for row in rows if claimed and row.credential_id == claimed), None)
        if row is None:
            return Verdict.wrong(FactorKind.PASSKEY)
        counter = self.passkeys.verify(assertion_json, challenge, row)
        return _verdict(row, FactorKind.PASSKEY, is_right=counter is not None, counter=counter or 0)

    def _peppered(self, customer_id: CustomerId, kind: FactorKind, secret: str) -> bytes:
        label = _HASHED.get(kind, b"code")
        return keyed(self._pepper, label, customer_id, normal(secret).encode())


def _verdict(
    row: FactorRow | None, kind: FactorKind, *, is_right: bool, counter: int = 0
) -> Verdict:
    return Verdict(
        kind=kind,
        slot=MAIN_SLOT if row is None else row.slot,
        is_right=is_right and row is not None,
        changed_at_us=0 if row is None else row.changed_at_us,
        counter=counter,
    )
