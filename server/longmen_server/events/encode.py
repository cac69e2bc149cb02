"""Stored events as messages of the contract."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from longmen.events.v1 import event_pb2
from longmen_server.ledger import encode
from longmen_server.platform.ids import (
    ACCOUNT,
    API_KEY,
    APPROVAL,
    BILLER,
    CASE,
    CONVERSION,
    CUSTOMER,
    DECISION,
    DONATION,
    DUE,
    ENDPOINT,
    EVENT,
    FREEZE,
    LIMIT_ORDER,
    LIST_IMPORT,
    MANDATE,
    MERCHANT,
    ORDER,
    RATE_ALERT,
    RATE_IMPORT,
    RULES_CHANGE,
    SETTLEMENT,
    STAFF,
    TERMINAL,
    TRANSACTION,
    EventId,
    IdKind,
)

if TYPE_CHECKING:
    from longmen_server.ledger.model import PostingRow

__all__ = ["DamagedEventError", "StoredEvent", "event", "event_id"]

_POSTING_TYPES: Final = frozenset(
    {
        event_pb2.EVENT_TYPE_POSTING_POSTED,
        event_pb2.EVENT_TYPE_POSTING_PENDING,
        event_pb2.EVENT_TYPE_POSTING_CAPTURED,
        event_pb2.EVENT_TYPE_POSTING_VOIDED,
        event_pb2.EVENT_TYPE_POSTING_EXPIRED,
    }
)
_ACCOUNT_TYPES: Final = frozenset(
    {event_pb2.EVENT_TYPE_ACCOUNT_OPENED, event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED}
)
_FACTOR_TYPES: Final = frozenset(
    {
        event_pb2.EVENT_TYPE_FACTOR_ENROLLED,
        event_pb2.EVENT_TYPE_FACTOR_REMOVED,
        event_pb2.EVENT_TYPE_FACTOR_BLOCKED,
        event_pb2.EVENT_TYPE_FACTOR_UNBLOCKED,
        event_pb2.EVENT_TYPE_PASSKEY_FLAGGED,
    }
)
_CUSTOMER_TYPES: Final = _FACTOR_TYPES | {
    event_pb2.EVENT_TYPE_FACTOR_RESET_CHANGED,
    event_pb2.EVENT_TYPE_BRANCH_ASSIGNED,
    event_pb2.EVENT_TYPE_WALLET_OPENED,
    event_pb2.EVENT_TYPE_CHALLENGE_STATE_CHANGED,
    event_pb2.EVENT_TYPE_CHALLENGE_CODE_SENT,
    event_pb2.EVENT_TYPE_EMAIL_PROVEN,
    event_pb2.EVENT_TYPE_DEVICE_ENROLLED,
    event_pb2.EVENT_TYPE_DEVICE_REVOKED,
    event_pb2.EVENT_TYPE_SESSION_STARTED,
    event_pb2.EVENT_TYPE_SESSION_ENDED,
    event_pb2.EVENT_TYPE_PROFILE_CHANGED,
    event_pb2.EVENT_TYPE_CUSTOMER_ERASED,
    event_pb2.EVENT_TYPE_EVIDENCE_FILED,
    event_pb2.EVENT_TYPE_IDENTIFICATION_CHANGED,
    event_pb2.EVENT_TYPE_PAYER_CODE_CHANGED,
}
_MERCHANT_TYPES: Final = frozenset(
    {
        event_pb2.EVENT_TYPE_MERCHANT_OPENED,
        event_pb2.EVENT_TYPE_PLAN_SET,
        event_pb2.EVENT_TYPE_PAYOUT_ACCOUNT_CHANGED,
        event_pb2.EVENT_TYPE_RECEIVER_CHANGED,
        event_pb2.EVENT_TYPE_OFFLINE_ACCEPTANCE_CHANGED,
    }
)
_STAFF_TYPES: Final = frozenset(
    {
        event_pb2.EVENT_TYPE_STAFF_CHANGED,
        event_pb2.EVENT_TYPE_STAFF_SESSION_STARTED,
        event_pb2.EVENT_TYPE_STAFF_SESSION_ENDED,
    }
)
_FREEZE_TYPES: Final = frozenset(
    {event_pb2.EVENT_TYPE_RISK_FROZEN, event_pb2.EVENT_TYPE_RISK_UNFROZEN}
)
_PAYLOAD_FIELDS: Final[dict[int, str]] = {
    event_pb2.EVENT_TYPE_ACCOUNT_OPENED: "account",
    event_pb2.EVENT_TYPE_ACCOUNT_STATE_CHANGED: "account_state_change",
    event_pb2.EVENT_TYPE_TRANSFER_STATE_CHANGED: "transfer_state_change",
    event_pb2.EVENT_TYPE_ORDER_CHANGED: "order_change",
    event_pb2.EVENT_TYPE_SETTLEMENT_CHANGED: "settlement_change",
    event_pb2.EVENT_TYPE_PAYOUT_ACCOUNT_CHANGED: "payout_account_change",
    event_pb2.EVENT_TYPE_PAYOUT_CHANGED: "payout_change",
    event_pb2.EVENT_TYPE_SHARING_CHANGED: "sharing_change",
    event_pb2.EVENT_TYPE_RECEIVER_CHANGED: "receiver_change",
    event_pb2.EVENT_TYPE_OFFLINE_ACCEPTANCE_CHANGED: "offline_acceptance_change",
    event_pb2.EVENT_TYPE_PAYER_CODE_CHANGED: "payer_code_change",
    event_pb2.EVENT_TYPE_ENDPOINT_CHANGED: "endpoint_change",
    event_pb2.EVENT_TYPE_FX_RATES_CHANGED: "fx_rates_change",
    event_pb2.EVENT_TYPE_MANDATE_CHANGED: "mandate_change",
    event_pb2.EVENT_TYPE_FX_CONVERTED: "fx_converted",
    event_pb2.EVENT_TYPE_FX_CONVERSION_REVERSED: "fx_conversion_reversed",
    event_pb2.EVENT_TYPE_FX_POSITION_FLAGGED: "fx_position_flag",
    event_pb2.EVENT_TYPE_FX_REVALUED: "fx_revaluation",
    event_pb2.EVENT_TYPE_FX_ALERT_TOLD: "fx_alert_told",
    event_pb2.EVENT_TYPE_FX_LIMIT_ORDER_CHANGED: "fx_limit_order_change",
    event_pb2.EVENT_TYPE_OFFLINE_SALE_RECORDED: "offline_sale_recorded",
    event_pb2.EVENT_TYPE_RISK_RULES_CHANGED: "risk_rules_change",
    event_pb2.EVENT_TYPE_RISK_LIST_CHANGED: "risk_list_change",
    event_pb2.EVENT_TYPE_RISK_DECIDED: "risk_decision_made",
    event_pb2.EVENT_TYPE_RISK_CASE_CHANGED: "risk_case_change",
    **dict.fromkeys(_FREEZE_TYPES, "risk_freeze_change"),
    event_pb2.EVENT_TYPE_DUE_CHANGED: "due_change",
    event_pb2.EVENT_TYPE_BILLER_CHANGED: "biller_change",
    event_pb2.EVENT_TYPE_DONATED: "donation_made",
    event_pb2.EVENT_TYPE_OWN_LIMIT_CHANGED: "own_limit_change",
    event_pb2.EVENT_TYPE_ACCOUNT_TYPE_CHANGED: "account_type_change",
    event_pb2.EVENT_TYPE_APPROVAL_CHANGED: "approval_change",
    event_pb2.EVENT_TYPE_CHALLENGE_STATE_CHANGED: "challenge_change",
    event_pb2.EVENT_TYPE_CHALLENGE_CODE_SENT: "challenge_change",
    **dict.fromkeys(_FACTOR_TYPES, "factor_change"),
    event_pb2.EVENT_TYPE_FACTOR_RESET_CHANGED: "factor_reset_change",
    event_pb2.EVENT_TYPE_BRANCH_ASSIGNED: "branch_assignment",
    event_pb2.EVENT_TYPE_KEY_CHANGED: "key_change",
    event_pb2.EVENT_TYPE_DEVICE_ENROLLED: "device_change",
    event_pb2.EVENT_TYPE_DEVICE_REVOKED: "device_change",
    event_pb2.EVENT_TYPE_SESSION_STARTED: "session_change",
    event_pb2.EVENT_TYPE_SESSION_ENDED: "session_change",
    event_pb2.EVENT_TYPE_EVIDENCE_FILED: "evidence_filing",
    event_pb2.EVENT_TYPE_IDENTIFICATION_CHANGED: "identification_change",
    event_pb2.EVENT_TYPE_STAFF_CHANGED: "staff_change",
    event_pb2.EVENT_TYPE_STAFF_SESSION_STARTED: "staff_session_change",
    event_pb2.EVENT_TYPE_STAFF_SESSION_ENDED: "staff_session_change",
}
"""Where the payload that is stored with an event of a type belongs."""

_SUBJECTS: Final[dict[int, IdKind[Any]]] = {
    **dict.fromkeys(_ACCOUNT_TYPES, ACCOUNT),
    **dict.fromkeys(_CUSTOMER_TYPES, CUSTOMER),
    **dict.fromkeys(_MERCHANT_TYPES, MERCHANT),
    **dict.fromkeys(_STAFF_TYPES, STAFF),
    event_pb2.EVENT_TYPE_APPROVAL_CHANGED: APPROVAL,
    event_pb2.EVENT_TYPE_KEY_CHANGED: API_KEY,
    event_pb2.EVENT_TYPE_ORDER_CHANGED: ORDER,
    event_pb2.EVENT_TYPE_SETTLEMENT_CHANGED: SETTLEMENT,
    event_pb2.EVENT_TYPE_PAYOUT_CHANGED: SETTLEMENT,
    event_pb2.EVENT_TYPE_SHARING_CHANGED: ORDER,
    event_pb2.EVENT_TYPE_ENDPOINT_CHANGED: ENDPOINT,
    event_pb2.EVENT_TYPE_FX_RATES_CHANGED: RATE_IMPORT,
    event_pb2.EVENT_TYPE_MANDATE_CHANGED: MANDATE,
    event_pb2.EVENT_TYPE_FX_CONVERTED: CONVERSION,
    event_pb2.EVENT_TYPE_FX_CONVERSION_REVERSED: CONVERSION,
    event_pb2.EVENT_TYPE_FX_POSITION_FLAGGED: ACCOUNT,
    event_pb2.EVENT_TYPE_FX_ALERT_TOLD: RATE_ALERT,
    event_pb2.EVENT_TYPE_FX_LIMIT_ORDER_CHANGED: LIMIT_ORDER,
    event_pb2.EVENT_TYPE_OFFLINE_SALE_RECORDED: TERMINAL,
    event_pb2.EVENT_TYPE_RISK_RULES_CHANGED: RULES_CHANGE,
    event_pb2.EVENT_TYPE_RISK_LIST_CHANGED: LIST_IMPORT,
    event_pb2.EVENT_TYPE_RISK_DECIDED: DECISION,
    event_pb2.EVENT_TYPE_RISK_CASE_CHANGED: CASE,
    **dict.fromkeys(_FREEZE_TYPES, FREEZE),
    event_pb2.EVENT_TYPE_DUE_CHANGED: DUE,
    event_pb2.EVENT_TYPE_BILLER_CHANGED: BILLER,
    event_pb2.EVENT_TYPE_DONATED: DONATION,
    event_pb2.EVENT_TYPE_OWN_LIMIT_CHANGED: CUSTOMER,
    event_pb2.EVENT_TYPE_ACCOUNT_TYPE_CHANGED: ACCOUNT,
}
"""What the subject of an event of a type is an id of; of all others it is a transaction's."""

_EVENT_ID: Final = struct.Struct(">QIHH")


class DamagedEventError(RuntimeError):
    """The posting of an event is missing: the book is damaged, and `longmen verify` says where."""

    def __init__(self, stored: StoredEvent) -> None:
        super().__init__(f"event {stored.sequence} of writer {stored.writer} has no posting")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it stands in a writer's journal, with its posting."""

    book: int
    writer: int
    sequence: int
    booked_at_us: int
    type: int
    subject: bytes
    payload: bytes | None
    posting: PostingRow | None


def event_id(book: int, writer: int, sequence: int) -> str:
    """Return the id of an event: its place in the journals, so that it is the same each time."""
    return EVENT.encode(EventId(_EVENT_ID.pack(sequence, 0, writer, book)))


def event(stored: StoredEvent) -> event_pb2.Event:
    """Return an event as it was when it happened, the same each time it is read.

    What has become of a hold since is no part of it; later events tell that.

    Raises:
        DamagedEventError: the posting it stands for is missing.
    """
    message = event_pb2.Event(
        event_id=event_id(stored.book, stored.writer, stored.sequence),
        type=stored.type,  # type: ignore[arg-type]  # the enum is open
        book=stored.book,
        booked_time=encode.timestamp(stored.booked_at_us),
        subject_id=_subject(stored),
    )
    if stored.type in _POSTING_TYPES:
        if stored.posting is None:
            raise DamagedEventError(stored)
        message.posting.CopyFrom(encode.posting(stored.posting))
        message.debit_balances.CopyFrom(encode.debit_balances_after(stored.posting))
        message.credit_balances.CopyFrom(encode.credit_balances_after(stored.posting))
    elif stored.payload is not None and stored.type in _PAYLOAD_FIELDS:
        getattr(message, _PAYLOAD_FIELDS[stored.type]).MergeFromString(stored.payload)
    return message


def _subject(stored: StoredEvent) -> str:
    return _SUBJECTS.get(stored.type, TRANSACTION).encode(stored.subject)
