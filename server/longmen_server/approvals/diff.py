"""What a command changed in the working set, for whoever has to decide on it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from longmen.ledger.v1 import account_pb2
from longmen.staff.v1 import approval_pb2
from longmen_server.credentials.tables import KEY_ROWS
from longmen_server.factors.model import kinds_of
from longmen_server.factors.tables import SECURITY
from longmen_server.fxrates.tables import RATE_CHANGE
from longmen_server.kyc.model import EvidenceKind, EvidenceState
from longmen_server.kyc.tables import EVIDENCE
from longmen_server.ledger.encode import timestamp
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.offline.model import LossBearer
from longmen_server.offline.tables import ACCEPTANCE
from longmen_server.payouts.model import PayoutAccountState
from longmen_server.payouts.tables import PAYOUT_ACCOUNT
from longmen_server.plans.model import FeeReturn, FeeRounding
from longmen_server.plans.tables import PLAN
from longmen_server.platform.device_keys import b64url
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.ids import API_KEY, CUSTOMER, LIST_IMPORT, MERCHANT, RULE_SET, STAFF
from longmen_server.platform.ids import PAYOUT_ACCOUNT as PAYOUT_ACCOUNT_TEXT
from longmen_server.promotions.tables import PROMOTION
from longmen_server.recovery.model import Evidence, kind_names
from longmen_server.recovery.tables import FACTOR_RESET
from longmen_server.risk.model import ListedKind
from longmen_server.risklists.tables import LIST_IMPORT_ROWS, RISK_LIST
from longmen_server.riskrules.model import Cause, RuleSetState
from longmen_server.riskrules.tables import RULE_SET_ROWS, RULEBOOK_NOW
from longmen_server.sharing.model import ReceiverState
from longmen_server.sharing.tables import RECEIVER
from longmen_server.staff.model import Enrolment, StaffState, role_names
from longmen_server.staff.tables import STAFF_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from longmen_server.credentials.model import KeyRow
    from longmen_server.engine.family import RowFamily
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.factors.model import SecurityRow
    from longmen_server.fxrates.model import RateRow
    from longmen_server.kyc.model import EvidenceRow
    from longmen_server.ledger.model import AccountRow
    from longmen_server.offline.model import AcceptanceRow
    from longmen_server.payouts.model import PayoutAccountRow
    from longmen_server.plans.model import PlanRow
    from longmen_server.promotions.model import PromotionRow
    from longmen_server.recovery.model import ResetRow
    from longmen_server.risklists.model import ImportRow, ListRow
    from longmen_server.riskrules.model import RulebookRow, RuleSetRow
    from longmen_server.sharing.model import ReceiverRow
    from longmen_server.staff.model import StaffRow

__all__ = ["DESCRIBED", "changes", "snapshot"]


def _account(row: AccountRow) -> tuple[str, dict[str, str]]:
    return ACCOUNT_TEXT.encode(row.account_id), {
        "state": account_pb2.AccountState.Name(row.state).removeprefix("ACCOUNT_STATE_"),  # type: ignore[arg-type]
        "posted": f"{row.posted} {row.currency_code}",
        "available": f"{row.available} {row.currency_code}",
    }


def _security(row: SecurityRow) -> tuple[str, dict[str, str]]:
    return CUSTOMER.encode(row.customer_id), {
        "wrong_tries_forgiven_until": timestamp(row.unblocked_at_us).ToJsonString()
    }


def _plan(row: PlanRow) -> tuple[str, dict[str, str]]:
    return MERCHANT.encode(row.merchant_id), {
        "plan.effective_date": row.effective_date,
        "plan.basis_points": str(row.basis_points),
        "plan.fixed_minor_units": str(row.fixed_minor_units),
        "plan.cap_minor_units": str(row.cap_minor_units),
        "plan.rounding": FeeRounding(row.rounding).name,
        "plan.refund_policy": FeeReturn(row.refund_policy).name,
        "plan.settlement_days": str(row.settlement_days),
        "plan.negative_limit_minor_units": str(row.negative_limit_minor_units),
    }


def _payout_account(row: PayoutAccountRow) -> tuple[str, dict[str, str]]:
    return MERCHANT.encode(row.merchant_id), {
        "payout_account.id": (
            "" if row.account_id is None else PAYOUT_ACCOUNT_TEXT.encode(row.account_id)
        ),
        "payout_account.tail": row.tail,
        "payout_account.state": PayoutAccountState(row.state).name,
        "payout_account.clearing_code": row.clearing_code,
    }


def _receiver(row: ReceiverRow) -> tuple[str, dict[str, str]]:
    return MERCHANT.encode(row.merchant_id), {
        "receiver.id": MERCHANT.encode(row.receiver_id),
        "receiver.state": ReceiverState(row.state).name,
    }


def _acceptance(row: AcceptanceRow) -> tuple[str, dict[str, str]]:
    return MERCHANT.encode(row.merchant_id), {
        "offline.enabled": str(row.is_enabled),
        "offline.loss_bearer": LossBearer(row.loss_bearer).name,
        "offline.day_budget_minor_units": "" if row.day_budget is None else str(row.day_budget),
    }


def _evidence(row: EvidenceRow) -> tuple[str, dict[str, str]]:
    # What evidence says is nobody's to read here; that it counts is what is decided.
    kind = EvidenceKind(row.kind).name.lower()
    return CUSTOMER.encode(row.customer_id), {kind: EvidenceState(row.state).name}


def _credential(row: KeyRow) -> tuple[str, dict[str, str]]:
    return API_KEY.encode(row.key_id), {
        "owner": row.owner,
        "identity": row.identity,
        "scopes": row.scopes,
        "networks": row.networks,
        # As `longmen key fingerprint` shows it: to be compared with whoever is to have the secret.
        "public_key_sha256": "" if row.public_key is None else sha256(row.public_key).hexdigest(),
    }


def _staff(row: StaffRow) -> tuple[str, dict[str, str]]:
    waits_for_key = row.enrolment[:1] == bytes([Enrolment.KEY])
    return STAFF.encode(row.staff_id), {
        "login": row.login,
        "person": row.person,
        "roles": " ".join(role_names(row.roles)),
        "branch": row.branch,
        "state": StaffState(row.state).name,
        "enrols_with_key": b64url(row.enrolment[1:]) if waits_for_key else "",
    }


def _reset(row: ResetRow) -> tuple[str, dict[str, str]]:
    return CUSTOMER.encode(row.customer_id), {
        "reset.kinds": kind_names(kinds_of(row.kinds)),
        "reset.evidence": Evidence(row.evidence).name,
        "reset.evidence_reference": row.evidence_reference,
        "reset.key_thumbprint": row.thumbprint,
        "reset.effective_time": timestamp(row.effective_at_us).ToJsonString(),
    }


def _rate(row: RateRow) -> tuple[str, dict[str, str]]:
    return row.currency_code, {
        "rate": row.rate,
        "rate.source": row.source,
        "rate.observe_time": timestamp(row.observed_at_us).ToJsonString(),
        "rate.held_rate": row.held_rate or "",
    }


def _promotion(row: PromotionRow) -> tuple[str, dict[str, str]]:
    return f"promotion {row.name}", {
        "discount_basis_points": str(row.discount_basis_points),
        "currencies": row.currencies,
        "tier": row.tier,
        "start_time": timestamp(row.from_us).ToJsonString(),
        "end_time": timestamp(row.until_us).ToJsonString(),
        "ended_time": "" if row.ended_at_us is None else timestamp(row.ended_at_us).ToJsonString(),
        "budget_minor_units": str(row.budget),
        "used_minor_units": str(row.used),
    }


def _rule_set(row: RuleSetRow) -> tuple[str, dict[str, str]]:
    return RULE_SET.encode(row.rule_set_id), {
        "name": row.name,
        "state": RuleSetState(row.state).name,
        "digest": row.digest.hex(),
    }


def _rulebook(row: RulebookRow) -> tuple[str, dict[str, str]]:
    return "rules of risk", {
        "version": str(row.version),
        "cause": Cause(row.cause).name,
        "digest": row.digest.hex(),
    }


def _risk_list(row: ListRow) -> tuple[str, dict[str, str]]:
    return f"list {row.name} of {ListedKind(row.kind).name}", {
        "version": str(row.version),
        "list_import_id": LIST_IMPORT.encode(row.list_import_id),
    }


def _list_import(row: ImportRow) -> tuple[str, dict[str, str]]:
    return LIST_IMPORT.encode(row.list_import_id), {
        "source": row.source,
        "as_of_date": row.as_of_date,
        "entries": str(row.entry_count),
        "bad_rows": str(row.bad_row_count),
        "committed": str(row.committed_at_us is not None),
    }


DESCRIBED: Final[dict[RowFamily[Any, Any], Callable[[Any], tuple[str, dict[str, str]]]]] = {
    ACCOUNT: _account,
    SECURITY: _security,
    PLAN: _plan,
    PAYOUT_ACCOUNT: _payout_account,
    RECEIVER: _receiver,
    ACCEPTANCE: _acceptance,
    EVIDENCE: _evidence,
    STAFF_ROWS: _staff,
    KEY_ROWS: _credential,
    RATE_CHANGE: _rate,
    RULE_SET_ROWS: _rule_set,
    RULEBOOK_NOW: _rulebook,
    LIST_IMPORT_ROWS: _list_import,
    RISK_LIST: _risk_list,
    FACTOR_RESET: _reset,
    PROMOTION: _promotion,
}
"""Rows that a decider understands: the subject's name, and its fields as text."""


def snapshot(working_set: WorkingSet) -> dict[RowFamily[Any, Any], dict[Any, Any]]:
    """Return the rows as they are; commands change copies of them, so these stay."""
    return {family: dict(working_set.table(family).rows) for family in DESCRIBED}


def changes(
    before: Mapping[RowFamily[Any, Any], Mapping[Any, Any]], working_set: WorkingSet
) -> Iterator[approval_pb2.ProposedChange]:
    """Return what is different from a snapshot, by subject and field."""
    for family, describe in DESCRIBED.items():
        old_rows, new_rows = before[family], working_set.table(family).rows
        for key in sorted(new_rows):
            old, new = old_rows.get(key), new_rows[key]
            if old is new or new is None:
                continue
            subject, after = describe(new)
            was = {} if old is None else describe(old)[1]
            for field, value in after.items():
                if was.get(field, "") != value:
                    yield approval_pb2.ProposedChange(
                        subject=subject, field=field, before=was.get(field, ""), after=value
                    )
