"""The commands of sharing: hold, share, take back, release. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.payments.v1 import sharing_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK, STAGE_POINTER
from longmen_server.ledger.chart import MERCHANT_SHARES, system_account_id
from longmen_server.ledger.codes import PostingCode
from longmen_server.ledger.model import PostingIntent
from longmen_server.ledger.posting import book_posting
from longmen_server.ledger.system_accounts import ensure_system_account
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.merchants.tables import MERCHANT
from longmen_server.payments.commands import find_order
from longmen_server.payments.encode import money
from longmen_server.payments.model import Step, advance, check_window
from longmen_server.payments.tables import ORDER
from longmen_server.platform.ids import ORDER as ORDER_TEXT
from longmen_server.platform.refusal import Refusal
from longmen_server.sharing import encode, model
from longmen_server.sharing.model import (
    ReceiverKey,
    ReceiverState,
    ShareNumber,
    ShareReturnRow,
    ShareRow,
    SharingRow,
    SharingState,
)
from longmen_server.sharing.policy import policy_at
from longmen_server.sharing.releasing import held_keys, release, tell
from longmen_server.sharing.tables import RECEIVER, SHARE, SHARE_RETURN, SHARING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.payments.model import OrderRow
    from longmen_server.platform.ids import AccountId, MerchantId, OrderId, TransactionId

__all__ = ["DONE", "EndSharing", "HoldShares", "ReleaseShares", "ReturnShare", "ShareOrder"]

DONE: Final = b"done"


class _SharingCommand(Command):
    """A command about the shares of one order."""

    __slots__ = ("actor", "order_id", "transaction_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        order_id: OrderId,
        actor: MerchantActor,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(book, request)
        self.order_id = order_id
        self.actor = actor
        self.transaction_id = transaction_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the order and what is held of it, then the accounts of that."""
        if stage == STAGE_LINK:
            yield RowKey(ORDER, self.order_id)
            yield RowKey(SHARING, self.order_id)
        elif stage == STAGE_ACCOUNT:
            yield from held_keys(working_set, self.order_id)

    def find(self, working_set: WorkingSet) -> tuple[OrderRow, SharingRow]:
        """Return the order and what is held of it.

        Raises:
            Refusal: ORDER_NOT_FOUND, SHARING_NOT_FOUND.
        """
        order = find_order(working_set, self.order_id, self.actor)
        row = working_set.get(SHARING, self.order_id)
        if row is None:
            raise model.sharing_not_found(self.order_id)
        return order, row

    def book_share(
        self,
        working_set: WorkingSet,
        order: OrderRow,
        amount: int,
        code: PostingCode,
        *,
        debit_id: AccountId,
        credit_id: AccountId,
        text: str = "",
    ) -> None:
        """Move money between merchant, what is held, and a receiver.

        Raises:
            Refusal: of the posting.
        """
        book_posting(
            working_set,
            PostingIntent(
                transaction_id=self.transaction_id,
                debit_account_id=debit_id,
                credit_account_id=credit_id,
                currency_code=order.currency_code,
                amount=amount,
                code=code,
                reference=order.order_number,
                description=text or None,
            ),
        )

    def shares_id(self, order: OrderRow) -> AccountId:
        """Return the account that held money is on."""
        return system_account_id(self.book, order.currency_code, MERCHANT_SHARES)


class HoldShares(_SharingCommand):
    """Keep money of a paid order to be shared."""

    __slots__ = ("asked",)

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        asked: pb.HoldSharesRequest,
        order_id: OrderId,
        actor: MerchantActor,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(
            book, request, order_id=order_id, actor=actor, transaction_id=transaction_id
        )
        self.asked = asked

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant's account and the one that held money is on."""
        yield from super().keys(working_set, stage)
        order = working_set.get(ORDER, self.order_id) if stage == STAGE_ACCOUNT else None
        if order is not None:
            yield RowKey(ACCOUNT, order.account_id)
            yield RowKey(ACCOUNT, self.shares_id(order))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Hold it, once."""
        order = find_order(working_set, self.order_id, self.actor)
        amount = self.asked.amount.minor_units
        row = working_set.get(SHARING, self.order_id)
        if row is None:
            row = self._hold(working_set, order, amount)
        elif (row.held, row.currency_code) != (amount, self.asked.amount.currency_code):
            raise Refusal(
                "SHARING_EXISTS",
                "another amount was held of the order before",
                metadata={"order_id": ORDER_TEXT.encode(self.order_id)},
                field="amount",
            )
        return pb.HoldSharesResponse(
            sharing=encode.sharing(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _hold(self, working_set: WorkingSet, order: OrderRow, amount: int) -> SharingRow:
        now_us, currency_code = working_set.now_us, order.currency_code
        # What can be refunded in part can be shared: it is paid, and something of it is left.
        advance(order, Step.REFUND_PART, now_us)
        model.check_currency(self.asked.amount.currency_code, currency_code)
        assert order.paid_at_us is not None, "what can be refunded was paid"
        policy = policy_at(order.paid_at_us)
        ends_at_us = order.paid_at_us + policy.window_us
        check_window(order.paid_at_us, policy.window_us, now_us, reason="SHARING_WINDOW_PASSED")
        limit = model.cap(order.paid - order.refunded, policy.cap_percent)
        if amount > limit:
            raise model.beyond("SHARE_CAP_EXCEEDED", "limit_minor_units", limit, currency_code)
        account = working_set.get(ACCOUNT, order.account_id)
        assert account is not None, "a merchant has an account"
        if account.available < amount:
            raise Refusal(
                "INSUFFICIENT_FUNDS",
                "the merchant has been settled too much of it already",
                metadata={
                    "available_minor_units": str(account.available),
                    "currency_code": currency_code,
                },
            )
        shares_id = ensure_system_account(working_set, currency_code, MERCHANT_SHARES)
        self.book_share(
            working_set,
            order,
            amount,
            PostingCode.SHARE_HELD,
            debit_id=order.account_id,
            credit_id=shares_id,
        )
        row = SharingRow(
            order_id=order.order_id,
            merchant_id=order.merchant_id,
            account_id=order.account_id,
            currency_code=currency_code,
            state=SharingState.OPEN,
            held=amount,
            shared=0,
            returned=0,
            released=0,
            share_count=0,
            cap_percent=policy.cap_percent,
            ends_at_us=ends_at_us,
            version=0,
            created_at_us=now_us,
            updated_at_us=now_us,
        )
        working_set.insert(SHARING, order.order_id, row)
        tell(working_set, row)
        return row


class ShareOrder(_SharingCommand):
    """Give a receiver a part of what is held."""

    __slots__ = ("asked", "number", "receiver_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        asked: pb.ShareOrderRequest,
        receiver_id: MerchantId,
        order_id: OrderId,
        actor: MerchantActor,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(
            book, request, order_id=order_id, actor=actor, transaction_id=transaction_id
        )
        self.asked = asked
        self.receiver_id = receiver_id
        self.number = ShareNumber(order_id, asked.share_number)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the number and the receiver, then its account."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(SHARE, self.number)
            yield RowKey(MERCHANT, self.receiver_id)
        elif stage == STAGE_ACCOUNT:
            row = working_set.get(SHARING, self.order_id)
            receiver = working_set.get(MERCHANT, self.receiver_id)
            if row is not None and receiver is not None:
                yield RowKey(RECEIVER, ReceiverKey(row.merchant_id, self.receiver_id))
                yield RowKey(ACCOUNT, receiver.account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Share, unless the number's share was given before."""
        order, row = self.find(working_set)
        known = working_set.get(SHARE, self.number)
        if known is None:
            known, row = self._share(working_set, order, row)
        else:
            self._check_same(known, row)
        return pb.ShareOrderResponse(
            share=encode.share(known, row.currency_code),
            sharing=encode.sharing(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _check_same(self, known: ShareRow, row: SharingRow) -> None:
        asked = self.asked
        same = {
            "receiver_id": known.receiver_id == self.receiver_id,
            "amount": (known.amount, row.currency_code)
            == (asked.amount.minor_units, asked.amount.currency_code),
            "description": known.description == asked.description,
        }
        if differing := [name for name, is_same in same.items() if not is_same]:
            raise model.number_reused("share_number", differing)

    def _share(
        self, working_set: WorkingSet, order: OrderRow, row: SharingRow
    ) -> tuple[ShareRow, SharingRow]:
        asked, amount = self.asked, self.asked.amount.minor_units
        if not row.is_open(working_set.now_us):
            raise Refusal(
                "SHARING_ENDED",
                "the sharing of the order has ended",
                metadata={"order_id": ORDER_TEXT.encode(self.order_id)},
                field="order_id",
            )
        model.check_currency(asked.amount.currency_code, row.currency_code)
        key = ReceiverKey(row.merchant_id, self.receiver_id)
        model.check_receiver(working_set.get(RECEIVER, key), self.receiver_id, ReceiverState.ACTIVE)
        if amount > row.left:
            raise model.beyond(
                "SHARE_EXCEEDS_HELD", "held_minor_units", row.left, row.currency_code
            )
        limit = policy_at(row.created_at_us).shares_max
        if row.share_count >= limit:
            raise Refusal(
                "SHARE_LIMIT_REACHED",
                "the order was shared as often as one may be",
                metadata={"limit": str(limit)},
            )
        receiver = working_set.get(MERCHANT, self.receiver_id)
        assert receiver is not None, "a receiver is a merchant"
        self.book_share(
            working_set,
            order,
            amount,
            PostingCode.SHARE,
            debit_id=self.shares_id(order),
            credit_id=receiver.account_id,
            text=asked.description,
        )
        share = ShareRow(
            order_id=self.order_id,
            share_number=asked.share_number,
            receiver_id=self.receiver_id,
            receiver_account_id=receiver.account_id,
            amount=amount,
            returned=0,
            transaction_id=self.transaction_id,
            description=asked.description,
            created_at_us=working_set.next_stamp(),
        )
        working_set.insert(SHARE, self.number, share)
        row = working_set.edit(SHARING, self.order_id)
        row.shared += amount
        row.share_count += 1
        tell(working_set, row)
        return share, row


class ReturnShare(_SharingCommand):
    """Take a share back from its receiver."""

    __slots__ = ("asked", "number", "share_number")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        asked: pb.ReturnShareRequest,
        order_id: OrderId,
        actor: MerchantActor,
        transaction_id: TransactionId,
    ) -> None:
        super().__init__(
            book, request, order_id=order_id, actor=actor, transaction_id=transaction_id
        )
        self.asked = asked
        self.number = ShareNumber(order_id, asked.return_number)
        self.share_number = ShareNumber(order_id, asked.share_number)

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name both numbers, then the receiver's account."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_POINTER:
            yield RowKey(SHARE, self.share_number)
            yield RowKey(SHARE_RETURN, self.number)
        elif stage == STAGE_ACCOUNT:
            share = working_set.get(SHARE, self.share_number)
            if share is not None:
                yield RowKey(ACCOUNT, share.receiver_account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Take it back, unless the number's return was made before."""
        order, row = self.find(working_set)
        share = working_set.get(SHARE, self.share_number)
        known = working_set.get(SHARE_RETURN, self.number)
        if known is not None:
            self._check_same(known, row)
        if share is None:
            raise Refusal(
                "SHARE_NOT_FOUND",
                "the order has no share of the number",
                metadata={"share_number": self.asked.share_number},
                field="share_number",
            )
        if known is None:
            known = self._take_back(working_set, order, row, share)
        share, row = working_set.get(SHARE, self.share_number) or share, self.find(working_set)[1]
        return pb.ReturnShareResponse(
            share=encode.share(share, row.currency_code),
            amount=money(known.amount, row.currency_code),
            sharing=encode.sharing(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _check_same(self, known: ShareReturnRow, row: SharingRow) -> None:
        asked = self.asked
        named = asked.HasField("amount")
        same = {
            "share_number": known.share_number == asked.share_number,
            "amount": named != known.in_proportion
            and (
                not named
                or (known.amount, row.currency_code)
                == (asked.amount.minor_units, asked.amount.currency_code)
            ),
        }
        if differing := [name for name, is_same in same.items() if not is_same]:
            raise model.number_reused("return_number", differing)

    def _take_back(
        self, working_set: WorkingSet, order: OrderRow, row: SharingRow, share: ShareRow
    ) -> ShareReturnRow:
        asked, left = self.asked, share.amount - share.returned
        named = asked.HasField("amount")
        if named:
            model.check_currency(asked.amount.currency_code, row.currency_code)
            amount = asked.amount.minor_units
        else:
            due = model.in_proportion(share.amount, paid=order.paid, refunded=order.refunded)
            amount = max(0, due - share.returned)
        if amount > left or not amount:
            raise model.beyond(
                "SHARE_RETURN_EXCEEDS", "returnable_minor_units", left, row.currency_code
            )
        account = working_set.get(ACCOUNT, share.receiver_account_id)
        assert account is not None, "a receiver has an account"
        if account.available < amount:
            raise Refusal(
                "INSUFFICIENT_FUNDS",
                "the receiver does not have enough",
                metadata={
                    "available_minor_units": str(account.available),
                    "currency_code": row.currency_code,
                },
            )
        self.book_share(
            working_set,
            order,
            amount,
            PostingCode.SHARE_RETURN,
            debit_id=share.receiver_account_id,
            credit_id=row.account_id,
        )
        made = ShareReturnRow(
            order_id=self.order_id,
            return_number=asked.return_number,
            share_number=asked.share_number,
            amount=amount,
            in_proportion=not named,
            transaction_id=self.transaction_id,
            created_at_us=working_set.next_stamp(),
        )
        working_set.insert(SHARE_RETURN, self.number, made)
        working_set.edit(SHARE, self.share_number).returned += amount
        changed = working_set.edit(SHARING, self.order_id)
        changed.returned += amount
        tell(working_set, changed)
        return made


class ReleaseShares(_SharingCommand):
    """End the sharing of an order."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Release what is left; one that has ended stays as it is."""
        order, row = self.find(working_set)
        if row.state == SharingState.OPEN:
            row = _end(working_set, row, self.transaction_id, order.order_number)
        return pb.ReleaseSharesResponse(
            sharing=encode.sharing(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()


class EndSharing(_SharingCommand):
    """End the sharing of an order whose window has passed."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Release what is left, or return the reason if the ledger refuses."""
        order, row = self.find(working_set)
        if row.state != SharingState.OPEN or row.is_open(working_set.now_us):
            return DONE
        mark = working_set.mark()
        try:
            _end(working_set, row, self.transaction_id, order.order_number)
        except Refusal as refusal:
            # A frozen merchant, say: what is left waits, and holds up nobody else's.
            working_set.rollback(mark)
            return refusal.reason.encode()
        return DONE


def _end(
    working_set: WorkingSet, row: SharingRow, transaction_id: TransactionId, reference: str
) -> SharingRow:
    if row.left:
        release(working_set, row, row.left, transaction_id=transaction_id, reference=reference)
    row = working_set.edit(SHARING, row.order_id)
    row.state = SharingState.ENDED
    tell(working_set, row)
    return row
