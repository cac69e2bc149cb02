"""What is stored of a customer beside profile and accounts, for the export; never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from longmen_server.accounts.personal import person_key
from longmen_server.challenges import encode as challenges
from longmen_server.challenges.queries import list_challenges, list_known_payees
from longmen_server.factors import encode as factors
from longmen_server.factors.queries import find_factors
from longmen_server.identity import encode as identity
from longmen_server.identity.queries import list_devices, list_every_session
from longmen_server.kyc.model import Cause, EvidenceKind
from longmen_server.kyc.personal import clear_evidence, clear_reason
from longmen_server.kyc.queries import find_evidence, find_standing, list_changes
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.paging import PAGE_SIZE_MAX
from longmen_server.payer_codes import encode as payer_codes
from longmen_server.payer_codes.queries import list_of_customer
from longmen_server.platform.ids import ACCOUNT, book_of
from longmen_server.staff.queries import BRANCH_OF_CUSTOMER, find_branch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from longmen_server.accounts.personal import FoundWallet
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import Vault

__all__ = ["Record", "owned"]


class Record(NamedTuple):
    """One record of the export: its section, and a message of the contract or named values."""

    section: str
    content: Message | dict[str, Any]


async def owned(
    connection: Connection, vault: Vault, found: FoundWallet, now_us: int
) -> AsyncIterator[Record]:
    """Yield what is stored of a customer, section by section.

    Raises:
        SealBrokenError: evidence was damaged or moved from another customer.
    """
    customer_id = found.row.customer_id
    book = book_of(customer_id)
    async for record in _identification(connection, vault, found):
        yield record
    branch = await find_branch(connection, BRANCH_OF_CUSTOMER, book, customer_id)
    if branch:
        yield Record("branch", {"branch": branch})
    for device in await list_devices(connection, book, customer_id, after=b"", limit=PAGE_SIZE_MAX):
        yield Record("devices", identity.device(device, now_us))
    async for record in _sessions(connection, customer_id):
        yield record
    for factor in await find_factors(connection, book, customer_id):
        if factor.is_active:
            yield Record("factors", factors.factor(factor))
    for payee in await list_known_payees(connection, book, customer_id):
        since = timestamp(payee.created_at_us).ToJsonString()
        yield Record(
            "known_payees", {"account_id": ACCOUNT.encode(payee.account_id), "since": since}
        )
    for device_code in await list_of_customer(connection, customer_id):
        yield Record("payer_codes", payer_codes.payer_code(device_code, now_us))
    for challenge in await list_challenges(connection, book, customer_id):
        yield Record("challenges", challenges.challenge(challenge, now_us))


async def _identification(
    connection: Connection, vault: Vault, found: FoundWallet
) -> AsyncIterator[Record]:
    customer_id = found.row.customer_id
    book = book_of(customer_id)
    standing = await find_standing(connection, book, customer_id)
    if standing is not None:
        yield Record(
            "identification",
            {
                "identification_class": standing.identification_class,
                "since_time": timestamp(standing.since_us).ToJsonString(),
            },
        )
    evidence = await find_evidence(connection, book, customer_id)
    changes = await list_changes(connection, book, customer_id)
    if not evidence and not changes:
        return
    key = person_key(vault, found)
    for row in evidence:
        yield Record(
            "evidence",
            {
                "evidence": EvidenceKind(row.kind).name,
                "submit_time": timestamp(row.submitted_at_us).ToJsonString(),
                "valid": row.is_active,
                **clear_evidence(key, customer_id, row),
            },
        )
    for change in changes:
        yield Record(
            "identification_changes",
            {
                "class_before": change.class_before,
                "class_after": change.class_after,
                "cause": Cause(change.cause).name,
                "time": timestamp(change.changed_at_us).ToJsonString(),
                "reason_text": clear_reason(key, customer_id, change),
            },
        )


async def _sessions(connection: Connection, customer_id: CustomerId) -> AsyncIterator[Record]:
    after = b""
    while True:
        page = await list_every_session(
            connection, book_of(customer_id), customer_id, after=after, limit=PAGE_SIZE_MAX
        )
        for session in page:
            yield Record("sessions", identity.session(session))
        if len(page) < PAGE_SIZE_MAX:
            return
        after = page[-1].session_id
