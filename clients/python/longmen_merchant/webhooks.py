"""Verifying webhooks: who sent them, when, and that nothing of them was changed.

    event = verify(body, headers, [secret], now=time.time())
    if event.is_new_to(seen):
        ...

The scheme is Standard Webhooks: HMAC-SHA256 over id, timestamp and body, so any library of that
scheme does as well. Take the body as it came, byte for byte, before anything parses it. Keep the id
of what was done: deliveries are made at least once. While a secret is replaced, give both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

__all__ = ["TOLERANCE_SECONDS", "WebhookError", "WebhookEvent", "sign", "verify"]

TOLERANCE_SECONDS: Final = 300
"""How far the timestamp may lie from the receiver's clock, either way."""

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"
_BODY_BYTES_MAX: Final = 1 << 20
_SIGNATURES_MAX: Final = 10


class WebhookError(ValueError):
    """A webhook is not to be believed.

    Attributes:
        reason: Why, in a word: body_too_large, header_missing, timestamp_malformed,
            timestamp_too_old, timestamp_too_new, secret_malformed, signature_wrong or
            body_malformed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event, proven to be the bank's."""

    id: str
    """The same at every delivery of the event."""
    type: str
    """What happened, such as order.paid."""
    sequence: int
    """Grows with each event of an order: drop what is older than what you have."""
    data: Mapping[str, Any]
    """What it is about; amounts are minor units."""

    def is_new_to(self, seen: Container[str]) -> bool:
        """Whether its id is none of those that were done before."""
        return self.id not in seen


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Iterable[str],
    *,
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> WebhookEvent:
    """Return the event of a webhook that one of the secrets signed.

    Args:
        body: as it came, byte for byte.
        headers: of the request, in any case of letters.
        secrets: of the endpoint; two while one is replaced.
        now: seconds since 1970, by the receiver's clock.
        tolerance_seconds: how far the timestamp may lie from it.

    Raises:
        WebhookError: it is not to be believed.
    """
    if len(body) > _BODY_BYTES_MAX:
        raise WebhookError("body_too_large")
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id = found["webhook-id"]
        timestamp = found["webhook-timestamp"]
        signatures = found["webhook-signature"].split(" ")[:_SIGNATURES_MAX]
    except KeyError:
        raise WebhookError("header_missing") from None
    _check_time(timestamp, now, tolerance_seconds)
    expected = [sign(body, message_id, timestamp, secret) for secret in secrets]
    # Every pair is compared, so that the time it takes tells nothing.
    matches = [
        hmac.compare_digest(ours.encode(), theirs.encode())
        for ours in expected
        for theirs in signatures
    ]
    if not any(matches):
        raise WebhookError("signature_wrong")
    return _event(body, message_id)


def sign(body: bytes, message_id: str, timestamp: str, secret: str) -> str:
    """Return the signature of a body as the header has it.

    Raises:
        WebhookError: the secret is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookError("secret_malformed") from None
    if not key:
        raise WebhookError("secret_malformed")
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"{_VERSION},{base64.b64encode(digest).decode()}"


def _check_time(timestamp: str, now: float, tolerance_seconds: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookError("timestamp_malformed")
    age = now - int(timestamp)
    if age > tolerance_seconds:
        raise WebhookError("timestamp_too_old")
    if age < -tolerance_seconds:
        raise WebhookError("timestamp_too_new")


def _event(body: bytes, message_id: str) -> WebhookEvent:
    try:
        told = json.loads(body)
        event = WebhookEvent(told["id"], told["type"], int(told["sequence"]), told["data"])
    except (ValueError, KeyError, TypeError):
        raise WebhookError("body_malformed") from None
    if event.id != message_id:
        raise WebhookError("body_malformed")
    return event
