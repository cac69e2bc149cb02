"""PayoutsService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.merchants.v1 import payouts_service_pb2 as pb
from longmen_server.engine.door import request_key, submit
from longmen_server.ledger.decode import decode_id
from longmen_server.ledger.paging import page_size
from longmen_server.merchants.actor import merchant_actor_of, merchant_of
from longmen_server.merchants.model import merchant_not_found
from longmen_server.merchants.queries import find_merchant
from longmen_server.payouts import build, encode, model, numbers, queries
from longmen_server.payouts.commands import RegisterPayoutAccount
from longmen_server.platform.freshness import demand_freshness
from longmen_server.platform.ids import SETTLEMENT, PayoutAccountId, book_of, new_id
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers.model import check_bank_account

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.pii import Vault
    from longmen_server.transport.context import Call
    from longmen_server.transport.page_token import PageTokens

__all__ = ["PayoutsService"]


class PayoutsService:
    """The methods of longmen.merchants.v1.PayoutsService."""

    def __init__(
        self, *, engine: Engine, readers: Readers, clock: Clock, tokens: PageTokens, vault: Vault
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for ids.
            tokens: seals page tokens.
            vault: seals the numbers of bank accounts.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._tokens = tokens
        self._vault = vault

    async def RegisterPayoutAccount(  # noqa: N802
        self, request: pb.RegisterPayoutAccountRequest, call: Call
    ) -> bytes:
        """Take a candidate to be paid on."""
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        book = book_of(merchant_id)
        if book not in self._engine.writers:
            raise merchant_not_found(merchant_id)
        problem, sealed = None, b""
        payout_account_id = PayoutAccountId(new_id(book, self._clock))
        try:
            check_bank_account(request.bank_account)
        except Refusal as refusal:
            # The command says so, after looking for the merchant and for a replay.
            problem = refusal
        async with self._readers.connection(deadline=call.deadline) as connection:
            merchant = await find_merchant(connection, merchant_id)
            if merchant is not None:
                key = await numbers.key_for(connection, self._vault, merchant.account_id)
                sealed = numbers.seal_number(key, payout_account_id, request.bank_account)
        command = RegisterPayoutAccount(
            book,
            request_key(call),
            merchant_id=merchant_id,
            payout_account_id=payout_account_id,
            sealed=sealed,
            tail=model.tail_of(request.bank_account),
            problem=problem,
        )
        return await submit(self._engine, command, request=request, call=call)

    async def ConfirmPayoutAccount(  # noqa: N802
        self, request: pb.ConfirmPayoutAccountRequest, call: Call
    ) -> bytes:
        """Let settlements be paid to an account."""
        command = build.confirm_payout_account(request, request_key(call))
        if command.book not in self._engine.writers:
            raise merchant_not_found(command.merchant_id)
        return await submit(self._engine, command, request=request, call=call)

    async def GetPayoutAccount(  # noqa: N802
        self, request: pb.GetPayoutAccountRequest, call: Call
    ) -> pb.GetPayoutAccountResponse:
        """Show where a merchant is paid."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            row = await queries.find_account(connection, merchant_id)
        if row is None:
            return pb.GetPayoutAccountResponse()
        return pb.GetPayoutAccountResponse(
            account=encode.account(row), candidate=encode.candidate(row)
        )

    async def GetPayout(  # noqa: N802
        self, request: pb.GetPayoutRequest, call: Call
    ) -> pb.GetPayoutResponse:
        """Show the payout of a settlement."""
        demand_freshness(request.at_least_as_fresh)
        actor = merchant_actor_of(call)
        settlement_id = decode_id(SETTLEMENT, request.settlement_id, "settlement_id")
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_payout(connection, settlement_id)
        if row is None or not actor.may_use(row.merchant_id):
            raise model.payout_not_found(settlement_id)
        return pb.GetPayoutResponse(payout=encode.payout(row))

    async def ListPayouts(  # noqa: N802
        self, request: pb.ListPayoutsRequest, call: Call
    ) -> pb.ListPayoutsResponse:
        """List a merchant's payouts."""
        demand_freshness(request.at_least_as_fresh)
        merchant_id = merchant_of(request.merchant_id, merchant_actor_of(call))
        before = self._tokens.open(request.page_token, request, call)
        size = page_size(request.page_size)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            if await find_merchant(connection, merchant_id) is None:
                raise merchant_not_found(merchant_id)
            rows = await queries.list_payouts(
                connection, merchant_id, before=before, limit=size + 1
            )
        page = rows[:size]
        following = ""
        if len(rows) > size:
            following = self._tokens.seal(page[-1].settlement_id, request, call)
        return pb.ListPayoutsResponse(
            payouts=[encode.payout(row) for row in page], next_page_token=following
        )
