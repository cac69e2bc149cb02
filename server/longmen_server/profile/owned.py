"""What is stored of a customer beside profile and accounts, for the export; never a secret."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from longmen_server.accounts.personal import person_key
from longmen_server.auto_conversions.encode import auto_conversion
from longmen_server.auto_conversions.queries import list_auto_conversions
from longmen_server.billers.personal import clear_link
from longmen_server.billers.queries import list_links
from longmen_server.challenges import encode as challenges
from longmen_server.challenges.queries import list_challenges, list_known_payees
from longmen_server.conversions import encode as conversions
from longmen_server.conversions.queries import list_conversions, list_quotas
from longmen_server.donations.personal import open_message
from longmen_server.donations.queries import given_by
from longmen_server.factors import encode as factors
from longmen_server.factors.queries import find_factors
from longmen_server.fx.policy import load_policy
from longmen_server.identity import encode as identity
from longmen_server.identity.queries import list_devices, list_every_session
from longmen_server.kyc.model import Cause, EvidenceKind
from longmen_server.kyc.personal import clear_evidence, clear_reason
from longmen_server.kyc.queries import find_evidence, find_standing, list_changes
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.paging import PAGE_SIZE_MAX
from longmen_server.limit_orders import encode as limit_orders
from longmen_server.limit_orders.queries import list_alerts, list_orders
from longmen_server.limits import encode as limits
from longmen_server.limits.queries import list_own
from longmen_server.limits.rules import BASE_CURRENCY
from longmen_server.payer_codes import encode as payer_codes
from longmen_server.payer_codes.queries import list_of_customer
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import ACCOUNT, BILLER, DONATION, book_of
from longmen_server.recovery import encode as recovery
from longmen_server.recovery.queries import find_reset
from longmen_server.risk import encode as risk
from longmen_server.risk.queries import list_decisions, list_freezes
from longmen_server.riskcases.encode import case
from longmen_server.riskcases.queries import cases_of
from longmen_server.staff.queries import BRANCH_OF_CUSTOMER, find_branch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from google.protobuf.message import Message

    from longmen_server.accounts.personal import FoundWallet
    from longmen_server.platform.database import Connection
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import Vault

__all__ = ["Record", "owned"]

R = TypeVar("R")


class Pages(Protocol[R]):
    """Reads a page of a customer's rows, newest first."""

    async def __call__(
        self, connection: Connection, customer_id: CustomerId, *, before: bytes, limit: int
    ) -> list[R]:
        """Return up to `limit` rows from before an id."""


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
    async for record in _sealed(connection, vault, found):
        yield record
    for record in await _at_the_bank(connection, customer_id, now_us):
        yield record
    for device in await list_devices(connection, book, customer_id, after=b"", limit=PAGE_SIZE_MAX):
        yield Record("devices", identity.device(device, now_us))
    async for record in _sessions(connection, customer_id):
        yield record
    async for record in _factors(connection, customer_id):
        yield record
    async for record in _payments(connection, customer_id, now_us):
        yield record
    async for record in _exchange(connection, customer_id, now_us):
        yield record
    for challenge in await list_challenges(connection, book, customer_id):
        yield Record("challenges", challenges.challenge(challenge, now_us))
    async for record in _judged(connection, customer_id):
        yield record


async def _payments(
    connection: Connection, customer_id: CustomerId, now_us: int
) -> AsyncIterator[Record]:
    """Whom the customer has paid with approval, and what shows codes to tills."""
    for payee in await list_known_payees(connection, book_of(customer_id), customer_id):
        since = timestamp(payee.created_at_us).ToJsonString()
        yield Record(
            "known_payees", {"account_id": ACCOUNT.encode(payee.account_id), "since": since}
        )
    for device_code in await list_of_customer(connection, customer_id):
        yield Record("payer_codes", payer_codes.payer_code(device_code, now_us))


async def _judged(connection: Connection, customer_id: CustomerId) -> AsyncIterator[Record]:
    """What was decided about the customer's movements, as the customer may see it."""
    book, before = book_of(customer_id), b""
    while True:
        page = await list_decisions(
            connection,
            book,
            party=customer_id,
            lowest=0,
            between_us=(None, None),
            before=before,
            limit=PAGE_SIZE_MAX,
        )
        for decision in page:
            yield Record("risk_decisions", risk.decision(decision, customer_id, for_bank=False))
        if len(page) < PAGE_SIZE_MAX:
            break
        before = page[-1].decision_id
    for freeze in await list_freezes(
        connection, book, customer_id, before=b"", limit=PAGE_SIZE_MAX
    ):
        yield Record("risk_freezes", risk.freeze(freeze, for_bank=False))
    for row in await cases_of(connection, customer_id):
        yield Record("risk_cases", case(row, customer_id))


async def _sealed(
    connection: Connection, vault: Vault, found: FoundWallet
) -> AsyncIterator[Record]:
    """Yield what is kept under the customer's own data key."""
    async for record in _identification(connection, vault, found):
        yield record
    async for record in _bill_accounts(connection, vault, found):
        yield record
    for gift in await given_by(connection, found.row.customer_id):
        yield Record(
            "donations",
            {
                "donation_id": DONATION.encode(gift.row.donation_id),
                "charity": gift.charity_name,
                "message": open_message(vault, gift),
                "anonymous": gift.row.anonymous,
            },
        )


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


async def _exchange(
    connection: Connection, customer_id: CustomerId, now_us: int
) -> AsyncIterator[Record]:
    """What was exchanged, and what waits for a rate or has waited, newest first."""
    for booked in await _every(
        connection, customer_id, list_conversions, attrgetter("row.conversion_id")
    ):
        yield Record("conversions", conversions.conversion(*booked))
    for agreed in await list_auto_conversions(connection, customer_id):
        yield Record("auto_conversions", auto_conversion(agreed, now_us))
    day = business_date(now_us)
    quotas = {row.side: row.used for row in await list_quotas(connection, customer_id, day.year)}
    if quotas:
        yield Record("fx_quota", conversions.quota(day.year, quotas, load_policy().at(day)))
    for alert in await _every(connection, customer_id, list_alerts, attrgetter("alert_id")):
        yield Record("rate_alerts", limit_orders.alert(alert, now_us))
    for order in await _every(connection, customer_id, list_orders, attrgetter("limit_order_id")):
        yield Record("limit_orders", limit_orders.order(order, now_us))


async def _every(
    connection: Connection, customer_id: CustomerId, read: Pages[R], id_of: Callable[[R], bytes]
) -> list[R]:
    """Return every row of a list that is read in pages from its newest."""
    rows: list[R] = []
    before = b""
    while True:
        page = await read(connection, customer_id, before=before, limit=PAGE_SIZE_MAX)
        rows += page
        if len(page) < PAGE_SIZE_MAX:
            return rows
        before = id_of(page[-1])


async def _factors(connection: Connection, customer_id: CustomerId) -> AsyncIterator[Record]:
    book = book_of(customer_id)
    for factor in await find_factors(connection, book, customer_id):
        if factor.is_active:
            yield Record("factors", factors.factor(factor))
    reset = await find_reset(connection, book, customer_id)
    if reset is not None:
        yield Record("factor_reset", recovery.reset(reset))


async def _bill_accounts(
    connection: Connection, vault: Vault, found: FoundWallet
) -> AsyncIterator[Record]:
    for link in await list_links(connection, found.row.customer_id):
        number, label = clear_link(person_key(vault, found), link)
        yield Record(
            "bill_accounts",
            {
                "biller_id": BILLER.encode(link.biller_id),
                "account_number": number,
                "label": label,
                "since": timestamp(link.created_at_us).ToJsonString(),
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


async def _at_the_bank(
    connection: Connection, customer_id: CustomerId, now_us: int
) -> list[Record]:
    """Return the own limits, and the branch that keeps the customer."""
    book = book_of(customer_id)
    records = [
        Record("own_limits", limits.own_limit(own, now_us, BASE_CURRENCY))
        for own in await list_own(connection, book, customer_id)
    ]
    branch = await find_branch(connection, BRANCH_OF_CUSTOMER, book, customer_id)
    if branch:
        records.append(Record("branch", {"branch": branch}))
    return records
