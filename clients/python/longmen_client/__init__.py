"""The Python client of Longmen.

    from longmen_client import Client, Config, Money

    with Client(Config(target="127.0.0.1:50051", token=token)) as bank:
        reply = bank.transfers.create_transfer(
            from_account_id=mine, payee=pay_phone("+8613800138000"), amount=Money.of("12.34", "CNY")
        )
        print(reply.message.transfer.state, reply.replayed)

`Client` is for threads, `AsyncClient` for asyncio; both have the same methods, one for each of
the contract. `errors` has a class for each reason of a refusal.
"""

from longmen_client import errors
from longmen_client._async.client import AsyncClient
from longmen_client._async.pager import AsyncPager
from longmen_client._async.stream import AsyncStream
from longmen_client._config import (
    CallOptions,
    Config,
    ConfigError,
    RetryPolicy,
    Tls,
    TokenProvider,
    is_local,
)
from longmen_client._errors import FieldViolation, LongmenError, RetryAdvice
from longmen_client._reply import Reply
from longmen_client._sync.client import Client
from longmen_client._sync.pager import Pager
from longmen_client._sync.stream import Stream
from longmen_client.ids import (
    AccountId,
    CustomerId,
    RequestId,
    TransactionId,
    book_of,
    new_account_id,
    new_request_id,
    new_transaction_id,
    new_transaction_id_for,
    posting_id,
    request_id_of,
)
from longmen_client.money import Money, MoneyError, total
from longmen_client.signing import ApiKey, signer_from_pem
from longmen_client.specs import (
    account_spec,
    batch_item,
    capture_spec,
    hold_spec,
    pay_account,
    pay_phone,
    transfer_spec,
    void_spec,
)

__all__ = [
    "AccountId",
    "ApiKey",
    "AsyncClient",
    "AsyncPager",
    "AsyncStream",
    "CallOptions",
    "Client",
    "Config",
    "ConfigError",
    "CustomerId",
    "FieldViolation",
    "LongmenError",
    "Money",
    "MoneyError",
    "Pager",
    "Reply",
    "RequestId",
    "RetryAdvice",
    "RetryPolicy",
    "Stream",
    "Tls",
    "TokenProvider",
    "TransactionId",
    "account_spec",
    "batch_item",
    "book_of",
    "capture_spec",
    "errors",
    "hold_spec",
    "is_local",
    "new_account_id",
    "new_request_id",
    "new_transaction_id",
    "new_transaction_id_for",
    "pay_account",
    "pay_phone",
    "posting_id",
    "request_id_of",
    "signer_from_pem",
    "total",
    "transfer_spec",
    "void_spec",
]
