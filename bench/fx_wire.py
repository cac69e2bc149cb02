"""Exchanges as bytes, made by hand like those of `bench.wire`: CreateQuote and Convert."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal

from bench.wire import CURRENCY, WrongReplyError, account_id, field, request_id, varint
from longmen.fx.v1 import conversions_service_pb2

AMOUNT: Final = 1_000
"""Minor units that every exchange pays: at no rate less than a minor unit of any of the targets."""

HOT: Final = "USD"
SPREAD: Final = ("EUR", "GBP", "HKD", "JPY", "AUD", "CAD", "CHF", "SGD")
"""What is bought: all of it in one currency, whose position is hot, or in turn in one of these."""

FIRST_ACCOUNT: Final = 2_000_000
"""Number of the first account, behind those of the other benches."""

_PER_OWNER: Final = 3
_METHODS: Final = "/longmen.fx.v1.ConversionsService/"

Kind = Literal["CreateQuote", "Convert"]


def accounts_of(owner: int) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """The accounts of an owner with their currencies: what pays, the hot one, the spread one."""
    first = FIRST_ACCOUNT + owner * _PER_OWNER
    spread = SPREAD[owner % len(SPREAD)]
    codes = (CURRENCY, HOT, spread)
    ids = (account_id(first), account_id(first + 1), account_id(first + 2))
    return (ids[0], codes[0]), (ids[1], codes[1]), (ids[2], codes[2])


@dataclass(frozen=True, slots=True)
class ExchangeShape:
    """What a load of exchanges asks for."""

    kind: Kind
    owners: int
    hot: bool
    """Whether all of it is bought in one currency."""

    @property
    def method(self) -> str:
        """Full method name to call."""
        return _METHODS + self.kind

    def requests(self, seed: int) -> Exchanges:
        """Return one client process's requests."""
        return Exchanges(self, seed)


class Exchanges:
    """The exchanges of one client process."""

    def __init__(self, shape: ExchangeShape, seed: int) -> None:
        self._shape = shape
        self._random = random.Random(seed)
        self._amount = b"\x08" + varint(AMOUNT) + field(2, CURRENCY.encode())

    def make(self) -> bytes:
        """Return the next request, of a random owner."""
        pays, hot, spread = accounts_of(self._random.randrange(self._shape.owners))
        gets = hot if self._shape.hot else spread
        request = (
            field(1, request_id(self._random.getrandbits(128)))
            + field(2, pays[0].encode())
            + field(3, gets[0].encode())
            + field(4, self._amount)
        )
        if self._shape.kind == "Convert":
            request += field(5, gets[1].encode())
        return request

    def check(self, reply: bytes) -> int:
        """Return 1 for an exchange that was offered or made.

        Raises:
            WrongReplyError: there is none.
        """
        if self._shape.kind == "Convert":
            made = conversions_service_pb2.ConvertResponse.FromString(reply).conversion
            found = made.conversion_id
        else:
            found = conversions_service_pb2.CreateQuoteResponse.FromString(reply).quote.quote_id
        if not found:
            raise WrongReplyError("nothing was exchanged")
        return 1
