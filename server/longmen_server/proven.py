"""What a verification proves beyond the ledger: the checks of every area, in one list."""

from __future__ import annotations

from typing import Final

from longmen_server.accounts import queries_verification as accounts
from longmen_server.auto_conversions import queries_verification as auto_conversions
from longmen_server.billers import queries_verification as billers
from longmen_server.challenges import queries_verification as challenges
from longmen_server.combined import queries_verification as combined
from longmen_server.conversions import queries_verification as conversions
from longmen_server.credentials import queries_verification as credentials
from longmen_server.donations import queries_verification as donations
from longmen_server.fxrates import queries_verification as fxrates
from longmen_server.kyc import queries_verification as kyc
from longmen_server.limit_orders import queries_verification as limit_orders
from longmen_server.limits import queries_verification as limits
from longmen_server.mandates import queries_verification as mandates
from longmen_server.offline import queries_verification as offline
from longmen_server.payer_codes import queries_verification as payer_codes
from longmen_server.payments import queries_orders_verification as orders
from longmen_server.payments import queries_verification as payments
from longmen_server.payouts import queries_verification as payouts
from longmen_server.positions import queries_verification as positions
from longmen_server.promotions import queries_verification as promotions
from longmen_server.recovery import queries_verification as recovery
from longmen_server.risk import queries_verification as risk
from longmen_server.riskcases import queries_verification as riskcases
from longmen_server.risklists import queries_verification as risklists
from longmen_server.riskrules import queries_verification as riskrules
from longmen_server.screening import queries_verification as screening
from longmen_server.settlements import queries_verification as settlements
from longmen_server.sharing import queries_verification as sharing
from longmen_server.shifts import queries_verification as shifts
from longmen_server.staff import queries_verification as staff
from longmen_server.stores import queries_verification as stores
from longmen_server.transfers import queries_verification as transfers
from longmen_server.webhooks import queries_verification as webhooks

CHECKS: Final = (
    *accounts.CHECKS,
    *kyc.CHECKS,
    *transfers.CHECKS,
    *payments.CHECKS,
    *orders.CHECKS,
    *payer_codes.CHECKS,
    *offline.CHECKS,
    *combined.CHECKS,
    *mandates.CHECKS,
    *billers.CHECKS,
    *donations.CHECKS,
    *settlements.CHECKS,
    *payouts.CHECKS,
    *sharing.CHECKS,
    *shifts.CHECKS,
    *stores.CHECKS,
    *staff.CHECKS,
    *credentials.CHECKS,
    *webhooks.CHECKS,
    *challenges.CHECKS,
    *recovery.CHECKS,
    *fxrates.CHECKS,
    *conversions.CHECKS,
    *positions.CHECKS,
    *promotions.CHECKS,
    *limit_orders.CHECKS,
    *auto_conversions.CHECKS,
    *riskrules.CHECKS,
    *risklists.CHECKS,
    *risk.CHECKS,
    *riskcases.CHECKS,
    *screening.CHECKS,
    *limits.CHECKS,
)
