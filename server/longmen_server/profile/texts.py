"""What customers are told of their profile: in Chinese first, then in English."""

from __future__ import annotations

__all__ = ["address_changed"]


def address_changed(masked: str) -> str:
    """The text that tells of another e-mail address, masked; empty when there is none any more."""
    chinese = f"已更改为{masked}" if masked else "已删除"
    english = f"is now {masked}" if masked else "was removed"
    return (
        f"您的钱包电子邮箱{chinese}。如非本人操作，请立即联系银行。"
        f"The e-mail address of your wallet {english}. If it was not you, tell the bank at once."
    )
