"""Payments as bytes, made by hand like those of `bench.wire`: PayByCode and PayOrder.

Every payer and every order takes part once in a load: a code is good once, an order is paid once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from bench.wire import CURRENCY, WrongReplyError, account_id, field, request_id, varint
from longmen.payments.v1 import order_pb2, payments_service_pb2
from longmen_server.payments.codes import payer_code
from longmen_server.platform.clock import SystemClock

AMOUNT: Final = 10
"""Minor units of every payment."""

FIRST_PAYER: Final = 1_000_000
"""Number of the first payer's account, behind those of the other benches."""

_ORDER_TIME: Final = 0x01900000_0001
"""The millisecond part of every order's id."""

_CLOCK: Final = SystemClock()

_METHODS: Final = "/longmen.payments.v1.PaymentsService/"

Kind = Literal["PayByCode", "PayOrder"]


def secret_of(payer: int) -> bytes:
    """The secret of a payer's device."""
    return sha256(b"bench payer %d" % payer).digest()


def payer_account(payer: int) -> str:
    """The account of a payer."""
    return account_id(FIRST_PAYER + payer)


def order_hex(number: int, book: int = 1) -> str:
    """The hexadecimal digits of an order's id."""
    return f"{_ORDER_TIME:012x}7{number & 0xFFF:03x}8{number:011x}{book:04x}"


@dataclass(frozen=True, slots=True)
class PaymentShape:
    """What a load of payments asks for."""

    kind: Kind
    merchants: tuple[str, ...]
    """Who is paid, in turn; one makes it hot."""
    first: int
    """Number of the first payer or order of the load."""
    count: int
    """Payers or orders that there are for it."""

    @property
    def method(self) -> str:
        """Full method name to call."""
        return _METHODS + self.kind

    def requests(self, seed: int) -> Payments:
        """Return one client process's requests."""
        return Payments(self, seed)


class Payments:
    """The payments of one client process."""

    def __init__(self, shape: PaymentShape, seed: int) -> None:
        self._shape = shape
        self._random = random.Random(seed)
        self._amount = b"\x08" + varint(AMOUNT) + field(2, CURRENCY.encode())
        # Made before the load begins: devices make codes, and no device shares the server's cores.
        # Seeds of the two processes follow each other: one has the even numbers, one the odd.
        self._ready = [self._request(shape.first + at) for at in range(seed % 2, shape.count, 2)]
        self._ready.reverse()

    def make(self) -> bytes:
        """Return the next request.

        Raises:
            WrongReplyError: the load has used up its payers or orders.
        """
        if not self._ready:
            raise WrongReplyError("the load has used up what there was to be paid")
        return self._ready.pop()

    def _request(self, number: int) -> bytes:
        head = field(1, request_id(self._random.getrandbits(128)))
        if self._shape.kind == "PayOrder":
            return (
                head
                + field(2, b"ord_" + order_hex(number).encode())
                + field(3, payer_account(number % self._payers).encode())
                + field(4, self._amount)
            )
        merchants = self._shape.merchants
        return (
            head
            + field(2, merchants[number % len(merchants)].encode())
            + field(3, b"%032x" % self._random.getrandbits(128))
            + field(4, self._amount)
            + field(5, self._code(number).encode())
        )

    def check(self, reply: bytes) -> int:
        """Return 1 for a payment that was made.

        Raises:
            WrongReplyError: the order is not paid.
        """
        if self._shape.kind == "PayOrder":
            done = payments_service_pb2.PayOrderResponse.FromString(reply)
            paid = bool(done.payment.transaction_id)
        else:
            order = payments_service_pb2.PayByCodeResponse.FromString(reply).order
            paid = order.state == order_pb2.ORDER_STATE_PAID
        if not paid:
            raise WrongReplyError("the order is not paid")
        return 1

    @property
    def _payers(self) -> int:
        return self._shape.count

    def _code(self, payer: int) -> str:
        step = payer_code.step_at(_CLOCK.now_us())
        return payer_code.make(secret_of(payer), handle=payer, step=step, sequence=0)
