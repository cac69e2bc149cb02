"""Merchants that are paid on bank accounts of every fate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.jobs.clearing import Clearing
from longmen_server.jobs.merchant_days import MerchantDays
from longmen_server.merchants.queries import find_merchant
from longmen_server.payouts.commands import ConfirmPayoutAccount, RegisterPayoutAccount
from longmen_server.payouts.model import tail_of
from longmen_server.payouts.numbers import key_for, seal_number
from longmen_server.platform.database import connect
from longmen_server.platform.ids import PayoutAccountId
from longmen_server.transfers.clearing.instant import InstantClearing
from tests.support.ledger import BOOK
from tests.support.shop import Shop, run_job

if TYPE_CHECKING:
    from tests.support.wallets import Wallets


async def open_account(dsn: str, shop: Shop, number: str, *, confirmed: bool = True) -> None:
    """Let a shop be paid on a bank account, or only ask for it."""
    payout_account_id = PayoutAccountId(shop.fresh())
    connection = await connect(dsn, application_name="tests payouts")
    try:
        merchant = await find_merchant(connection, shop.merchant_id)
        assert merchant is not None
        key = await key_for(connection, shop.wallets.vault, merchant.account_id)
    finally:
        await connection.close()
    command = RegisterPayoutAccount(
        BOOK,
        None,
        merchant_id=shop.merchant_id,
        payout_account_id=payout_account_id,
        sealed=seal_number(key, payout_account_id, number),
        tail=tail_of(number),
        problem=None,
    )
    await shop.do(command)
    if confirmed:
        await shop.do(
            ConfirmPayoutAccount(
                BOOK, None, merchant_id=shop.merchant_id, payout_account_id=payout_account_id
            )
        )


async def fill_payouts(dsn: str, wallets: Wallets) -> None:
    """A payout that arrived, one that came back, and one that waits."""
    buyer = await wallets.person(funds=10_000)
    for number, confirmed in (("6222021234567890", True), ("RETURN-AC04", True), ("62220", False)):
        shop = Shop(wallets, buyer)
        await shop.open(basis_points=0)
        await open_account(dsn, shop, number, confirmed=confirmed)
        await shop.sell(500)
    await run_job(dsn, wallets, MerchantDays(), 10)
    await run_job(dsn, wallets, Clearing(InstantClearing(), wallets.vault))
