"""What a wallet app shows, as plain frozen values with money that refuses floats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from longmen.accounts.v1 import accounts_service_pb2, wallet_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_client.money import Money, total

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["Account", "Balance", "Movement", "Statement", "Transfer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account has."""

    account_id: str
    posted: Money
    """What is booked."""
    available: Money
    """What can be spent."""
    held: Money
    """What pending payments hold."""
    incoming: Money
    """What is announced but not yet booked."""
    version: int
    """Grows with every movement."""

    @classmethod
    def from_proto(cls, message: wallet_pb2.Balance) -> Self:
        """The balance of a message of the contract."""
        return cls(
            account_id=message.account_id,
            posted=Money.from_proto(message.posted),
            available=Money.from_proto(message.available),
            held=Money.from_proto(message.held),
            incoming=Money.from_proto(message.incoming),
            version=message.version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One currency of a wallet, a pocket."""

    account_id: str
    currency_code: str
    nickname: str
    """What the customer calls it."""
    state: str
    """What it can do: OPEN, RECEIVING_ONLY, PAYING_ONLY, FROZEN, CLOSING or CLOSED."""
    frozen_by_bank: bool
    """Whether only the bank can lift the freeze."""
    balance: Balance

    @classmethod
    def from_proto(cls, message: wallet_pb2.WalletAccount) -> Self:
        """The account of a message of the contract."""
        return cls(
            account_id=message.account_id,
            currency_code=message.currency_code,
            nickname=message.nickname,
            state=_name(
                wallet_pb2.WalletAccountState.DESCRIPTOR, "WALLET_ACCOUNT_STATE_", message.state
            ),
            frozen_by_bank=message.frozen_by_bank,
            balance=Balance.from_proto(message.balance),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of an account's history."""

    transaction_id: str
    kind: str
    """What it was: TRANSFER, TOP_UP, WITHDRAWAL, HOLD, RELEASE, REVERSAL, SWEEP or OTHER."""
    amount: Money
    """With the sign of its direction: above zero came in."""
    available_after: Money
    counterparty: str
    """Masked name of the other side; empty for the bank."""
    description: str
    booked: datetime

    @classmethod
    def from_proto(cls, message: wallet_pb2.Movement) -> Self:
        """The movement of a message of the contract."""
        amount = Money.from_proto(message.amount)
        outgoing = message.direction == wallet_pb2.DIRECTION_OUT
        return cls(
            transaction_id=message.transaction_id,
            kind=_name(wallet_pb2.MovementKind.DESCRIPTOR, "MOVEMENT_KIND_", message.kind),
            amount=-amount if outgoing else amount,
            available_after=Money.from_proto(message.available_after),
            counterparty=message.counterparty_masked_name,
            description=message.description,
            booked=_moment(message.booked_time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One payment, top-up or withdrawal."""

    transfer_id: str
    state: str
    """Where it stands: SCHEDULED, HELD, PROCESSING, COMPLETED, CANCELLED or FAILED."""
    amount: Money
    to_account_id: str
    created: datetime
    due: datetime | None
    """When a delayed transfer is paid out."""
    failure_code: str
    """Why a failed one failed."""
    replayed: bool = False
    """Whether this is the answer to a request that had been made before."""

    @classmethod
    def from_proto(cls, message: transfer_pb2.Transfer, *, replayed: bool = False) -> Self:
        """The transfer of a message of the contract."""
        return cls(
            transfer_id=message.transfer_id,
            state=_name(transfer_pb2.TransferState.DESCRIPTOR, "TRANSFER_STATE_", message.state),
            amount=Money.from_proto(message.amount),
            to_account_id=message.to_account_id,
            created=_moment(message.create_time),
            due=_moment(message.due_time) if message.HasField("due_time") else None,
            failure_code=message.failure_code,
            replayed=replayed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One month of an account."""

    year: int
    month: int
    opening: Money
    closing: Money
    movements: tuple[Movement, ...]
    complete: bool
    """False while the month is not over."""
    document: bytes
    """The document in the format asked for; empty where none was."""
    media_type: str

    @classmethod
    def from_proto(cls, message: accounts_service_pb2.GetStatementResponse) -> Self:
        """The statement of a message of the contract."""
        statement = message.statement
        return cls(
            year=statement.year,
            month=statement.month,
            opening=Money.from_proto(statement.opening),
            closing=Money.from_proto(statement.closing),
            movements=tuple(Movement.from_proto(one) for one in statement.movements),
            complete=statement.complete,
            document=message.document,
            media_type=message.media_type,
        )

    def adds_up(self) -> bool:
        """Whether the opening balance and every movement make the closing balance."""
        moved = total((one.amount for one in self.movements), self.opening.currency_code)
        return self.opening + moved == self.closing

    def save(self, path: str | Path) -> Path:
        """Write the document to a file.

        Raises:
            ValueError: the statement was asked for without a document.
        """
        if not self.document:
            raise ValueError("the statement has no document: ask for a format")
        target = Path(path)
        target.write_bytes(self.document)
        return target


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def _name(enum: EnumDescriptor, prefix: str, value: int) -> str:
    """The word for an enum's value; its number where the server knows more than this client."""
    found = enum.values_by_number.get(value)
    return found.name.removeprefix(prefix) if found else str(value)
