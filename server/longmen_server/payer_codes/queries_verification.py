"""Checks of devices that show codes, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check, numbers
from longmen_server.payer_codes.model import PayerCodeState

_ACTIVE: Final = int(PayerCodeState.ACTIVE)

DEVICES: Final = Check(
    "payer codes",
    f"""
    select 'PAYER_CODE_MISMATCH', 'handle ' || c.handle,
        case when a.account_id is null then 'there is no such account'
            when a.owner_id is distinct from c.customer_id then 'the account is another owner''s'
            when a.currency_code <> c.currency_code then 'the account is in another currency'
            when c.last_order_id is not null and o.order_id is null
                then 'there is no such order as was scanned last'
            else 'state ' || c.state || ' with a secret of ' || length(c.secret) || ' bytes' end
    from (select * from payer_code where book = $1) as c
    left join (select * from ledger_account where book = $1) as a on a.account_id = c.account_id
    left join (select * from merchant_order where book = $1) as o on o.order_id = c.last_order_id
    where a.account_id is null or a.owner_id is distinct from c.customer_id
        or a.currency_code <> c.currency_code
        or (c.last_order_id is not null and o.order_id is null)
        or c.state not in ({numbers(PayerCodeState)})
        or (c.state = {_ACTIVE}) <> (length(c.secret) > 0)
    """,
)

CHECKS: Final = (DEVICES,)
