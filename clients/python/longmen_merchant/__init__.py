"""The merchant channel: what a till does, so that no sale ever ends as "unknown".

from longmen_client import ApiKey, Config, Money, Tls
from longmen_merchant import Journal, Till

config = Config(target="bank.example:443", tls=Tls(), key=ApiKey(credential, sign))
with Till(config, merchant_id=shop, terminal_id=till_1, journal=Journal("till.json")) as till:
    till.resume()                                   # settles what a power loss has cut off
    charge = till.charge(scanned_code, Money.of("12.34", "CNY"))
    print(charge.outcome, charge.reason)

What a merchant's own systems need besides: the verifier of webhooks is `longmen_merchant.webhooks`.
Stores, cashiers and their shifts are `Shop`'s.
A day's own list is compared with the bank's by `reconcile`, however long it is.
Sales without a network are kept by `longmen_merchant.offline.OfflineStore`.
"""

from longmen_merchant._async.reconciling import reconcile as reconcile_async
from longmen_merchant._async.shop import AsyncShop
from longmen_merchant._async.till import AsyncSale, AsyncTill
from longmen_merchant._sync.reconciling import reconcile
from longmen_merchant._sync.shop import Shop
from longmen_merchant._sync.till import Sale, Till
from longmen_merchant.journal import Entry, Journal, JournalError, Stage
from longmen_merchant.model import Charge, Limits, Outcome, RefundMade, Resumed
from longmen_merchant.reconciling import Reconciled
from longmen_merchant.takings import OpenedShift, Takings

__all__ = [
    "AsyncSale",
    "AsyncShop",
    "AsyncTill",
    "Charge",
    "Entry",
    "Journal",
    "JournalError",
    "Limits",
    "OpenedShift",
    "Outcome",
    "Reconciled",
    "RefundMade",
    "Resumed",
    "Sale",
    "Shop",
    "Stage",
    "Takings",
    "Till",
    "reconcile",
    "reconcile_async",
]
