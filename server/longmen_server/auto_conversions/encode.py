"""Automatic conversions as messages of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import auto_conversion_pb2
from longmen_server.fxrates.encode import money
from longmen_server.ledger.encode import timestamp
from longmen_server.limits.rules import today_of
from longmen_server.platform.ids import ACCOUNT

if TYPE_CHECKING:
    from longmen_server.auto_conversions.model import AutoRow


def auto_conversion(row: AutoRow, now_us: int) -> auto_conversion_pb2.AutoConversion:
    """Return what was agreed to for a pocket, as it stands."""
    code = row.currency_code
    return auto_conversion_pb2.AutoConversion(
        account_id=ACCOUNT.encode(row.account_id),
        currency_code=code,
        enabled=row.enabled,
        source_account_ids=[ACCOUNT.encode(one.account_id) for one in row.pockets],
        payment_max=money(row.payment_max, code),
        day_max=money(row.day_max, code),
        day_used=money(row.used_on(today_of(now_us).day), code),
        basis_points_max=row.basis_points_max,
        change_time=timestamp(row.changed_at_us),
    )
