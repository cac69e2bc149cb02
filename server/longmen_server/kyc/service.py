"""KycService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import kyc_service_pb2 as pb
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.model import wallet_not_found
from longmen_server.accounts.personal import person_key
from longmen_server.accounts.queries import find_wallet
from longmen_server.engine.door import request_key, submit
from longmen_server.kyc import commands, encode, queries
from longmen_server.kyc.build import confirm_in_person
from longmen_server.kyc.model import Category, EvidenceKind, check_bank_account, check_document
from longmen_server.kyc.packs import load_packs
from longmen_server.kyc.personal import (
    clear_name,
    open_evidence,
    seal_account,
    seal_document,
    seal_reason,
)
from longmen_server.platform.clock import business_date
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CUSTOMER, CaseId, book_of, new_id

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.kyc.model import SealedEvidence
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import DataKey, Vault
    from longmen_server.screening.model import Screened
    from longmen_server.screening.screener import Screener
    from longmen_server.transport.context import Call

__all__ = ["KycService"]


class KycService:
    """The methods of longmen.identity.v1.KycService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        vault: Vault,
        screener: Screener,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: tells the business day.
            vault: seals and opens evidence.
            screener: looks names up in lists of names.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._vault = vault
        self._screener = screener
        self._packs = load_packs()

    async def GetKyc(self, request: pb.GetKycRequest, call: Call) -> pb.GetKycResponse:  # noqa: N802
        """Return how well a customer is known."""
        demand_freshness(request.at_least_as_fresh)
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            found = await find_wallet(connection, book, customer_id)
            if found is None:
                raise wallet_not_found(CUSTOMER.encode(customer_id))
            standing = await queries.find_standing(connection, book, customer_id)
            rows = await queries.find_evidence(connection, book, customer_id)
        active = [row for row in rows if row.is_active]
        opened = []
        if active:
            opened = open_evidence(person_key(self._vault, found), customer_id, active)
        pack = self._packs.at(business_date(self._clock.now_us()))
        return pb.GetKycResponse(
            identification=encode.identification(
                customer_id,
                standing,
                pack,
                opened,
                phone_at_us=found.row.created_at_us,
                currency_code=request.currency_code or pack.currency,
            )
        )

    async def SubmitEvidence(self, request: pb.SubmitEvidenceRequest, call: Call) -> bytes:  # noqa: N802
        """Put a document or a bank account on file."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        evidence = request.evidence
        key = await self._key(customer_id, call)
        screened = None
        if evidence.WhichOneof("content") == "document":
            category = Category.DOCUMENT
            sealed = self._document(evidence.document, key, customer_id)
            if key is not None and sealed is not None and sealed.name is not None:
                screened = await self._screener.screen(
                    customer_id,
                    evidence.document.name,
                    key=key,
                    sealed_name=sealed.name,
                    deadline=call.deadline,
                )
        else:
            category = Category.BANK_ACCOUNT
            number = check_bank_account(evidence.bank_account)
            sealed = None if key is None else seal_account(key, customer_id, number)
        command = commands.SubmitEvidence(
            book_of(customer_id),
            request_key(call),
            customer_id=customer_id,
            category=category,
            evidence=sealed,
            case_id=self._new_case(customer_id),
            screened=screened,
        )
        return await self._submit(command, request, call, customer_id)

    async def UpgradeKyc(self, request: pb.UpgradeKycRequest, call: Call) -> bytes:  # noqa: N802
        """Bring a customer to a better class."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        command = commands.UpgradeKyc(
            book_of(customer_id),
            request_key(call),
            customer_id=customer_id,
            target=request.identification_class,
            case_id=self._new_case(customer_id),
            screened=await self._screen_filed(customer_id, call),
        )
        return await self._submit(command, request, call, customer_id)

    async def ConfirmInPerson(self, request: pb.ConfirmInPersonRequest, call: Call) -> bytes:  # noqa: N802
        """Note that a customer was seen."""
        command = confirm_in_person(request, request_key(call))
        return await self._submit(command, request, call, command.customer_id)

    async def DowngradeKyc(self, request: pb.DowngradeKycRequest, call: Call) -> bytes:  # noqa: N802
        """Bring a customer to a class with tighter limits."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        key = await self._key(customer_id, call)
        reason = None if key is None else seal_reason(key, customer_id, request.reason_text)
        command = commands.DowngradeKyc(
            book_of(customer_id),
            request_key(call),
            customer_id=customer_id,
            target=request.identification_class,
            cause=request.cause,
            reason_text=reason,
        )
        return await self._submit(command, request, call, customer_id)

    async def _key(self, customer_id: CustomerId, call: Call) -> DataKey | None:
        """Return the customer's data key; None where the command will say that there is none."""
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await find_wallet(connection, book_of(customer_id), customer_id)
        if found is None or found.row.erased_at_us is not None:
            return None
        return person_key(self._vault, found)

    def _new_case(self, customer_id: CustomerId) -> CaseId:
        """Return a fresh id of a case, in the customer's book."""
        return CaseId(new_id(book_of(customer_id), self._clock))

    async def _screen_filed(self, customer_id: CustomerId, call: Call) -> Screened | None:
        """Look up the name in the document on file; None where there is none, or no customer."""
        book = book_of(customer_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            found = await find_wallet(connection, book, customer_id)
            rows = await queries.find_evidence(connection, book, customer_id)
        sealed = next((row.name for row in rows if row.category == Category.DOCUMENT), None)
        if found is None or found.row.erased_at_us is not None or sealed is None:
            return None
        key = person_key(self._vault, found)
        name = clear_name(key, customer_id, sealed)
        return await self._screener.screen(
            customer_id, name, key=key, sealed_name=sealed, deadline=call.deadline
        )

    def _document(
        self, given: pb.IdentityDocument, key: DataKey | None, customer_id: CustomerId
    ) -> SealedEvidence | None:
        document = check_document(
            EvidenceKind(given.kind),
            name=given.name,
            number=given.number,
            birth_date=given.birth_date,
            issuing_country=given.issuing_country,
            today=business_date(self._clock.now_us()),
        )
        return None if key is None else seal_document(self._vault, key, customer_id, document)

    async def _submit(
        self, command: Command, request: Message, call: Call, customer_id: CustomerId
    ) -> bytes:
        """Run a command; a customer of a book that is not kept here is absent."""
        if command.book not in self._engine.writers:
            raise wallet_not_found(CUSTOMER.encode(customer_id))
        return await submit(self._engine, command, request=request, call=call)
