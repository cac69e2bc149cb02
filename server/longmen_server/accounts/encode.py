"""Wallets, their accounts and their balances as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.accounts.v1 import wallet_pb2
from longmen.type.v1 import money_pb2
from longmen_server.accounts.model import is_frozen_by_bank
from longmen_server.ledger.encode import timestamp
from longmen_server.platform.ids import ACCOUNT, CUSTOMER

if TYPE_CHECKING:
    from longmen_server.accounts.model import PocketRow, WalletRow
    from longmen_server.accounts.personal import Person
    from longmen_server.ledger.model import AccountRow


def money(minor_units: int, currency_code: str) -> money_pb2.Money:
    """Return an amount."""
    return money_pb2.Money(minor_units=minor_units, currency_code=currency_code)


def wallet(row: WalletRow, person: Person | None) -> wallet_pb2.Wallet:
    """Return a wallet, its phone number masked; without the person where it is to be stored."""
    message = wallet_pb2.Wallet(
        customer_id=CUSTOMER.encode(row.customer_id), create_time=timestamp(row.created_at_us)
    )
    if person is not None:
        name_owner(message, person)
    return message


def name_owner(message: wallet_pb2.Wallet, person: Person) -> None:
    """Put into a wallet whose it is."""
    message.display_name = person.display_name
    message.masked_phone_number = person.masked_phone_number


def balance(account: AccountRow) -> wallet_pb2.Balance:
    """Return what a customer's account has. It is a liability: credits announce money coming in."""
    currency = account.currency_code
    return wallet_pb2.Balance(
        account_id=ACCOUNT.encode(account.account_id),
        posted=money(account.posted, currency),
        available=money(account.available, currency),
        held=money(account.held, currency),
        incoming=money(account.credits_pending, currency),
        version=account.version,
    )


def stored_account(pocket: PocketRow, account: AccountRow) -> wallet_pb2.WalletAccount:
    """Return a wallet account for a reply that is recorded: without its owner's name for it.

    The record outlives an erased owner; whoever answers puts the name in.
    """
    message = wallet_account(pocket, account)
    message.ClearField("nickname")
    return message


def wallet_account(pocket: PocketRow, account: AccountRow) -> wallet_pb2.WalletAccount:
    """Return a wallet account; its states have the numbers of the ledger's."""
    return wallet_pb2.WalletAccount(
        account_id=ACCOUNT.encode(pocket.account_id),
        customer_id=CUSTOMER.encode(pocket.customer_id) if pocket.customer_id else "",
        currency_code=pocket.currency_code,
        nickname=pocket.nickname,
        state=account.state,  # type: ignore[arg-type]  # enums of the contract are ints
        frozen_by_bank=is_frozen_by_bank(account),
        balance=balance(account),
        create_time=timestamp(pocket.created_at_us),
    )
