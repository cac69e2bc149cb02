"""What customers are told with a code by message: what exactly it approves."""

from __future__ import annotations

from typing import Final

__all__ = ["SUBJECT", "challenge_code"]

SUBJECT: Final = "支付验证码 Code to approve a payment"
"""Heading of e-mails with codes."""


def challenge_code(code: str, what: str) -> str:
    """The text with a code that approves one challenge, whose own text is part of it.

    Amount and payee stand in it, as Delegated Regulation (EU) 2018/389, Art. 5, demands.
    """
    return (
        f"验证码 {code}，仅用于确认以下操作。请勿告诉任何人。"
        f"Your code is {code}. It approves this and nothing else: {what}"
        " Tell it to nobody, not even the bank."
    )
