"""Equal requests have equal fingerprints, others other ones, and the difference has a name."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen.ledger.v1.ledger_service_pb2 import CreateTransactionRequest, CreateTransfersRequest
from longmen_server.platform.fingerprint import VERSION, Fingerprint, fingerprint
from tests.support.edge import REQUEST_ID, transfers

REQUEST_ID_NUMBER = 1

GOLDEN = "770349366bb96d410f515aca423bcaf95d926927dd8a2e11bfa9d92ea53d2c0b0002dafb7247"
"""Of the request with one transfer that `tests.support.edge` makes."""


def of(message: Any) -> Fingerprint:
    return fingerprint(message.SerializeToString(deterministic=True), skip=REQUEST_ID_NUMBER)


def numbers(print_: Fingerprint) -> list[int]:
    fields = print_.fields
    assert len(fields) % 6 == 0
    return [int.from_bytes(fields[at : at + 2], "big") for at in range(0, len(fields), 6)]


money = st.fixed_dictionaries(
    {
        "minor_units": st.integers(-(2**63), 2**63 - 1),
        "currency_code": st.sampled_from(["", "CNY", "JPY"]),
    }
)
spec = st.fixed_dictionaries(
    {},
    optional={
        "transaction_id": st.text(max_size=5),
        "debit_account_id": st.text(max_size=5),
        "amount": money,
        "kind": st.integers(0, 5),
        "linked": st.booleans(),
        "code": st.integers(-5, 2**31 - 1),
        "description": st.text(max_size=300),
    },
)
requests = st.builds(
    CreateTransfersRequest,
    request_id=st.text(max_size=10),
    transfers=st.lists(spec, max_size=6),
)


@given(requests, requests)
def test_fingerprints_are_equal_exactly_when_the_contents_are(one: Any, other: Any) -> None:
    one.request_id = other.request_id = ""
    assert (of(one) == of(other)) == (one == other)


@given(requests, st.text(max_size=50))
def test_the_request_id_does_not_count(request: Any, request_id: str) -> None:
    before = of(request)
    request.request_id = request_id
    assert of(request) == before


@given(requests, st.randoms())
def test_the_order_of_fields_on_the_wire_does_not_count(request: Any, random: Any) -> None:
    # Each top-level record stands for itself on the wire: shuffled, they parse to the same
    # message as long as the items of the repeated field keep their order among themselves.
    items = [
        CreateTransfersRequest(transfers=[item]).SerializeToString() for item in request.transfers
    ]
    at = random.randint(0, len(items))
    request_id = CreateTransfersRequest(request_id=request.request_id).SerializeToString()
    wire = b"".join([*items[:at], request_id, *items[at:]])
    assert of(CreateTransfersRequest.FromString(wire)) == of(request)


def test_the_full_print_is_a_hash_of_version_and_content() -> None:
    request = transfers(2)
    content = CreateTransfersRequest(transfers=request.transfers).SerializeToString()
    expected = hashlib.sha256(VERSION + content).digest()
    assert of(request).full == expected
    assert of(request).content == expected + of(request).fields


def test_fields_name_what_is_set() -> None:
    request = CreateTransactionRequest(request_id=REQUEST_ID, transaction_id="txn_1")
    assert numbers(of(request)) == [2]
    request.description = "rent"
    assert numbers(of(request)) == [2, 7]


def test_only_the_changed_field_has_another_entry() -> None:
    one = CreateTransactionRequest(transaction_id="txn_1", description="rent")
    other = CreateTransactionRequest(transaction_id="txn_1", description="rent for May")
    first, second = of(one).fields, of(other).fields
    assert first[:6] == second[:6]
    assert first[6:] != second[6:]


def test_the_encoding_has_not_changed() -> None:
    # If this fails, requests recorded before no longer match their repetitions: raise VERSION.
    assert of(transfers(1)).content.hex() == GOLDEN


@pytest.mark.parametrize(
    "broken", [b"\x0a\x05ab", b"\x0b\x0c", b"\x0d\x00"], ids=["length", "group", "fixed32"]
)
def test_bytes_that_are_no_message_are_a_bug_of_the_caller(broken: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        fingerprint(broken, skip=REQUEST_ID_NUMBER)


KEY = bytes(range(32))


@given(requests, requests)
def test_keyed_fingerprints_are_equal_exactly_when_the_contents_are(one: Any, other: Any) -> None:
    one.request_id = other.request_id = ""
    assert (keyed(one) == keyed(other)) == (one == other)
    assert numbers(keyed(one)) == numbers(of(one))


def keyed(message: Any, key: bytes = KEY) -> Fingerprint:
    return fingerprint(message.SerializeToString(deterministic=True), skip=1, key=key)


def test_a_keyed_fingerprint_cannot_be_made_without_the_key() -> None:
    """A guesser who has the record and every possible content finds none that fits."""
    request = transfers(1)
    stored, plain = keyed(request), of(request)
    assert stored.full != plain.full
    assert stored.full != keyed(request, bytes(32)).full
    assert stored.fields != plain.fields
    assert stored.fields != keyed(request, bytes(32)).fields
