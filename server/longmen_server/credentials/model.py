"""API keys and their rules. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.platform.ids import API_KEY
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.platform.ids import ApiKeyId

SPIFFE: Final = re.compile(r"spiffe://[a-z0-9._-]{1,128}(/[A-Za-z0-9._-]{1,64}){1,8}")
HOST: Final = re.compile(r"dns:[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}")

KEYS_PER_OWNER: Final = 2
"""Keys that an owner has at a time: one in use, and one that takes over from it."""


CLAIM_HOURS: Final = 72
"""How long a secret waits to be claimed: over a weekend."""

CLAIM_VERSION: Final = "LONGMEN-KEY-CLAIM-1"
"""Begins what a claimant signs, so that no signature of a request can be taken for it."""


class KeyChange(IntEnum):
    """What became of a key; the names are told by events."""

    CREATED = 1
    CLAIMED = 2
    SIGNING_KEY_SET = 3
    ENDING = 4
    REVOKED = 5


class Owner(NamedTuple):
    """Whom a key speaks for."""

    kind: int
    """A value of longmen.credentials.v1.KeyOwnerKind."""
    subject: str


@dataclass(slots=True)
class KeyRow:
    """A key as stored, in the order of its columns."""

    key_id: ApiKeyId
    owner_kind: int
    owner: str
    slot: int
    """1 or 2: which of the owner's keys it is."""
    label: str
    secret_hash: bytes
    """SHA-256 of the secret, which has 256 random bits: there is nothing to guess."""
    scopes: str
    """Separated by spaces."""
    networks: str
    """CIDRs separated by spaces; none means anywhere."""
    public_key: bytes | None
    """DER of the key that verifies signatures; None while none is registered."""
    created_at_us: int
    expires_at_us: int
    revoked_at_us: int | None
    identity: str = ""
    """The name in a client certificate that the owner calls by, "spiffe://..." or "dns:..."; then
    there is no secret, and its hash is empty. Empty for keys."""
    claim_until_us: int | None = None
    """Until when whoever has the private half of the public key can claim the secret, whose hash is
    empty so long; None once it was claimed, and where nothing is to be claimed."""

    def copy(self) -> KeyRow:
        """Return a copy for a command to change."""
        return replace(self)

    @property
    def for_owner(self) -> Owner:
        """Whom it speaks for."""
        return Owner(self.owner_kind, self.owner)

    def is_good(self, now_us: int) -> bool:
        """Whether it is taken at a time, or can still be claimed."""
        until_us = self.expires_at_us
        if self.claim_until_us is not None:
            until_us = min(until_us, self.claim_until_us)
        return self.revoked_at_us is None and now_us < until_us

    @property
    def content_digest(self) -> bytes:
        """SHA-256 over the whole record, which the journal keeps."""
        parts = (
            self.owner_kind,
            self.owner,
            self.slot,
            self.label,
            self.secret_hash.hex(),
            self.scopes,
            self.networks,
            (self.public_key or b"").hex(),
            self.created_at_us,
            self.expires_at_us,
            self.revoked_at_us or 0,
            self.identity,
            self.claim_until_us or 0,
        )
        return sha256("|".join(map(str, parts)).encode()).digest()

    def allows(self, address: str) -> bool:
        """Whether it can be used from an address; one that is no IP address is in no network."""
        if not self.networks:
            return True
        try:
            host = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(host in ipaddress.ip_network(each) for each in self.networks.split())


def check_networks(networks: Iterable[str]) -> str:
    """Return networks as stored.

    Raises:
        Refusal: KEY_INVALID_NETWORK.
    """
    checked = []
    for text in networks:
        try:
            checked.append(str(ipaddress.ip_network(text)))
        except ValueError:
            raise Refusal(
                "KEY_INVALID_NETWORK",
                "a network is written as a CIDR, such as 192.0.2.0/24, without host bits",
                metadata={"network": text},
                field="networks",
            ) from None
    return " ".join(checked)


def claim_text(key_id: ApiKeyId) -> bytes:
    """Return what a claimant signs. It is good once, so nothing in it has to be fresh."""
    return f"{CLAIM_VERSION}\n{API_KEY.encode(key_id)}".encode()


def check_claim(row: KeyRow | None, proven: bytes | None, now_us: int) -> KeyRow:
    """Return the key whose secret whoever has proven a public key may have.

    Args:
        row: the key; None where there is none.
        proven: the public key whose private half has signed; None for a signature that is none.
        now_us: business time.

    Raises:
        Refusal: KEY_CLAIM_REJECTED.
    """
    if (
        row is None
        or proven is None
        or row.public_key != proven
        or row.claim_until_us is None
        or not row.is_good(now_us)
    ):
        raise Refusal("KEY_CLAIM_REJECTED", "there is no secret that this signature claims")
    return row


def claim_key_missing() -> Refusal:
    """Return the refusal of a key whose secret nobody could claim."""
    return Refusal("CLAIM_KEY_MISSING", "name the public key of whoever is to have the secret")


def key_not_found(key_id: ApiKeyId) -> Refusal:
    """Return the refusal for a key that is not there."""
    return Refusal(
        "KEY_NOT_FOUND",
        "there is no such key",
        metadata={"key_id": API_KEY.encode(key_id)},
        field="key_id",
    )


def check_identity(identity: str) -> str:
    """Return the name in a certificate that somebody is to be known by.

    Raises:
        Refusal: CERTIFICATE_IDENTITY_INVALID.
    """
    if SPIFFE.fullmatch(identity) is None and HOST.fullmatch(identity) is None:
        raise Refusal(
            "CERTIFICATE_IDENTITY_INVALID",
            "an identity is spiffe://trust.domain/path, or dns: and a name in small letters",
            field="identity",
        )
    return identity


def check_identity_free(taken: ApiKeyId | None, identity: str) -> None:
    """Refuse an identity that somebody calls by already.

    Raises:
        Refusal: CERTIFICATE_IDENTITY_TAKEN.
    """
    if identity and taken is not None:
        raise Refusal(
            "CERTIFICATE_IDENTITY_TAKEN",
            "the identity is registered already",
            metadata={"identity": identity},
            field="identity",
        )


def check_has_secret(row: KeyRow) -> None:
    """Refuse to rotate or sign with what has no secret.

    Raises:
        Refusal: CERTIFICATE_HAS_NO_SECRET.
    """
    if row.identity:
        raise Refusal(
            "CERTIFICATE_HAS_NO_SECRET",
            "a certificate is renewed by whoever issues it",
            metadata={"key_id": API_KEY.encode(row.key_id)},
            field="key_id",
        )


def check_not_revoked(row: KeyRow) -> None:
    """Refuse to change a key that has ended.

    Raises:
        Refusal: KEY_REVOKED.
    """
    if row.revoked_at_us is not None:
        raise Refusal(
            "KEY_REVOKED",
            "the key was revoked before",
            metadata={"key_id": API_KEY.encode(row.key_id)},
            field="key_id",
        )


def free_slot(present: Sequence[KeyRow], now_us: int) -> tuple[int, KeyRow | None]:
    """Return the slot of a new key, and the expired key that has to leave it.

    Raises:
        Refusal: KEY_LIMIT_REACHED.
    """
    taken = {row.slot: row for row in present}
    for slot in range(1, KEYS_PER_OWNER + 1):
        row = taken.get(slot)
        if row is None or not row.is_good(now_us):
            return slot, row
    raise Refusal("KEY_LIMIT_REACHED", "the owner has two keys already; revoke one first")
