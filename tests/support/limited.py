"""A wallet and its limits as rows in memory: movements are judged without a database."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import TYPE_CHECKING, Any

from longmen_server.engine.working_set import WorkingSet
from longmen_server.factors.model import SecurityRow
from longmen_server.factors.tables import SECURITY
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.model import AccountRow, AccountState, HoldRow, HoldState
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.ledger.watching import tell_hold
from longmen_server.limits import enforce
from longmen_server.limits.holds import give_back
from longmen_server.limits.model import AccountFacts, CounterKey, OwnKey, OwnRow
from longmen_server.limits.movement import Asker, Channel, Movement, MovementKind
from longmen_server.limits.tables import COUNTER, ENTRY, FACTS, OWN
from longmen_server.platform.clock import DEFAULT_ZONE, to_microseconds
from longmen_server.platform.ids import AccountId, CustomerId, TransactionId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from longmen_server.challenges.model import Decision
    from longmen_server.limits.model import CounterRow

YUAN = 100
CUSTOMER = CustomerId(b"c" * 16)
PAYER, DOLLARS, PAYEE = (AccountId(letter * 16) for letter in (b"p", b"u", b"e"))
SERVICE = Asker(Channel.BANK)
PHONE = Asker(Channel.CUSTOMER, in_session=True)
"""A customer's session that nothing has approved anything on yet."""
TILL = Asker(Channel.MERCHANT)
NOON = (2026, 11, 22, 12)


def moment(*parts: int) -> int:
    """A moment by the institution's clock, in microseconds."""
    return to_microseconds(dt.datetime(*parts, tzinfo=DEFAULT_ZONE))  # type: ignore[misc,arg-type]


class LimitedWallet:
    """One customer with an account in CNY and one in USD, and somebody to pay."""

    def __init__(
        self,
        identification_class: int = 0,
        *,
        document: int = 0,
        account_type: int = 0,
        at: tuple[int, ...] = NOON,
        kinds: int = 0,
    ) -> None:
        self.working_set = WorkingSet(1, moment(*at))
        self._ids = (TransactionId(n.to_bytes(16, "big")) for n in count(1))
        for account_id, currency, owner in (
            (PAYER, "CNY", CUSTOMER),
            (DOLLARS, "USD", CUSTOMER),
            (PAYEE, "CNY", None),
        ):
            self.working_set.table(ACCOUNT).rows[account_id] = wallet_row(
                account_id, currency, owner
            )
            if owner is not None:
                self.working_set.table(FACTS).rows[account_id] = AccountFacts(
                    account_id, CUSTOMER, identification_class, document, account_type
                )
        if kinds:
            row = SecurityRow(CUSTOMER, kinds, 0, 0, 0)
            self.working_set.table(SECURITY).rows[CUSTOMER] = row
        self.holds: dict[TransactionId, HoldRow] = {}

    def at(self, *parts: int) -> None:
        """Let it be another moment."""
        self.working_set.now_us = moment(*parts)

    def movement(self, amount: int, kind: MovementKind, asker: Asker, **more: Any) -> Movement:
        fields: dict[str, Any] = {
            "kind": kind,
            "asker": asker,
            "transaction_id": next(self._ids),
            "amount": amount,
            "currency_code": "USD" if more.get("payer_id") == DOLLARS else "CNY",
            "payer_id": PAYER,
            "customer_id": CUSTOMER,
            **more,
        }
        return Movement(**fields)

    def judge(
        self,
        amount: int,
        kind: MovementKind = MovementKind.TRANSFER,
        asker: Asker = SERVICE,
        **more: Any,
    ) -> tuple[TransactionId, Decision]:
        """Let a movement pass and count it, as commands do; a refusal leaves no trace."""
        movement = self.movement(amount, kind, asker, **more)
        mark = self.working_set.mark()
        try:
            demand = enforce.reserve(self.working_set, movement)
        except Refusal:
            self.working_set.rollback(mark)
            raise
        if demand.factors:
            # Whoever has to approve it first comes again.
            self.working_set.rollback(mark)
        return movement.transaction_id, demand

    def refused(self, amount: int, *args: Any, **more: Any) -> Refusal | None:
        """The refusal of a movement; None when it passed."""
        try:
            self.judge(amount, *args, **more)
        except Refusal as refusal:
            return refusal
        return None

    def hold(self, amount: int, **more: Any) -> TransactionId:
        """Have an amount held for a payment."""
        held, _ = self.judge(amount, is_held=True, **more)
        self.holds[held] = HoldRow(
            held, 0, PAYER, PAYEE, "CNY", amount, 0, amount, HoldState.HELD, 0
        )
        return held

    def settle(self, held: TransactionId, captured: int, *, final: bool) -> None:
        """Capture some of a hold, and free the rest when it is the last time."""
        hold = self.holds[held]
        hold.captured += captured
        hold.remaining = 0 if final else hold.remaining - captured
        tell_hold(self.working_set, hold)

    def refund(self, payment: TransactionId, *, paid: int, returned: int) -> None:
        give_back(self.working_set, [payment], paid=paid, returned=returned)

    def own(self, period: int, amount: int | None, *later: Any) -> None:
        """Set a customer's own cap behind the command's back."""
        next_amount, from_us = later or (None, 0)
        row = OwnRow(CUSTOMER, period, amount, next_amount, from_us, 0)
        self.working_set.table(OWN).rows[OwnKey(CUSTOMER, period)] = row

    def counter(self, track: int, holder: bytes = CUSTOMER) -> CounterRow | None:
        return self.working_set.get(COUNTER, CounterKey(holder, track))

    def entries(self) -> list[Any]:
        return [row for row in self.working_set.table(ENTRY).rows.values() if row is not None]


def wallet_row(account_id: AccountId, currency: str, owner: CustomerId | None) -> AccountRow:
    """An open account without money."""
    return AccountRow(
        account_id=account_id,
        currency_code=currency,
        account_type=2,
        chart_code=CUSTOMER_DEPOSITS,
        state=AccountState.OPEN,
        debits_posted=0,
        credits_posted=0,
        debits_pending=0,
        credits_pending=0,
        floor_minor_units=0,
        ceiling_minor_units=None,
        version=0,
        booked_at_us=0,
        created_at_us=0,
        owner_id=owner,
        description=None,
    )
