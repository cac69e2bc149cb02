"""A passkey device in software: for demonstrations and tests, where no phone is at hand.

It makes real P-256 key pairs and real signatures, as WebAuthn level 3 wants them, and keeps them in
memory or in a file. It is no safe place for a key: whoever can read the file is the customer. Needs
the extra `receipts` of longmen-client, for the signatures.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SoftwareAuthenticator"]

_PRESENT: Final = 0x01
_VERIFIED: Final = 0x04
_HAS_CREDENTIAL: Final = 0x40
_NO_MODEL: Final = bytes(16)
_CREDENTIAL_ID_BYTES: Final = 16


@dataclass
class SoftwareAuthenticator:
    """A device with passkeys.

    Args:
        origin: where the app that asks says it comes from.
        user_verified: whether the device has seen its owner's finger, face or PIN.
    """

    origin: str = "https://localhost"
    user_verified: bool = True
    counter: int = 0
    """Signatures made so far."""
    keys: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    """Private keys by credential id, in base64url."""

    def create(self, options_json: str) -> str:
        """Make a passkey for the options of StartPasskey; the answer is for ConfirmPasskey."""
        options = json.loads(options_json)
        credential_id = os.urandom(_CREDENTIAL_ID_BYTES)
        key = ec.generate_private_key(ec.SECP256R1())
        self.keys[_text(credential_id)] = key
        client_data = self._client_data("webauthn.create", options["challenge"])
        header = struct.pack(">16sH", _NO_MODEL, len(credential_id))
        attested = header + credential_id + _cose(key)
        data = self._device_data(options["rp"]["id"], _HAS_CREDENTIAL) + attested
        attestation = _cbor({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": _text(client_data),
            "attestationObject": _text(attestation),
            "transports": ["internal"],
        }
        return _credential(credential_id, response)

    def get(self, options_json: str) -> str:
        """Sign the options of a challenge; the answer is for ApproveChallenge.

        Raises:
            LookupError: the device has none of the passkeys asked for.
        """
        options = json.loads(options_json)
        # Options that name none ask for any passkey that the device keeps for the site.
        resident = [{"id": name} for name in self.keys]
        for allowed in options.get("allowCredentials") or resident:
            key = self.keys.get(allowed["id"])
            if key is not None:
                break
        else:
            raise LookupError("this device has none of the passkeys asked for")
        client_data = self._client_data("webauthn.get", options["challenge"])
        self.counter += 1
        data = self._device_data(options["rpId"], 0)
        signed = data + sha256(client_data).digest()
        response = {
            "clientDataJSON": _text(client_data),
            "authenticatorData": _text(data),
            "signature": _text(key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        }
        return _credential(_bytes(allowed["id"]), response)

    def save(self, path: Path) -> None:
        """Keep the passkeys in a file that only its owner can read."""
        keys = {
            name: key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode()
            for name, key in self.keys.items()
        }
        text = json.dumps({"counter": self.counter, "keys": keys}, indent=2)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    @classmethod
    def load(cls, path: Path, *, origin: str = "https://localhost") -> SoftwareAuthenticator:
        """Read the passkeys of a file; none when there is no file yet.

        Raises:
            ValueError: the file has something else.
        """
        device = cls(origin=origin)
        if path.exists():
            kept = json.loads(path.read_text())
            device.counter = kept["counter"]
            for name, pem in kept["keys"].items():
                key = serialization.load_pem_private_key(pem.encode(), password=None)
                if not isinstance(key, ec.EllipticCurvePrivateKey):
                    raise ValueError(f"{path}: {name} is not a P-256 key")  # noqa: TRY004
                device.keys[name] = key
        return device

    def _client_data(self, type_: str, challenge: str) -> bytes:
        said = {
            "type": type_,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(said, separators=(",", ":")).encode()

    def _device_data(self, site: str, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.user_verified else 0)
        return sha256(site.encode()).digest() + struct.pack(">BI", flags, self.counter)


def _credential(credential_id: bytes, response: dict[str, Any]) -> str:
    name = _text(credential_id)
    return json.dumps(
        {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
    )


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _cose(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key as COSE writes an ES256 key (RFC 9053)."""
    numbers = key.public_key().public_numbers()
    x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
    return _cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})


def _cbor(value: object) -> bytes:
    """Return a value in CBOR (RFC 8949), as far as attestations need it."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    assert isinstance(value, dict), "attestations have maps, texts, bytes and numbers"
    items = b"".join(_cbor(key) + _cbor(one) for key, one in value.items())
    return _head(5, len(value)) + items


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 256:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 25]) + number.to_bytes(2, "big")
