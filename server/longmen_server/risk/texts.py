"""What customers are told: safe to read, and of no use to whom it was about.

A text says what happened to the money and never what was noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import DECISION
from longmen_server.risk.rows import NoticeKind

if TYPE_CHECKING:
    from longmen_server.risk.rows import NoticeRow

__all__ = ["text_of"]

_TEXTS: Final = {
    NoticeKind.ALLOWED: (
        "您的一笔交易与平时不同，已按您的要求完成。如非本人操作，请立即联系我们。"
        " A payment of yours was unusual and went through as asked. If it was not you, tell us now."
    ),
    NoticeKind.DELAYED: (
        "为保护您的资金，一笔转账将延时到账，到账前您可以撤销。"
        " To protect your money a transfer of yours is delayed; until it is paid you can take it"
        " back."
    ),
    NoticeKind.REVIEWED: (
        "为保护您的资金，一笔转账正在核实，款项暂时冻结。"
        " To protect your money a transfer of yours is being looked at; the money is held so long."
    ),
    NoticeKind.DECLINED: (
        "为保护您的资金，一笔交易未能完成。 To protect your money a payment of yours was not made."
    ),
    NoticeKind.FROZEN: (
        "为保护您的资金，您的钱包已被冻结。 To protect your money your wallet was frozen."
    ),
    NoticeKind.UNFROZEN: "您的钱包已解除冻结。 Your wallet is no longer frozen.",
    NoticeKind.RELEASED: "一笔已核实的转账已放行。 A transfer that was looked at was let go.",
    NoticeKind.RETURNED: (
        "一笔转账未通过核实，款项已退回。 A transfer that was looked at was given back to you."
    ),
}


def text_of(notice: NoticeRow) -> str:
    """Return what a notice says, with the reference that an appeal names."""
    reference = DECISION.encode(notice.decision_id)
    return f"{_TEXTS[NoticeKind(notice.kind)]} 申诉编号 Reference: {reference}"
