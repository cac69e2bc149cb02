"""OfflineService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import offline_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found, terminal_not_found
from longmen_server.merchants.queries import find_merchant, find_terminal
from longmen_server.offline import commands, encode, queries
from longmen_server.offline.agreeing import set_acceptance
from longmen_server.offline.forwarding import Forwarded, ForwardOffline
from longmen_server.offline.policy import policy_at
from longmen_server.payments.commands import Sale
from longmen_server.payments.model import SCAN_EXPIRES_SECONDS_DEFAULT
from longmen_server.payments.references import stored_reference
from longmen_server.platform.device_keys import DeviceKey, UnusableKeyError
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import (
    TERMINAL,
    TERMINAL_KEY,
    OrderId,
    TerminalKeyId,
    TransactionId,
    book_of,
    new_id,
)
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen.payments.v1 import offline_pb2
    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.engine.engine import Engine
    from longmen_server.merchants.model import MerchantActor, TerminalRow
    from longmen_server.payer_codes.desk import CodeDesk
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Connection, Readers
    from longmen_server.platform.ids import TerminalId
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

KEYS_LISTED_MAX: Final = 20

_EVER_US: Final = (1 << 63) - 1
_TOKEN_BYTES: Final = 8


class OfflineService:
    """The methods of longmen.payments.v1.OfflineService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        tokens: PageTokens,
        step_up: StepUpOffice,
        code_desk: CodeDesk,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids and terms.
            tokens: seals page tokens.
            step_up: says what new devices may send.
            code_desk: reads scanned codes.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._step_up = step_up
        self._code_desk = code_desk

    async def RegisterTerminalKey(  # noqa: N802
        self, request: pb.RegisterTerminalKeyRequest, call: Call
    ) -> bytes:
        """Take a key that a till signs its stored sales with."""
        actor = merchant_actor_of(call)
        terminal_id = self._terminal_id(request.terminal_id)
        public: DeviceKey | Refusal
        try:
            public = DeviceKey(request.algorithm, request.public_key)
        except UnusableKeyError:
            public = Refusal(
                "DEVICE_KEY_INVALID", "no public key of the algorithm", field="public_key"
            )
        async with self._readers.connection(deadline=call.deadline) as connection:
            terminal = await find_terminal(connection, terminal_id)
        book = book_of(terminal_id)
        command = commands.RegisterTerminalKey(
            book,
            request_key(call),
            terminal_id=terminal_id,
            merchant_id=None if terminal is None else terminal.merchant_id,
            key_id=TerminalKeyId(new_id(book, self._clock)),
            public=public,
            actor=actor,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def RevokeTerminalKey(  # noqa: N802
        self, request: pb.RevokeTerminalKeyRequest, call: Call
    ) -> bytes:
        """Let nothing signed with a key be taken any more."""
        terminal_id = self._terminal_id(request.terminal_id)
        command = commands.RevokeTerminalKey(
            book_of(terminal_id),
            request_key(call),
            terminal_id=terminal_id,
            key_id=decode_id(TERMINAL_KEY, request.key_id, "key_id"),
            actor=merchant_actor_of(call),
        )
        return await submit(self._engine, command, request=request, call=call)

    async def GetOfflineTerms(  # noqa: N802
        self, request: pb.GetOfflineTermsRequest, call: Call
    ) -> pb.GetOfflineTermsResponse:
        """Tell what a till may take, and which keys it has."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        terminal_id = decode_id(TERMINAL, request.terminal_id, "terminal_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            terminal = await _terminal(connection, terminal_id, actor)
            merchant = await find_merchant(connection, terminal.merchant_id)
            assert merchant is not None, "a till has a merchant"
            agreed = await queries.find_acceptance(connection, merchant.merchant_id)
            rows = await queries.list_keys(connection, terminal_id, limit=KEYS_LISTED_MAX)
        return pb.GetOfflineTermsResponse(
            terms=encode.terms(policy_at(self._clock.now_us()), merchant.currency_code, agreed),
            keys=[encode.key(row) for row in rows],
        )

    async def SetOfflineAcceptance(  # noqa: N802
        self, request: pb.SetOfflineAcceptanceRequest, call: Call
    ) -> bytes:
        """Agree on a merchant's sales without a network."""
        command = set_acceptance(request, request_key(call))
        if command.book not in self._engine.writers:
            raise merchant_not_found(command.merchant_id)
        return await submit(self._engine, command, request=request, call=call)

    async def GetOfflineAcceptance(  # noqa: N802
        self, request: pb.GetOfflineAcceptanceRequest, call: Call
    ) -> pb.GetOfflineAcceptanceResponse:
        """Return what was agreed with a merchant."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            merchant = await find_merchant(connection, merchant_id)
            if merchant is None:
                raise merchant_not_found(merchant_id)
            row = await queries.find_acceptance(connection, merchant_id)
        policy = policy_at(self._clock.now_us())
        return pb.GetOfflineAcceptanceResponse(
            acceptance=encode.acceptance(merchant_id, row, policy, merchant.currency_code)
        )

    async def ForwardOffline(self, request: pb.ForwardOfflineRequest, call: Call) -> bytes:  # noqa: N802
        """Take stored sales down."""
        actor = merchant_actor_of(call)
        terminal_id = self._terminal_id(request.terminal_id)
        key_id = decode_id(TERMINAL_KEY, request.key_id, "key_id")
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            terminal = await find_terminal(connection, terminal_id)
            key = await queries.find_key(connection, key_id)
        items: list[Forwarded] = []
        # What is not there is the command's to say, after looking for a replay.
        if terminal is not None and key is not None:
            public = DeviceKey(key.algorithm, key.public_key)
            items = [self._forwarded(one, terminal, key_id, public, call) for one in request.sales]
        command = ForwardOffline(
            book_of(terminal_id),
            request_key(call),
            terminal_id=terminal_id,
            merchant_id=None if terminal is None else terminal.merchant_id,
            key_id=key_id,
            items=items,
            policy=self._step_up.policy,
            actor=actor,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def ListOfflineSales(  # noqa: N802
        self, request: pb.ListOfflineSalesRequest, call: Call
    ) -> pb.ListOfflineSalesResponse:
        """List what a merchant's tills have forwarded."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        token = self._tokens.open(request.page_token, request, call)
        before_us = int.from_bytes(token, "big") if token else _EVER_US
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_sales(
                connection, merchant_id, before_us=before_us, limit=size + 1
            )
        page = rows[:size]
        following = ""
        if len(rows) > size:
            last = page[-1].recorded_at_us.to_bytes(_TOKEN_BYTES, "big")
            following = self._tokens.seal(last, request, call)
        return pb.ListOfflineSalesResponse(
            sales=[encode.record(row) for row in page], next_page_token=following
        )

    def _forwarded(
        self,
        message: offline_pb2.OfflineSale,
        terminal: TerminalRow,
        key_id: TerminalKeyId,
        public: DeviceKey,
        call: Call,
    ) -> Forwarded:
        """Return a stored sale with what can be found out about it outside of the transaction."""
        stored = encode.stored_sale(message, terminal.terminal_id, key_id)
        book = book_of(terminal.terminal_id)
        sale = Sale(
            order_id=OrderId(new_id(book, self._clock)),
            merchant_id=terminal.merchant_id,
            order_number=stored.order_number,
            amount=stored.amount,
            currency_code=stored.currency_code,
            expires_seconds=SCAN_EXPIRES_SECONDS_DEFAULT,
            description=stored.description,
            reference=stored_reference(message, terminal.terminal_id),
            at_till=False,
        )
        scan = self._code_desk.scan(stored.code, at_us=stored.accepted_at_us)
        is_signed = public.verifies(message.signature, stored.text)
        transaction_id = TransactionId(new_id(book, self._clock))
        guard = self._step_up.guard(call, book)
        return Forwarded(stored, is_signed, scan, sale, transaction_id, guard)

    def _terminal_id(self, text: str) -> TerminalId:
        """Return the till that a change names, if its book is kept here.

        Raises:
            Refusal: TERMINAL_NOT_FOUND.
        """
        terminal_id = decode_id(TERMINAL, text, "terminal_id")
        if book_of(terminal_id) not in self._engine.writers:
            raise terminal_not_found(terminal_id)
        return terminal_id


async def _terminal(
    connection: Connection, terminal_id: TerminalId, actor: MerchantActor
) -> TerminalRow:
    """Return a till, if it is the caller's.

    Raises:
        Refusal: TERMINAL_NOT_FOUND.
    """
    terminal = await find_terminal(connection, terminal_id)
    if terminal is None or not actor.may_use(terminal.merchant_id):
        raise terminal_not_found(terminal_id)
    return terminal
