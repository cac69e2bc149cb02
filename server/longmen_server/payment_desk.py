"""The part of the composition root that serves orders, payers' codes and cashiers' shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from longmen_server.billers.service import BillsService
from longmen_server.combined.service import CombinedOrdersService
from longmen_server.donations.service import DonationsService
from longmen_server.mandates.service import MandatesService
from longmen_server.offline.service import OfflineService
from longmen_server.payer_codes.desk import CodeDesk
from longmen_server.payer_codes.service import PayerCodesService
from longmen_server.payments.authorization_service import AuthorizationsService
from longmen_server.payments.receipts import ReceiptOffice
from longmen_server.payments.service import PaymentsService
from longmen_server.sharing.service import SharingService
from longmen_server.shifts.service import ShiftsService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longmen_server.challenges.office import StepUpOffice
    from longmen_server.config import Settings
    from longmen_server.platform.pii import Vault
    from longmen_server.platform.sealing import SecretKeys

__all__ = ["payment_services"]

PAYER_CODES: Final = "payer codes"
"""Purpose of the key that seals the secrets of devices that show codes."""

PAYER_CODE_REPLIES: Final = "payer code replies"
"""Purpose of the key that seals them in the records of their making."""


def payment_services(
    shared: Mapping[str, Any],
    *,
    secrets: SecretKeys,
    vault: Vault,
    settings: Settings,
    step_up: StepUpOffice,
) -> Mapping[str, object]:
    """The servicers of orders and payer codes, by their full names.

    Args:
        shared: what most servicers are made of: engine, readers, clock and tokens.
        secrets: gives the keys that secrets of devices are sealed with.
        vault: seals and opens what is personal.
        settings: limits.
        step_up: says what payers have to approve.
    """
    sealer = secrets.sealer(PAYER_CODES)
    desk = CodeDesk(sealer)
    receipts = ReceiptOffice(settings.accounts)
    without_tokens = {name: shared[name] for name in ("engine", "readers", "clock")}
    return {
        "longmen.payments.v1.PaymentsService": PaymentsService(
            **shared, settings=settings.payments, step_up=step_up, code_desk=desk
        ),
        "longmen.payments.v1.AuthorizationsService": AuthorizationsService(
            **without_tokens, step_up=step_up
        ),
        "longmen.payments.v1.MandatesService": MandatesService(**shared, step_up=step_up),
        "longmen.payments.v1.CombinedOrdersService": CombinedOrdersService(
            **without_tokens, step_up=step_up
        ),
        "longmen.payments.v1.SharingService": SharingService(**shared),
        "longmen.payments.v1.OfflineService": OfflineService(
            **shared, step_up=step_up, code_desk=desk
        ),
        "longmen.payments.v1.BillsService": BillsService(
            **shared,
            step_up=step_up,
            vault=vault,
            receipts=receipts,
            default_book=settings.books[0],
        ),
        "longmen.payments.v1.DonationsService": DonationsService(
            **shared, step_up=step_up, vault=vault, receipts=receipts
        ),
        "longmen.merchants.v1.ShiftsService": ShiftsService(**shared),
        "longmen.payments.v1.PayerCodesService": PayerCodesService(
            **without_tokens,
            settings=settings.payments,
            step_up=step_up,
            sealer=sealer,
            replies=secrets.sealer(PAYER_CODE_REPLIES),
        ),
    }
