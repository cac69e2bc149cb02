"""The merchant's verifier: what is genuine is believed, and nothing else."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from longmen_merchant.webhooks import WebhookError, sign, verify

NOW = 1_767_225_600
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
BODY = json.dumps(
    {"id": "evt_1", "type": "order.paid", "sequence": 3, "data": {"order_id": "ord_1"}}
).encode()


def headers(body: bytes = BODY, *, secret: str = SECRET, at: str = str(NOW)) -> dict[str, str]:
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": at,
        "Webhook-Signature": sign(body, "evt_1", at, secret),
    }


def refused(body: bytes, found: dict[str, str], *secrets: str) -> str:
    with pytest.raises(WebhookError) as caught:
        verify(body, found, secrets or [SECRET], now=NOW)
    return caught.value.reason


def test_what_the_scheme_signs_is_believed() -> None:
    at = datetime.fromtimestamp(NOW, UTC)
    signature = Webhook(SECRET.removeprefix("whsec_")).sign("evt_1", at, BODY.decode())
    found = {**headers(), "Webhook-Signature": f"v1,c3RyYW5nZQ== {signature}"}
    event = verify(BODY, found, [OTHER, SECRET], now=NOW + 299)
    assert (event.id, event.type, event.sequence) == ("evt_1", "order.paid", 3)
    assert event.data == {"order_id": "ord_1"}
    assert event.is_new_to(set())
    assert not event.is_new_to({"evt_1"})


def test_the_published_vector() -> None:
    """docs/merchants.md has it, for whoever writes a verifier."""
    assert sign(b"{}", "evt_0", "1767225600", SECRET) == (
        "v1,49oawYYOcPp38gcX+JfQ64dOGGL832DPPmbD0ABwz7U="
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Webhook-Id": "evt_2"}, "signature_wrong"),
        ({"Webhook-Timestamp": str(NOW + 1)}, "signature_wrong"),
        ({"Webhook-Signature": "v1,"}, "signature_wrong"),
        ({"Webhook-Signature": ""}, "signature_wrong"),
        ({"Webhook-Signature": "v2" + headers()["Webhook-Signature"][2:]}, "signature_wrong"),
        (headers(secret=OTHER), "signature_wrong"),
        (headers(at=str(NOW - 301)), "timestamp_too_old"),
        (headers(at=str(NOW + 301)), "timestamp_too_new"),
        ({"Webhook-Timestamp": "soon"}, "timestamp_malformed"),
        ({"Webhook-Timestamp": "-1"}, "timestamp_malformed"),
        ({"Webhook-Timestamp": "1" * 13}, "timestamp_malformed"),
    ],
)
def test_whatever_is_changed_is_not_believed(change: dict[str, str], reason: str) -> None:
    assert refused(BODY, {**headers(), **change}) == reason


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_every_header_has_to_be_there(name: str) -> None:
    found = headers()
    del found[name]
    assert refused(BODY, found) == "header_missing"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"id": 1}', b"\xff", BODY.replace(b"evt_1", b"evt_2")]
)
def test_a_body_that_is_no_event_is_not_believed_though_signed(body: bytes) -> None:
    assert refused(body, headers(body)) == "body_malformed"


def test_large_bodies_and_broken_secrets_are_refused() -> None:
    assert refused(bytes(2**20 + 1), headers()) == "body_too_large"
    for secret in ("whsec_", "whsec_%%%", ""):
        assert refused(BODY, headers(), secret) == "secret_malformed"


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=60)))
def test_noise_is_refused_and_nothing_else_happens(body: bytes, found: dict[str, str]) -> None:
    named: dict[str, Any] = {**headers(), **found}
    if body != BODY:
        refused(body, named)
