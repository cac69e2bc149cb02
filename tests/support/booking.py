"""Short ways to say what the ledger's commands take, and to read what they answer."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from longmen.errors.v1 import error_reason_pb2
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen.ledger.v1 import transaction_pb2
from longmen_server.engine.command import Outcome, RequestKey
from longmen_server.ledger import commands
from longmen_server.ledger.chart import CHART, CUSTOMER_DEPOSITS
from longmen_server.ledger.model import AccountRow, AccountState, PostingIntent, PostingKind
from longmen_server.platform.ids import AccountId, TransactionId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

Result = transaction_pb2.TransferResult
CREATED = Result.OUTCOME_CREATED
EXISTS = Result.OUTCOME_EXISTS
REFUSED = Result.OUTCOME_REFUSED

WALLET = CUSTOMER_DEPOSITS
CLEARING = 1110

_requests = itertools.count(1)


def identifier(number: int, book: int = 1) -> bytes:
    """An id by its number."""
    return number.to_bytes(14, "big") + book.to_bytes(2, "big")


def account_id(number: int, book: int = 1) -> AccountId:
    """An account's id by its number."""
    return AccountId(identifier(number, book))


def transaction_id(number: int, book: int = 1) -> TransactionId:
    """A transaction's id by its number."""
    return TransactionId(identifier(number, book))


def fresh_request() -> RequestKey:
    """The key of a request nobody has made yet in this process."""
    number = next(_requests)
    return request_key(number)


def request_key(number: int, content: bytes = b"") -> RequestKey:
    """The key of a request by its number and content."""
    return RequestKey(b"test" + number.to_bytes(12, "big"), content.ljust(32, b"\0"))


def account(
    number: int,
    *,
    chart_code: int = WALLET,
    currency: str = "CNY",
    state: int = AccountState.OPEN,
    floor: int | None = None,
    ceiling: int | None = None,
    book: int = 1,
    **columns: Any,
) -> AccountRow:
    """An account's row."""
    row = AccountRow(
        account_id=account_id(number, book),
        currency_code=currency,
        account_type=CHART[chart_code].account_type,
        chart_code=chart_code,
        state=state,
        debits_posted=0,
        credits_posted=0,
        debits_pending=0,
        credits_pending=0,
        floor_minor_units=floor,
        ceiling_minor_units=ceiling,
        version=0,
        booked_at_us=0,
        created_at_us=0,
        owner_id=None,
        description=None,
    )
    for name, value in columns.items():
        setattr(row, name, value)
    return row


def move(
    transaction: int | TransactionId,
    debit: int | AccountId,
    credit: int | AccountId,
    amount: int,
    *,
    kind: int = PostingKind.POST,
    currency: str = "CNY",
    **fields: Any,
) -> PostingIntent:
    """An intent to move money between two accounts."""
    return PostingIntent(
        transaction_id=_transaction(transaction),
        kind=kind,
        debit_account_id=_account(debit),
        credit_account_id=_account(credit),
        amount=amount,
        currency_code=currency,
        **fields,
    )


def hold(
    transaction: int | TransactionId,
    debit: int | AccountId,
    credit: int | AccountId,
    amount: int,
    **fields: Any,
) -> PostingIntent:
    """An intent to hold money."""
    return move(transaction, debit, credit, amount, kind=PostingKind.PENDING, **fields)


def capture(
    transaction: int | TransactionId,
    held: int | TransactionId,
    amount: int = 0,
    *,
    ordinal: int = 0,
    currency: str = "CNY",
    **fields: Any,
) -> PostingIntent:
    """An intent to capture from a hold; no amount means all that is left."""
    return PostingIntent(
        transaction_id=_transaction(transaction),
        kind=PostingKind.CAPTURE,
        pending=(_transaction(held), ordinal),
        amount=amount,
        currency_code=currency if amount else "",
        **fields,
    )


def void(
    transaction: int | TransactionId, held: int | TransactionId, *, ordinal: int = 0, **fields: Any
) -> PostingIntent:
    """An intent to free a hold."""
    return PostingIntent(
        transaction_id=_transaction(transaction),
        kind=PostingKind.VOID,
        pending=(_transaction(held), ordinal),
        **fields,
    )


def expire(
    transaction: int | TransactionId, held: int | TransactionId, *, ordinal: int = 0
) -> PostingIntent:
    """An intent to end a hold whose time is up."""
    return PostingIntent(
        transaction_id=_transaction(transaction),
        kind=PostingKind.EXPIRE,
        pending=(_transaction(held), ordinal),
    )


def transfers(
    *intents: PostingIntent,
    request: RequestKey | None = None,
    chosen: bool | Sequence[bool] = False,
    linked: Sequence[int] = (),
    book: int = 1,
) -> commands.CreateTransfers:
    """A command of many transfers; ``linked`` names the indexes of those tied to the next one."""
    given = [chosen] * len(intents) if isinstance(chosen, bool) else list(chosen)
    return commands.CreateTransfers(
        book,
        request or fresh_request(),
        list(intents),
        chosen=given,
        linked=[index in linked for index in range(len(intents))],
    )


def transaction(
    number: int | TransactionId,
    *intents: PostingIntent,
    request: RequestKey | None = None,
    chosen: bool = True,
    book: int = 1,
) -> commands.CreateTransaction:
    """A command of one transaction with several postings."""
    key = _transaction(number)
    for intent in intents:
        intent.transaction_id = key
    return commands.CreateTransaction(
        book, request or fresh_request(), list(intents), transaction_id=key, chosen=chosen
    )


def reverse(
    number: int | TransactionId,
    original: int | TransactionId,
    *,
    request: RequestKey | None = None,
    **fields: Any,
) -> commands.ReverseTransaction:
    """A command to take a transaction back."""
    return commands.ReverseTransaction(
        1,
        request or fresh_request(),
        original_id=_transaction(original),
        reversal_id=_transaction(number),
        **fields,
    )


def set_state(
    target: int | AccountId, state: int, *, request: RequestKey | None = None
) -> commands.SetAccountState:
    """A command to bring an account to a state."""
    return commands.SetAccountState(
        1,
        request or fresh_request(),
        account_id=_account(target),
        state=state,
        reason_text="a test",
    )


def open_accounts(
    *rows: AccountRow, request: RequestKey | None = None, book: int = 1
) -> commands.CreateAccounts:
    """A command to open accounts."""
    return commands.CreateAccounts(book, request or fresh_request(), rows)


def results(answer: Outcome | BaseException) -> list[Result]:
    """The results of a command of many transfers."""
    return list(pb.CreateTransfersResponse.FromString(reply(answer)).results)


def reply(answer: Outcome | BaseException) -> bytes:
    """The reply of a command that was not refused."""
    if isinstance(answer, BaseException):
        raise answer
    return answer.reply


def reason_name(value: int) -> str:
    """The name of a reason without its prefix."""
    name = error_reason_pb2.ErrorReason.Name(value)  # type: ignore[arg-type]
    return name.removeprefix("ERROR_REASON_")


def verdict(answer: Outcome | BaseException) -> str:
    """CREATED, EXISTS or a reason, of a command of one transfer or one that is refused whole."""
    if isinstance(answer, Refusal):
        return answer.reason
    found = results(answer)
    assert len(found) == 1
    return verdict_of(found[0])


def verdict_of(result: Result) -> str:
    """CREATED, EXISTS or a reason, of one transfer."""
    if result.outcome == REFUSED:
        return reason_name(result.reason)
    return Result.Outcome.Name(result.outcome).removeprefix("OUTCOME_")


def _account(value: int | AccountId) -> AccountId:
    return account_id(value) if isinstance(value, int) else value


def _transaction(value: int | TransactionId) -> TransactionId:
    return transaction_id(value) if isinstance(value, int) else value
