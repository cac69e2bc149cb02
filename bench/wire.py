"""Requests as bytes, made by hand so that the load generator spends its time on the wire.

The driver shares the machine with the server it measures; building and serialising a message object
for every call would be charged to the server. A test parses what is made here with the generated
stubs, so the two cannot drift apart.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from longmen.ledger.v1 import ledger_service_pb2, transaction_pb2
from longmen.transfers.v1 import transfers_service_pb2

BOOK: Final = 1
"""The book every bench account belongs to: the server's default one."""

CURRENCY: Final = "CNY"

LARGEST_AMOUNT: Final = 100
"""Minor units; below 128 an amount takes one byte, so that every request has the same length."""

_ID_TIME: Final = 0x01900000_0000
"""The millisecond part of every bench account's id: any fixed moment will do."""

CREATE_TRANSFERS: Final = "/longmen.ledger.v1.LedgerService/CreateTransfers"
CREATE_TRANSFER: Final = "/longmen.transfers.v1.TransfersService/CreateTransfer"
EMPTY: Final = "/longmen.bench.Empty/Call"

Kind = Literal["empty", "ledger", "customer"]
"""empty: nothing in, nothing out; ledger: LedgerService.CreateTransfers; customer:
TransfersService.CreateTransfer."""


class WrongReplyError(Exception):
    """A call that the server called OK did not do what was asked of it."""


def account_id(number: int, *, book: int = BOOK) -> str:
    """The id of the bench account with this number, 0 to 2**44 - 1, in the layout of every id."""
    return f"acct_{_ID_TIME:012x}7{number & 0xFFF:03x}8{number:011x}{book:04x}"


def request_id(bits: int) -> bytes:
    """A version 4 UUID in text form from 128 random bits.

    Random on purpose: counted ids would fall beside each other in the index of request records and
    make the server look better than it is with real callers.
    """
    text = b"%032x" % bits
    return b"%b-%b-4%b-8%b-%b" % (text[:8], text[8:12], text[13:16], text[17:20], text[20:])


def field(number: int, value: bytes) -> bytes:
    """A length-delimited field of a message."""
    return bytes((number << 3 | 2,)) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """A non-negative number as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a load asks for, small enough to send to the client processes."""

    kind: Kind
    accounts: int = 0
    """How many bench accounts take part, numbered 1 to this."""
    hot: bool = False
    """Whether every transfer credits account 0 instead of a random one."""
    batch: int = 1
    """Transfers in each call; above 1 for kind "ledger" only."""

    @property
    def method(self) -> str:
        """Full method name to call."""
        return {"empty": EMPTY, "ledger": CREATE_TRANSFERS, "customer": CREATE_TRANSFER}[self.kind]

    def requests(self, seed: int) -> Requests:
        """Return one client process's requests."""
        return Requests(self, seed)


class Source(Protocol):
    """An endless source of requests, and the judge of their replies."""

    def make(self) -> bytes:
        """Return the next request."""

    def check(self, reply: bytes) -> int:
        """Return how many payments a reply made."""


class LoadShape(Protocol):
    """What a load asks for, small enough to send to the client processes."""

    @property
    def method(self) -> str:
        """Full method name to call."""

    def requests(self, seed: int) -> Source:
        """Return one client process's requests."""


class Requests:
    """An endless source of requests of one shape, and the judge of their replies."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._random = random.Random(seed)
        self._ids = [account_id(number).encode() for number in range(shape.accounts + 1)]
        self._tail = [
            field(4, b"\x08" + varint(amount) + field(2, CURRENCY.encode()))
            for amount in range(LARGEST_AMOUNT + 1)
        ]

    def make(self) -> bytes:
        """The next request, with a request id never used before."""
        kind = self._shape.kind
        if kind == "ledger":
            transfers = b"".join([self._transfer() for _ in range(self._shape.batch)])
            return b"\x0a\x24" + request_id(self._random.getrandbits(128)) + transfers
        if kind == "customer":
            return self._customer_transfer()
        return b""

    def check(self, reply: bytes) -> int:
        """How many transfers the reply says were made; all of them, or the reply is wrong.

        Raises:
            WrongReplyError: a transfer was refused or answered from memory, or results are missing.
        """
        kind = self._shape.kind
        if kind == "ledger":
            return self._check_results(reply)
        if kind == "customer":
            response = transfers_service_pb2.CreateTransferResponse.FromString(reply)
            if not response.transfer.transfer_id:
                raise WrongReplyError("the reply names no transfer")
            return 1
        return 0

    def _check_results(self, reply: bytes) -> int:
        results = ledger_service_pb2.CreateTransfersResponse.FromString(reply).results
        if len(results) != self._shape.batch:
            raise WrongReplyError(f"{len(results)} results for {self._shape.batch} transfers")
        created = transaction_pb2.TransferResult.OUTCOME_CREATED
        for result in results:
            if result.outcome != created:
                raise WrongReplyError(f"outcome {result.outcome}, reason {result.reason}")
        return len(results)

    def _pair(self) -> tuple[bytes, bytes]:
        """A payer and a payee that differ."""
        count = self._shape.accounts
        payer = int(self._random.random() * count)
        if self._shape.hot:
            return self._ids[payer + 1], self._ids[0]
        payee = (payer + 1 + int(self._random.random() * (count - 1))) % count
        return self._ids[payer + 1], self._ids[payee + 1]

    def _transfer(self) -> bytes:
        payer, payee = self._pair()
        tail = self._tail[1 + int(self._random.random() * LARGEST_AMOUNT)]
        # Field 2 of the request, then debit account, credit account and amount of the transfer.
        body = b"\x12\x25" + payer + b"\x1a\x25" + payee + tail
        return b"\x12" + bytes((len(body),)) + body

    def _customer_transfer(self) -> bytes:
        payer, payee = self._pair()
        tail = self._tail[1 + int(self._random.random() * LARGEST_AMOUNT)]
        return (
            b"\x0a\x24"
            + request_id(self._random.getrandbits(128))
            + b"\x12\x25"
            + payer
            + b"\x1a\x27\x0a\x25"
            + payee
            + tail
        )
