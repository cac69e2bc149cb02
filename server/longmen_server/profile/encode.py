"""Profiles as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import profile_service_pb2 as pb
from longmen_server.accounts.masking import mask_email, mask_name
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import CUSTOMER

if TYPE_CHECKING:
    from longmen_server.accounts.model import WalletRow
    from longmen_server.accounts.personal import Person


def profile(row: WalletRow, person: Person, *, in_full: bool) -> pb.Profile:
    """Return a profile, masked unless its owner asks for it."""
    erased = row.erased_at_us
    message = pb.Profile(
        customer_id=CUSTOMER.encode(row.customer_id),
        display_name=person.display_name,
        phone_number=person.phone_number,
        email=person.email,
        email_proven=person.email_is_proven,
        create_time=timestamp(row.created_at_us),
        erase_time=None if erased is None else timestamp(erased),
        masked=not in_full,
    )
    if not in_full and erased is None:
        message.display_name = mask_name(person.display_name)
        message.phone_number = person.masked_phone_number
        message.email = mask_email(person.email) if person.email else ""
    return message
