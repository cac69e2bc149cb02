"""What a command is about to do with money, in the words that limits and risk judge it by. Pure.

Every command that moves a customer's money says so once, by a :class:`Movement`, after it has found
its accounts and before it asks for approval and books. Limits, and whatever else judges movements,
take that and nothing else of the command, so that no way to move money is judged differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from longmen_server.platform.ids import (
        AccountId,
        CustomerId,
        DeviceId,
        MerchantId,
        TerminalId,
        TransactionId,
    )

__all__ = ["MOVELESS", "Asker", "Channel", "Movement", "MovementKind"]


class MovementKind(IntEnum):
    """What is done; the numbers are stored."""

    TRANSFER = 1
    """From wallet to wallet."""
    WITHDRAWAL = 2
    """To the customer's own bank account."""
    TOP_UP = 3
    """From the customer's own bank account; nobody pays."""
    PAYMENT = 4
    """Of an order that the payer confirmed, at once or by a hold."""
    STATIC_CODE_PAYMENT = 5
    """By a merchant's printed code."""
    PAYER_CODE_PAYMENT = 6
    """By a code that the payer shows."""
    MANDATE_CHARGE = 7
    """Taken by a merchant whom the payer gave leave."""
    CONVERSION = 8
    """Between two currencies of one customer."""
    NEW_PAYEE = 9
    """Somebody is paid with approval for the first time."""
    NEW_DEVICE = 10
    """A device is enrolled; no money moves."""
    PAYMENT_ABROAD = 11
    """To somebody else in another currency, at once or not at all."""


MOVELESS: Final = frozenset({MovementKind.NEW_PAYEE, MovementKind.NEW_DEVICE})
"""Acts without money."""


class Channel(IntEnum):
    """Through whom the movement is asked for; the numbers are stored."""

    CUSTOMER = 1
    """The customer's own session, on a device or without one."""
    BANK = 2
    """A service or a member of staff, who answers for knowing the customer."""
    MERCHANT = 3
    """A merchant: by a scanned code or a mandate."""


class Asker(NamedTuple):
    """Who asks for a movement, and how well that is known."""

    channel: Channel
    device_id: DeviceId | None = None
    """The device that asks, or whose code was scanned."""
    approved: int | None = None
    """Bits of the kinds of factors that have approved the request; None while nothing has."""
    network_address: str = ""
    """Where the request comes from, as short text; empty where that is not known."""
    in_session: bool = False
    """Whether the customer can be asked to approve it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement before it is made."""

    kind: MovementKind
    asker: Asker
    transaction_id: TransactionId
    """Of the posting that moves or holds the money."""
    amount: int
    """What leaves the payer, or comes to the payee where nobody pays; minor units."""
    currency_code: str
    payer_id: AccountId | None = None
    """The account that is charged; None for money from outside."""
    payee_id: AccountId | None = None
    """The account that the money comes to; None for money that goes outside."""
    customer_id: CustomerId | None = None
    """Whose money it is: the payer, or the payee where nobody pays; None for the bank's own."""
    payee_amount: int | None = None
    """What arrives in the payee's currency, where that is another; None for the same."""
    is_own: bool = False
    """Whether it stays with one customer: between own accounts, from or to the own bank account."""
    is_held: bool = False
    """Whether the money is held first, and moves later or not at all."""
    together: int = 0
    """The whole of the payment that this adds to, this included; 0 when it is one by itself."""
    merchant_id: MerchantId | None = None
    terminal_id: TerminalId | None = None

    @property
    def whole(self) -> int:
        """The amount that caps on single payments bind."""
        return self.together or self.amount
