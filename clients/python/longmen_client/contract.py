"""The contract as a whole: its services, and the service config for plain gRPC stubs."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from longmen.accounts.v1 import accounts_service_pb2
from longmen.admin.v1 import admin_service_pb2
from longmen.audit.v1 import audit_service_pb2
from longmen.credentials.v1 import credentials_service_pb2
from longmen.events.v1 import events_service_pb2
from longmen.fx.v1 import (
    conversions_service_pb2,
    limit_orders_service_pb2,
    positions_service_pb2,
    rates_service_pb2,
)
from longmen.identity.v1 import (
    challenge_service_pb2,
    device_service_pb2,
    email_service_pb2,
    factor_reset_service_pb2,
    factor_service_pb2,
    kyc_service_pb2,
    profile_service_pb2,
    registration_service_pb2,
    session_service_pb2,
)
from longmen.ledger.v1 import ledger_service_pb2
from longmen.limits.v1 import limits_service_pb2
from longmen.merchants.v1 import (
    cashiers_service_pb2,
    merchants_service_pb2,
    payouts_service_pb2,
    plans_service_pb2,
    settlements_service_pb2,
    shifts_service_pb2,
    stores_service_pb2,
    webhooks_service_pb2,
)
from longmen.payments.v1 import (
    authorizations_service_pb2,
    bills_service_pb2,
    combined_service_pb2,
    donations_service_pb2,
    mandates_service_pb2,
    offline_service_pb2,
    payer_codes_service_pb2,
    payments_service_pb2,
    sharing_service_pb2,
)
from longmen.risk.v1 import (
    cases_service_pb2,
    lists_service_pb2,
    risk_service_pb2,
    rules_service_pb2,
)
from longmen.staff.v1 import (
    approvals_service_pb2,
    staff_accounts_service_pb2,
    staff_service_pb2,
    staff_sessions_service_pb2,
)
from longmen.transfers.v1 import transfers_service_pb2
from longmen_client._service_config import service_config

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

__all__ = ["service_config_json", "services"]

_MODULES = (
    accounts_service_pb2,
    admin_service_pb2,
    approvals_service_pb2,
    audit_service_pb2,
    challenge_service_pb2,
    credentials_service_pb2,
    device_service_pb2,
    email_service_pb2,
    events_service_pb2,
    factor_reset_service_pb2,
    factor_service_pb2,
    kyc_service_pb2,
    ledger_service_pb2,
    merchants_service_pb2,
    staff_accounts_service_pb2,
    staff_service_pb2,
    staff_sessions_service_pb2,
    registration_service_pb2,
    session_service_pb2,
    payer_codes_service_pb2,
    payments_service_pb2,
    profile_service_pb2,
    bills_service_pb2,
    donations_service_pb2,
    mandates_service_pb2,
    sharing_service_pb2,
    combined_service_pb2,
    offline_service_pb2,
    authorizations_service_pb2,
    webhooks_service_pb2,
    settlements_service_pb2,
    shifts_service_pb2,
    stores_service_pb2,
    cashiers_service_pb2,
    payouts_service_pb2,
    plans_service_pb2,
    conversions_service_pb2,
    limit_orders_service_pb2,
    positions_service_pb2,
    limits_service_pb2,
    rates_service_pb2,
    lists_service_pb2,
    cases_service_pb2,
    risk_service_pb2,
    rules_service_pb2,
    transfers_service_pb2,
)
"""Every module of the contract that declares a service."""


def services() -> list[ServiceDescriptor]:
    """Every service of the contract."""
    return [
        service for module in _MODULES for service in module.DESCRIPTOR.services_by_name.values()
    ]


@lru_cache(maxsize=1)
def service_config_json() -> str:
    """The service config of the whole contract: pass it to a channel as ``grpc.service_config``.

    It gives each method its longest deadline and, where a repetition is safe, its retries.
    """
    return json.dumps(service_config(services()), separators=(",", ":"))
