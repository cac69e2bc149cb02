"""Passkeys: the WebAuthn ceremonies, by the library that knows them.

User verification is demanded at both: the device has to have seen its owner's finger, face or PIN.
The counter is judged elsewhere, against the locked row.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import webauthn
from webauthn.helpers.base64url_to_bytes import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from longmen_server.factors.model import Passkey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.factors.model import FactorRow
    from longmen_server.factors.settings import FactorsSettings

__all__ = ["Passkeys", "credential_id_of"]

TIMEOUT_MS = 300_000
"""How long the device waits for its owner; as long as a challenge lives."""


class Passkeys:
    """Makes the options of ceremonies and checks what devices make of them."""

    def __init__(self, settings: FactorsSettings) -> None:
        """Take the site that passkeys are made for."""
        self._site = settings.passkey_site
        self._origins = list(settings.passkey_origins)
        self._bank_name = settings.bank_name

    def creation_options(
        self, challenge: bytes, *, user_id: bytes, user_name: str, present: Iterable[FactorRow]
    ) -> str:
        """Return the options of a registration, as JSON."""
        options = webauthn.generate_registration_options(
            rp_id=self._site,
            rp_name=self._bank_name,
            user_id=user_id,
            user_name=user_name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(present),
        )
        return webauthn.options_to_json(options)

    def request_options(self, challenge: bytes, present: Iterable[FactorRow]) -> str:
        """Return the options of an assertion, as JSON."""
        options = webauthn.generate_authentication_options(
            rp_id=self._site,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_descriptors(present),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def register(self, credential_json: str, challenge: bytes) -> Passkey | None:
        """Return the passkey that a device has made for a challenge; None when it is not good."""
        try:
            made = webauthn.verify_registration_response(
                credential=_object(credential_json),
                expected_challenge=challenge,
                expected_rp_id=self._site,
                expected_origin=self._origins,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - the library raises whatever its decoders do
            return None
        return Passkey(made.credential_id, made.credential_public_key, made.sign_count)

    def verify(self, assertion_json: str, challenge: bytes, row: FactorRow) -> int | None:
        """Return the counter of an assertion by a passkey; None when it is not good."""
        try:
            checked = webauthn.verify_authentication_response(
                credential=_object(assertion_json),
                expected_challenge=challenge,
                expected_rp_id=self._site,
                expected_origin=self._origins,
                credential_public_key=row.secret,
                # Not compared here: one that counts backwards is to be flagged, under its lock.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - the same
            return None
        return checked.new_sign_count


def credential_id_of(assertion_json: str) -> bytes | None:
    """Return which passkey an assertion claims to be by; None when it claims none."""
    try:
        return base64url_to_bytes(str(_object(assertion_json)["rawId"]))
    except (ValueError, KeyError, TypeError, WebAuthnException):
        return None


def _object(text: str) -> dict[str, Any]:
    """Return a JSON object; raise ValueError for anything else."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for broken text
    return found


def _descriptors(rows: Iterable[FactorRow]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=row.credential_id) for row in rows]
