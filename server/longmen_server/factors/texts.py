"""What customers are told of their factors: in Chinese first, then in English."""

from __future__ import annotations

from typing import Final

from longmen_server.factors.model import FactorKind

__all__ = ["NAMES", "factor_blocked", "factor_removed", "factor_set", "passkey_flagged"]

NAMES: Final = {
    FactorKind.PASSWORD: ("登录密码", "login password"),
    FactorKind.PAYMENT_PIN: ("支付密码", "payment PIN"),
    FactorKind.TOTP: ("身份验证器", "authenticator app"),
    FactorKind.PASSKEY: ("通行密钥", "passkey"),
    FactorKind.BACKUP_CODES: ("备用码", "backup codes"),
    FactorKind.MESSAGE_CODE: ("短信验证码", "code by message"),
}
"""What customers call each kind."""
_NOT_YOU: Final = (
    "如非本人操作，请立即联系银行。",
    "If it was not you, tell the bank at once.",
)


def factor_set(kind: FactorKind) -> str:
    """The text that tells of a factor that was set, replaced or added."""
    chinese, english = NAMES[kind]
    return (
        f"您的{chinese}已设置或更改，其他设备已退出登录。{_NOT_YOU[0]}"
        f"New on your wallet: {english}. Your other devices were signed out. {_NOT_YOU[1]}"
    )


def factor_removed(kind: FactorKind) -> str:
    """The text that tells of a factor that was taken away."""
    chinese, english = NAMES[kind]
    return (
        f"您的{chinese}已移除，其他设备已退出登录。{_NOT_YOU[0]}"
        f"Removed from your wallet: {english}. Your other devices were signed out. {_NOT_YOU[1]}"
    )


def factor_blocked(kind: FactorKind) -> str:
    """The text that tells of a factor that was tried wrongly too often.

    It is written when the last try is counted, before anybody has looked at it: should that one be
    right, there is no block after all.
    """
    chinese, english = NAMES[kind]
    return (
        f"您的{chinese}多次输入错误，可能已被锁定。{_NOT_YOU[0]}"
        f"Tried wrongly several times, maybe blocked: {english}. {_NOT_YOU[1]}"
    )


def passkey_flagged() -> str:
    """The text that tells of a passkey of which there may be a copy."""
    return (
        f"您的通行密钥可能被复制，已停用。{_NOT_YOU[0]}"
        f"There may be a copy of your passkey; it is out of use. {_NOT_YOU[1]}"
    )
