"""What customers are told by message: in Chinese, which most of them read, then in English."""

from __future__ import annotations

from typing import Final

__all__ = [
    "EMAIL_SUBJECT",
    "device_notice",
    "email_code",
    "email_proven",
    "login_code",
    "registered_notice",
    "registration_code",
    "sign_in_notice",
]

EMAIL_SUBJECT: Final = "钱包验证码 Code of your wallet"
"""Heading of e-mails with codes."""

_WARNING = "请勿告诉任何人。Tell it to nobody, not even the bank."


def registration_code(code: str, minutes: int) -> str:
    """The text with a code for a new wallet."""
    return (
        f"验证码 {code}，用于开通钱包，{minutes}分钟内有效。"
        f"Your code to open a wallet is {code}, for {minutes} minutes. {_WARNING}"
    )


def registered_notice() -> str:
    """The text to somebody who has a wallet and seems to want another."""
    return (
        "此手机号已开通钱包，请直接登录。如非本人操作，可忽略本信息。"
        "This phone number has a wallet already: sign in instead. If it was not you, do nothing."
    )


def login_code(code: str, minutes: int) -> str:
    """The text with a code to sign a new device in."""
    return (
        f"验证码 {code}，用于在新设备登录，{minutes}分钟内有效。"
        f"Your code to sign in on a new device is {code}, for {minutes} minutes. {_WARNING}"
    )


def device_notice(name: str) -> str:
    """The text that tells of a new device."""
    return (
        f"新设备“{name}”已登录您的钱包。如非本人操作，请立即撤销该设备。"
        f'The new device "{name}" has signed in to your wallet. If it was not you, revoke it now.'
    )


def sign_in_notice(name: str) -> str:
    """The text that tells of a device that has signed in, the first time in a day."""
    return (
        f"您的钱包已在设备“{name}”上登录。如非本人操作，请立即撤销该设备。"
        f'The device "{name}" has signed in to your wallet. If it was not you, revoke it now.'
    )


def email_code(code: str, minutes: int) -> str:
    """The text with a code that proves an e-mail address."""
    return (
        f"验证码 {code}，用于验证您的钱包电子邮箱，{minutes}分钟内有效。"
        f"Your code to prove this e-mail address is {code}, for {minutes} minutes. {_WARNING}"
    )


def email_proven() -> str:
    """The text that tells where codes and notices go from now on."""
    return (
        "您的钱包电子邮箱已验证，今后可接收验证码和通知。如非本人操作，请立即联系银行。"
        "The e-mail address of your wallet is proven and can get codes and notices."
        " If it was not you, tell the bank at once."
    )
