"""What customers are told of resets: in Chinese first, then in English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.factors.texts import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.factors.model import FactorKind

__all__ = ["reset_approved", "reset_cancelled", "reset_effective"]

_NOT_YOU: Final = (
    "如非本人申请，请立即在App中撤销或致电银行。",
    "If you did not ask for it, turn it down in the app or call the bank at once.",
)


def reset_approved(kinds: Sequence[FactorKind], hours: int) -> str:
    """The text that tells of a reset that will take effect after so many hours."""
    chinese, english = _named(kinds)
    return (
        f"银行已受理重置您的{chinese}，{hours}小时后生效，届时所有设备将退出。{_NOT_YOU[0]}"
        f"The bank will reset your {english} in {hours} hours; all your devices will be signed"
        f" out. {_NOT_YOU[1]}"
    )


def reset_cancelled() -> str:
    """The text that tells of a reset that was turned down."""
    return (
        "重置申请已撤销，您的验证方式未变。如有疑问请致电银行。"
        "The reset was turned down; nothing has changed. Call the bank if that was not you."
    )


def reset_effective(kinds: Sequence[FactorKind]) -> str:
    """The text that tells of a reset that has taken effect."""
    chinese, english = _named(kinds)
    return (
        f"您的{chinese}已重置，所有设备已退出。请在向银行出示的设备上登录并重新设置。"
        f"Your {english} was reset and all devices were signed out. Sign in on the device that you"
        " have shown to the bank, and set it anew. If that was not you, call the bank at once."
    )


def _named(kinds: Sequence[FactorKind]) -> tuple[str, str]:
    chinese, english = zip(*(NAMES[kind] for kind in kinds), strict=True)
    return "、".join(chinese), ", ".join(english)
