"""What the contract marks as secret: left out of logs, and its requests have keyed fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from google.protobuf.descriptor import FieldDescriptor

from longmen_server.transport.secrecy import has_secrets, secret_fields
from tests.support.rpcs import METHODS, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor

PERSONAL = {"phone_number", "display_name", "email", "bank_account"}
"""Fields that name a person or a way to one, whatever message they stand in."""


def test_whatever_names_a_person_in_a_request_is_marked() -> None:
    unmarked = {
        field.full_name
        for method in METHODS
        for field in fields(request_of(short(method)))
        if field.name in PERSONAL and not field.GetOptions().debug_redact
    }
    assert unmarked == set()


def test_a_transfer_to_a_phone_number_has_a_keyed_fingerprint() -> None:
    request = request_of("TransfersService/CreateTransfer")
    assert has_secrets(request)
    assert "phone_number" in {field.name for field in secret_fields(request)}


def test_the_ledgers_own_transfers_are_plain() -> None:
    """They name no person, and a keyed fingerprint would cost each of them."""
    assert not has_secrets(request_of("LedgerService/CreateTransfers"))


def request_of(name: str) -> Descriptor:
    (method,) = (method for method in METHODS if short(method) == name)
    return cast("Descriptor", method.request_class.DESCRIPTOR)


def fields(message: Descriptor) -> Iterator[FieldDescriptor]:
    """Every text field of a message and of those within it."""
    seen, pending = {message.full_name}, [message]
    while pending:
        for field in pending.pop().fields:
            if field.type == FieldDescriptor.TYPE_STRING:
                yield field
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                pending.append(inner)
