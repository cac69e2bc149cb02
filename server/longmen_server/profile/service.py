"""ProfileService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import profile_service_pb2 as pb
from longmen_server.accounts import queries
from longmen_server.accounts.actor import actor_of, customer_of
from longmen_server.accounts.masking import mask_email
from longmen_server.accounts.model import customer_erased, wallet_not_found
from longmen_server.accounts.personal import DISPLAY_NAME, EMAIL, open_person, person_key
from longmen_server.engine.door import request_key, submit
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import CUSTOMER, book_of
from longmen_server.platform.refusal import Refusal
from longmen_server.profile import commands, encode, texts
from longmen_server.profile.export import export
from longmen_server.transfers.queries import count_open_instructions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from longmen_server.accounts.personal import FoundWallet, Person
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.identity.watch import SessionWatch
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.notices import Notices
    from longmen_server.messages.post_office import PostOffice
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import Vault
    from longmen_server.transport.context import Call

FIRST_READ_SECONDS: Final = 5.0
"""How long the first look of an export may take; the whole may last minutes."""


class ProfileService:
    """The methods of longmen.identity.v1.ProfileService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        vault: Vault,
        notices: Notices,
        office: PostOffice,
        watch: SessionWatch,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for deadlines.
            vault: seals and opens personal data.
            notices: makes what tells customers of another address.
            office: finds messages of somebody who is to be erased.
            watch: is told at once of sessions that ended.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._vault = vault
        self._notices = notices
        self._office = office
        self._watch = watch

    async def GetProfile(self, request: pb.GetProfileRequest, call: Call) -> pb.GetProfileResponse:  # noqa: N802
        """Return a profile."""
        demand_freshness(request.at_least_as_fresh)
        actor = actor_of(call)
        customer_id = customer_of(request.customer_id, actor)
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await _find(connection, customer_id)
        person = open_person(self._vault, found)
        return pb.GetProfileResponse(
            profile=encode.profile(found.row, person, in_full=not actor.is_bank)
        )

    async def UpdateProfile(self, request: pb.UpdateProfileRequest, call: Call) -> bytes:  # noqa: N802
        """Change name or e-mail address."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await queries.find_wallet(connection, book, customer_id)
        name = email = None
        notices: list[MessageRow] = []
        # Where there is nobody, or nobody any more, the command says so, or replays.
        if found is not None and found.row.erased_at_us is None:
            key = person_key(self._vault, found)
            if request.HasField("display_name"):
                name = key.seal(DISPLAY_NAME, book, customer_id, request.display_name)
            before = open_person(self._vault, found)
            # The address that is there already stays as it is, and stays proven.
            if request.HasField("email") and request.email != before.email:
                text = request.email
                email = key.seal(EMAIL, book, customer_id, text) if text else commands.NOTHING
                notices = self._tell_of_address(book, before, text)
        command = commands.UpdateProfile(
            book,
            request_key(call),
            customer_id=customer_id,
            display_name=name,
            email=email,
            notices=notices,
        )
        return await self._submit(command, request, call, customer_id)

    async def ExportMyData(  # noqa: N802
        self, request: pb.ExportMyDataRequest, call: Call
    ) -> AsyncIterator[pb.ExportMyDataResponse]:
        """Send everything that is stored about the caller."""
        del request
        customer_id = customer_of("", actor_of(call))
        deadline = min(call.deadline, self._clock.monotonic() + FIRST_READ_SECONDS)
        async with self._readers.connection(deadline=deadline) as connection:
            found = await _find(connection, customer_id)
        if found.row.erased_at_us is not None:
            raise customer_erased()
        records = export(
            self._readers,
            self._vault,
            found,
            now_us=self._clock.now_us(),
            deadline=call.deadline,
        )
        async for section, json in records:
            yield pb.ExportMyDataResponse(section=section, json=json)

    async def EraseCustomer(self, request: pb.EraseCustomerRequest, call: Call) -> bytes:  # noqa: N802
        """Make a customer's personal data unreadable for good."""
        customer_id = customer_of(request.customer_id, actor_of(call))
        book = book_of(customer_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            found = await queries.find_wallet(connection, book, customer_id)
            open_count = await count_open_instructions(connection, book, customer_id)
        if open_count:
            # Once all accounts are closed none is added, so the number only falls.
            raise Refusal(
                "ERASURE_TOO_EARLY",
                "the clearing has not answered for all of the customer's transfers yet",
                metadata={"open_instructions": str(open_count)},
            )
        command = commands.EraseCustomer(
            book,
            request_key(call),
            customer_id=customer_id,
            phone_index=None if found is None else found.row.phone_index,
            recipients=self._recipients(found),
        )
        reply = await self._submit(command, request, call, customer_id)
        await self._watch.look()
        return reply

    def _recipients(self, found: FoundWallet | None) -> list[bytes]:
        """Return what a customer's messages are found by."""
        if found is None or found.row.erased_at_us is not None:
            return []
        person = open_person(self._vault, found)
        ways = (person.phone_number, person.email)
        return [self._office.index(way) for way in ways if way]

    def _tell_of_address(self, book: int, before: Person, address: str) -> list[MessageRow]:
        """Return what tells of another e-mail address: by phone, at the old one and the new one."""
        text = texts.address_changed(mask_email(address) if address else "")
        unproven = replace(before, email_is_proven=False)
        addresses = [one for one in (before.email, address) if one]
        return [
            *self._notices.to(book, unproven, "address_changed", text),
            *self._notices.mail(book, addresses, "address_changed", text),
        ]

    async def _submit(
        self, command: Command, request: Message, call: Call, customer_id: CustomerId
    ) -> bytes:
        """Run a command; a customer of a book that is not kept here is absent."""
        if command.book not in self._engine.writers:
            raise wallet_not_found(CUSTOMER.encode(customer_id))
        return await submit(self._engine, command, request=request, call=call)


async def _find(connection: Connection, customer_id: CustomerId) -> FoundWallet:
    found = await queries.find_wallet(connection, book_of(customer_id), customer_id)
    if found is None:
        raise wallet_not_found(CUSTOMER.encode(customer_id))
    return found
