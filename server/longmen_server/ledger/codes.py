"""Posting codes that the server itself gives, so that histories tell what a posting was for.

A posting's code is its caller's own classification, from 0 to 32767. Codes from 32000 on are the
server's: callers of the ledger are asked to keep off them, since a posting that carries one shows
up in wallets as what the code says.
"""

from __future__ import annotations

from enum import IntEnum


class PostingCode(IntEnum):
    """What a posting of a wallet is for."""

    PAYMENT = 32001
    """From wallet to wallet."""
    TOP_UP = 32002
    """From the customer's bank account to the wallet."""
    WITHDRAWAL = 32003
    """From the wallet to the customer's bank account."""
    SWEEP = 32004
    """What an account had left when it was closed."""
    PURCHASE = 32005
    """From a wallet to a merchant."""
    REFUND = 32006
    """From a merchant back to a wallet: by a refund or a reversal."""
    MERCHANT_FEE = 32010
    """What a merchant pays for a payment."""
    FEE_RETURN = 32011
    """What goes back to the merchant of a fee."""
    SETTLEMENT = 32012
    """What a merchant is paid out."""
    PAYOUT = 32032
    """What goes to a merchant's bank account for a settlement."""
    PAYOUT_RETURN = 32033
    """What came back from there."""
    SHARE_HELD = 32034
    """What a merchant holds of an order to share it with others."""
    SHARE = 32035
    """What another merchant gets of it."""
    SHARE_RELEASED = 32036
    """What is held no longer and was not shared."""
    SHARE_RETURN = 32037
    """What another merchant gives back."""
    TIP = 32030
    """From a wallet to a merchant, besides a purchase."""
    TIP_REFUND = 32031
    """From a merchant back to a wallet: a tip's share of a refund."""
    EXCHANGE = 32020
    """Either side of an exchange of currencies."""
    EXCHANGE_FEE = 32021
    """What a customer pays for an exchange, apart from the spread."""
    EXCHANGE_RESULT = 32022
    """Spread, rounding and counter value of an exchange."""
    REVALUATION = 32023
    """What a position came to at the close of a business date."""
