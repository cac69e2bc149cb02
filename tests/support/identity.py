"""Devices of customers: keys that sign, and the way from a phone number to a session."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from longmen.identity.v1 import identity_pb2
from longmen_server.identity.model import proof_message
from longmen_server.platform.device_keys import DeviceKey, KeyAlgorithm, b64url

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_numbers = itertools.count()


class Device:
    """A device with a key of its own."""

    def __init__(self, *, ed25519: bool = False) -> None:
        self.name = f"phone {next(_numbers)}"
        self._key: Any = Ed25519PrivateKey.generate()
        if not ed25519:
            self._key = ec.generate_private_key(ec.SECP256R1())
        self.key = DeviceKey(*self._public())

    def _public(self) -> tuple[KeyAlgorithm, bytes]:
        if isinstance(self._key, Ed25519PrivateKey):
            return KeyAlgorithm.ED25519, self._key.public_key().public_bytes_raw()
        numbers = self._key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return KeyAlgorithm.P256, x + y

    def sign(self, message: bytes) -> bytes:
        """A signature of 64 bytes."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        signature = self._key.sign(message, ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(signature)
        return bytes(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def offer(self, method: str, nonce: bytes) -> identity_pb2.DeviceKey:
        """The key as a request brings it, with its proof."""
        return identity_pb2.DeviceKey(
            algorithm=self.key.algorithm,  # type: ignore[arg-type]  # enums are ints
            public_key=self.key.public,
            signature=self.sign(proof_message(method, nonce)),
            name=self.name,
        )

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as proofs carry it."""
        public = self.key.public
        if self.key.algorithm == KeyAlgorithm.ED25519:
            return {"kty": "OKP", "crv": "Ed25519", "x": b64url(public)}
        return {"kty": "EC", "crv": "P-256", "x": b64url(public[:32]), "y": b64url(public[32:])}

    def proof(
        self,
        claims: dict[str, Any],
        *,
        header: dict[str, Any] | None = None,
        signer: Device | None = None,
    ) -> str:
        """A signed proof with those claims."""
        head = {
            "typ": "dpop+jwt",
            "alg": self.key.jose_algorithm,
            "jwk": self.jwk,
            **(header or {}),
        }
        text = f"{encoded(head)}.{encoded(claims)}"
        return f"{text}.{b64url((signer or self).sign(text.encode()))}"


def encoded(part: dict[str, Any]) -> str:
    return b64url(json.dumps(part, separators=(",", ":")).encode())


def claims_for(path: str, token: str, payload: bytes, now_s: int) -> dict[str, Any]:
    """What a good proof of a call says."""
    return {
        "htm": "POST",
        "htu": f"/{path}",
        "iat": now_s,
        "jti": f"jti-{next(_numbers)}",
        "ath": b64url(sha256(token.encode()).digest()),
        "bod": b64url(sha256(payload).digest()),
    }


@dataclass
class SignedIn:
    """A customer's device that has signed in."""

    device: Device
    phone: str
    customer: str
    session: str
    device_id: str
    access_token: str
    refresh_token: str
    account: str = ""
    reply: Any = field(default=None, repr=False)

    def refreshing(self) -> dict[str, Any]:
        """The fields of a request that refreshes the session."""
        challenge = sha256(self.refresh_token.encode()).digest()
        return {
            "refresh_token": self.refresh_token,
            "signature": self.device.sign(proof_message("RefreshSession", challenge)),
        }


def signed_in(device: Device, phone: str, reply: Any) -> SignedIn:
    """What a reply that begins a session gives its device."""
    return SignedIn(
        device=device,
        phone=phone,
        customer=reply.session.customer_id,
        session=reply.session.session_id,
        device_id=reply.session.device_id,
        access_token=reply.tokens.access_token,
        refresh_token=reply.tokens.refresh_token,
        account=reply.account.account_id if hasattr(reply, "account") else "",
        reply=reply,
    )


def code_in(bank: SmallBank, phone: str) -> str:
    """The code that was sent to a phone number last."""
    found = CODE.search(bank.last_message(phone))
    assert found is not None
    return found[0]


async def registration(
    bank: SmallBank, _: Person | None = None, *, device: Device | None = None, phone: str = ""
) -> dict[str, Any]:
    """The fields of a request that completes a registration."""
    phone, device = phone or bank.new_phone(), device or Device()
    begun = await bank.do("RegistrationService/StartRegistration", "", phone_number=phone)
    return {
        "verification_id": begun.verification_id,
        "phone_number": phone,
        "code": code_in(bank, phone),
        "device": device.offer("CompleteRegistration", begun.nonce),
        "display_name": "Lin Daiyu",
        "currency_code": "CNY",
    }


async def register(bank: SmallBank, *, ed25519: bool = False) -> SignedIn:
    """A new customer with a first device."""
    device = Device(ed25519=ed25519)
    fields = await registration(bank, device=device)
    reply = await bank.do("RegistrationService/CompleteRegistration", "", **fields)
    return signed_in(device, fields["phone_number"], reply)


def login_start(_: SmallBank, owner: Person) -> dict[str, Any]:
    return {"phone_number": owner.phone, "key_thumbprint": Device().key.thumbprint}


async def login(
    bank: SmallBank, owner: Person | SignedIn, *, device: Device | None = None
) -> dict[str, Any]:
    """The fields of a request that completes a sign-in."""
    device = device or Device()
    begun = await bank.do(
        "SessionsService/StartLogin",
        "",
        phone_number=owner.phone,
        key_thumbprint=device.key.thumbprint,
    )
    return {
        "verification_id": begun.verification_id,
        "phone_number": owner.phone,
        "code": code_in(bank, owner.phone) if begun.code_required else "",
        "device": device.offer("CompleteLogin", begun.nonce),
    }


async def sign_in(
    bank: SmallBank, owner: Person | SignedIn, *, device: Device | None = None
) -> SignedIn:
    """A session of a customer's, of an enrolled device or else a new one."""
    device = device or Device()
    reply = await bank.do(
        "SessionsService/CompleteLogin", "", **await login(bank, owner, device=device)
    )
    return signed_in(device, owner.phone, reply)


async def pair(bank: SmallBank, owner: Person | SignedIn) -> SignedIn:
    """A session of a device that was enrolled by a pairing code."""
    device = Device()
    fields = await enrolment(bank, owner, device=device)
    reply = await bank.do("DevicesService/CompleteDeviceEnrolment", "", **fields)
    return signed_in(device, owner.phone, reply)


async def refresh(bank: SmallBank, owner: Person) -> dict[str, Any]:
    return (await sign_in(bank, owner)).refreshing()


async def one_session(bank: SmallBank, owner: Person) -> dict[str, Any]:
    return {"session_id": (await sign_in(bank, owner)).session}


async def one_device(bank: SmallBank, owner: Person) -> dict[str, Any]:
    return {"device_id": (await sign_in(bank, owner)).device_id}


async def two_sessions(bank: SmallBank, owner: Person) -> dict[str, Any]:
    await sign_in(bank, owner)
    await pair(bank, owner)
    return {"customer_id": owner.customer}


async def some_sessions(bank: SmallBank, owner: Person) -> dict[str, Any]:
    return {**await two_sessions(bank, owner), "keep_current": True}


async def enrolment(
    bank: SmallBank, owner: Person | SignedIn, *, device: Device | None = None
) -> dict[str, Any]:
    """The fields of a request that enrols a device by a pairing code."""
    device = device or Device()
    begun = await bank.do("DevicesService/StartDeviceEnrolment", customer_id=owner.customer)
    return {
        "verification_id": begun.verification_id,
        "pairing_code": begun.pairing_code,
        "device": device.offer("CompleteDeviceEnrolment", begun.nonce),
    }
