"""Checks of wallets against the ledger and the alias directory, for `longmen verify`."""

from __future__ import annotations

from typing import Final

from longmen.events.v1 import event_pb2
from longmen_server.accounts.model import AliasKind
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.ledger.model import AccountState
from longmen_server.ledger.verification.queries import Check, account_text, customer_text

_OPENED: Final = int(event_pb2.EVENT_TYPE_WALLET_OPENED)
_CLOSED: Final = int(AccountState.CLOSED)

# The ledger may have more accounts of a customer, and close one that is a wallet's; the other way
# round each account of a wallet is one of the ledger.
POCKETS: Final = Check(
    "wallet accounts against the ledger",
    f"""
    select broken.* from (
        select p.*, a.book as account, w.book as wallet, a.owner_id, a.state,
            a.currency_code as ledger_currency, a.created_at_us as ledger_created_at_us
        from (select * from wallet_account where book = $1) as p
        left join (
            select * from ledger_account where book = $1 and chart_code = {CUSTOMER_DEPOSITS}
        ) as a on a.account_id = p.account_id
        left join (select * from wallet where book = $1) as w on w.customer_id = p.customer_id
    ) as pocket
    cross join lateral (
        select 'POCKET_MISMATCH', {account_text("account_id")},
            case when account is null then 'the ledger has no such customer deposit'
            else concat_ws(', ',
                case when owner_id is distinct from customer_id
                    then 'the ledger has another owner' end,
                case when currency_code <> ledger_currency
                    then 'in ' || currency_code || ', the ledger has ' || ledger_currency end,
                case when created_at_us <> ledger_created_at_us then 'opened at '
                    || created_at_us || ', the ledger has ' || ledger_created_at_us end) end
            where account is null or owner_id is distinct from customer_id
                or currency_code <> ledger_currency or created_at_us <> ledger_created_at_us
        union all
        select 'POCKET_STATE_MISMATCH', {account_text("account_id")},
            'closed at ' || closed_at_us || ', in the ledger its state is ' || state
            where closed_at_us is not null and state <> {_CLOSED}
        union all
        select 'WALLET_MISSING', {customer_text("customer_id")},
            'no such wallet, and it has the account ' || {account_text("account_id")}
            where wallet is null
    ) as broken (kind, subject, detail)
    """,
)

WALLETS: Final = Check(
    "wallets",
    f"""
    select broken.* from (
        select coalesce(w.customer_id, e.subject) as id, w.book as wallet, w.created_at_us,
            e.book as event, e.booked_at_us
        from (select * from wallet where book = $1) as w
        full join (select * from event where book = $1 and type = {_OPENED}) as e
            on e.subject = w.customer_id
    ) as pair
    cross join lateral (
        select 'WALLET_MISSING', {customer_text("id")}, 'opened at ' || booked_at_us
            || ' as an event tells, and no such wallet' where wallet is null
        union all
        select 'WALLET_EVENT_MISMATCH', {customer_text("id")}, case when event is null
            then 'no event of its opening' else 'opened at ' || created_at_us
                || ', the event is of ' || booked_at_us end
            where wallet is not null and (event is null or created_at_us <> booked_at_us)
    ) as broken (kind, subject, detail)
    where wallet is null or event is null or created_at_us <> booked_at_us
    union all
    select 'POCKET_MISSING', {customer_text("w.customer_id")}, 'the wallet has no account at all'
    from wallet as w where w.book = $1 and not exists (
        select from wallet_account as p where p.book = $1 and p.customer_id = w.customer_id
    )
    """,
)

# The number itself stays out of what is told: it is personal.
ALIASES: Final = Check(
    "aliases",
    f"""
    select 'ALIAS_MISMATCH', {customer_text("coalesce(w.customer_id, a.customer_id)")},
        case when w.book is null then 'an alias points to the wallet, and there is none'
            when a.kind is null then 'no alias points to the wallet'
            else 'an alias that points to the wallet is not its phone number' end
    from (select * from wallet where book = $1) as w
    full join (
        select * from alias where target_book = $1 and kind = {int(AliasKind.PHONE_NUMBER)}
    ) as a on a.customer_id = w.customer_id
    where w.book is null or a.value <> w.phone_index
        or (a.kind is null) <> (w.erased_at_us is not null)
    """,
)

CHECKS: Final = (POCKETS, WALLETS, ALIASES)
