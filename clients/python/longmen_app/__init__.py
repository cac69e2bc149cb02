"""The app channel: what a wallet app does, in the words of its users.

from longmen_app import Wallet
from longmen_client import Client, Config, Money

with Client(Config(token=customers_token)) as bank:
    wallet = Wallet(bank)
    payment = wallet.prepare("+8613800138000", Money.of("12.34", "CNY"), description="tea")
    print(payment.payee_name)        # the customer says yes to this
    print(payment.confirm().state)
"""

from longmen_app._async.baskets import AsyncBasket
from longmen_app._async.bills import AsyncBill
from longmen_app._async.exchange import AsyncExchange
from longmen_app._async.protection import AsyncDelayed, AsyncFrozen, AsyncProtection, AsyncStopped
from longmen_app._async.session import AsyncPending, AsyncSession
from longmen_app._async.shopping import AsyncPayerCode, AsyncPurchase
from longmen_app._async.wallet import AsyncPayment, AsyncWallet
from longmen_app._sync.baskets import Basket
from longmen_app._sync.bills import Bill
from longmen_app._sync.exchange import Exchange
from longmen_app._sync.protection import Delayed, Frozen, Protection, Stopped
from longmen_app._sync.session import Pending, Session
from longmen_app._sync.shopping import PayerCode, Purchase
from longmen_app._sync.wallet import Payment, Wallet
from longmen_app.model import Account, Balance, Movement, Statement, Transfer
from longmen_app.outcomes import Appeal, Freeze, Held, Paid, Unapproved
from longmen_app.payer_code import BudgetSpentError, CodeMaker, Scan, emv_form

__all__ = [
    "Account",
    "Appeal",
    "AsyncBasket",
    "AsyncBill",
    "AsyncDelayed",
    "AsyncExchange",
    "AsyncFrozen",
    "AsyncPayerCode",
    "AsyncPayment",
    "AsyncPending",
    "AsyncProtection",
    "AsyncPurchase",
    "AsyncSession",
    "AsyncStopped",
    "AsyncWallet",
    "Balance",
    "Basket",
    "Bill",
    "BudgetSpentError",
    "CodeMaker",
    "Delayed",
    "Exchange",
    "Freeze",
    "Frozen",
    "Held",
    "Movement",
    "Paid",
    "PayerCode",
    "Payment",
    "Pending",
    "Protection",
    "Purchase",
    "Scan",
    "Session",
    "Statement",
    "Stopped",
    "Transfer",
    "Unapproved",
    "Wallet",
    "emv_form",
]
