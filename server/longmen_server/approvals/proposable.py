"""What can be proposed: for each kind of command its method and how it is built.

A new kind is a field of ProposedCommand, an entry here, and on its method `staff_needs_approval` or
`roles_need_approval`. A test holds the three together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf import descriptor_pool

from longmen_server.accounts.build import unfreeze_by_bank
from longmen_server.conversions.build import reverse_conversion
from longmen_server.credentials.build import (
    create_key,
    register_certificate,
    register_signing_key,
)
from longmen_server.fxrates.build import set_rate
from longmen_server.kyc.build import confirm_in_person
from longmen_server.ledger import build
from longmen_server.offline.agreeing import set_acceptance
from longmen_server.payouts.build import confirm_payout_account
from longmen_server.plans.build import set_plan
from longmen_server.promotions.build import create_promotion, end_promotion
from longmen_server.recovery.build import reset_factors
from longmen_server.risk.build import lift_freeze
from longmen_server.riskcases.build import close_case
from longmen_server.risklists.build import commit
from longmen_server.riskrules.build import promote, set_rollout, snooze
from longmen_server.sharing.receivers import confirm_receiver
from longmen_server.staff.build import create_staff, grant_staff, reset_staff, unlock_factors
from longmen_server.transport.method import read_method

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen.staff.v1 import approval_pb2
    from longmen_server.engine.command import Command
    from longmen_server.platform.clock import Clock
    from longmen_server.staff.model import Limits
    from longmen_server.transport.method import Method

__all__ = ["PROPOSABLE", "Desk", "Proposable", "command_of", "kind_of"]


class Desk(NamedTuple):
    """What commands are built with besides their requests."""

    clock: Clock
    """For ids and times."""
    book: int
    """Where accounts of staff are kept."""
    staff: Limits
    """Of staff."""
    rate_age_max_us: Callable[[int], int]
    """How old a rate may be, from what the price list says."""
    reset_cooling_us: int
    """How long a reset of a customer's factors cools."""


@dataclass(frozen=True)
class Proposable:
    """A kind of command that can be proposed."""

    method: str
    """The method whose request it is."""
    scope: str
    """The scope of that method, which maker and decider both need."""
    build: Callable[[Any, Desk], Command]
    """Makes the command from the request; it may refuse."""

    @property
    def roles(self) -> frozenset[str]:
        """Roles of staff that may propose and decide it: those that its method names."""
        return self._method.staff_roles

    @property
    def branch_field(self) -> str:
        """Field of the request that says whose customer it is about; empty where none does."""
        return self._method.branch_field

    @cached_property
    def _method(self) -> Method:
        name = self.method.replace("/", ".")
        return read_method(descriptor_pool.Default().FindMethodByName(name))


PROPOSABLE: Final[dict[str, Proposable]] = {
    "create_transaction": Proposable(
        "longmen.ledger.v1.LedgerService/CreateTransaction",
        "ledger.write",
        lambda request, desk: build.create_transaction(request, None, desk.clock),
    ),
    "reverse_transaction": Proposable(
        "longmen.ledger.v1.LedgerService/ReverseTransaction",
        "ledger.write",
        lambda request, desk: build.reverse_transaction(request, None, desk.clock),
    ),
    "set_account_state": Proposable(
        "longmen.ledger.v1.LedgerService/SetAccountState",
        "ledger.write",
        lambda request, _: build.set_account_state(request, None),
    ),
    "unfreeze_account": Proposable(
        "longmen.accounts.v1.AccountsService/UnfreezeAccount",
        "accounts.write",
        lambda request, _: unfreeze_by_bank(request),
    ),
    "lift_freeze": Proposable(
        "longmen.risk.v1.RiskService/LiftFreeze",
        "risk.lift",
        lambda request, _: lift_freeze(request),
    ),
    "close_case": Proposable(
        "longmen.risk.v1.CasesService/CloseCase",
        "cases.close",
        lambda request, desk: close_case(request, None, desk.clock),
    ),
    "unlock_factors": Proposable(
        "longmen.staff.v1.StaffService/UnlockFactors",
        "factors.unlock",
        lambda request, _: unlock_factors(request, None),
    ),
    "reset_factors": Proposable(
        "longmen.identity.v1.FactorResetsService/ResetFactors",
        "factors.reset",
        lambda request, desk: reset_factors(request, None, desk.reset_cooling_us),
    ),
    "set_plan": Proposable(
        "longmen.merchants.v1.PlansService/SetPlan",
        "merchants.plan",
        lambda request, desk: set_plan(request, None, desk.clock),
    ),
    "confirm_payout_account": Proposable(
        "longmen.merchants.v1.PayoutsService/ConfirmPayoutAccount",
        "payouts.confirm",
        lambda request, _: confirm_payout_account(request, None),
    ),
    "confirm_receiver": Proposable(
        "longmen.payments.v1.SharingService/ConfirmReceiver",
        "sharing.confirm",
        lambda request, _: confirm_receiver(request, None),
    ),
    "set_offline_acceptance": Proposable(
        "longmen.payments.v1.OfflineService/SetOfflineAcceptance",
        "offline.enable",
        lambda request, _: set_acceptance(request, None),
    ),
    "create_staff": Proposable(
        "longmen.staff.v1.StaffAccountsService/CreateStaff",
        "staff.write",
        lambda request, desk: create_staff(request, None, desk.clock, desk.book, desk.staff),
    ),
    "create_key": Proposable(
        "longmen.credentials.v1.CredentialsService/CreateKey",
        "keys.write",
        lambda request, desk: create_key(request, None, desk.clock, desk.book),
    ),
    "register_signing_key": Proposable(
        "longmen.credentials.v1.CredentialsService/RegisterSigningKey",
        "keys.write",
        lambda request, _: register_signing_key(request, None),
    ),
    "register_certificate": Proposable(
        "longmen.credentials.v1.CredentialsService/RegisterCertificate",
        "keys.write",
        lambda request, desk: register_certificate(request, None, desk.clock, desk.book),
    ),
    "grant_staff": Proposable(
        "longmen.staff.v1.StaffAccountsService/GrantStaff",
        "staff.write",
        lambda request, _: grant_staff(request, None),
    ),
    "reset_staff": Proposable(
        "longmen.staff.v1.StaffAccountsService/ResetStaff",
        "staff.write",
        lambda request, desk: reset_staff(request, None, desk.staff),
    ),
    "confirm_in_person": Proposable(
        "longmen.identity.v1.KycService/ConfirmInPerson",
        "kyc.confirm",
        lambda request, _: confirm_in_person(request, None),
    ),
    "set_fx_rate": Proposable(
        "longmen.fx.v1.RatesService/SetRate",
        "fx.rates",
        lambda request, desk: set_rate(
            request, None, desk.clock, book=request.book or desk.book, agreed=True
        ),
    ),
    "create_fx_promotion": Proposable(
        "longmen.fx.v1.RatesService/CreatePromotion",
        "fx.rates",
        lambda request, desk: create_promotion(
            request, None, desk.clock, book=request.book or desk.book
        ),
    ),
    "end_fx_promotion": Proposable(
        "longmen.fx.v1.RatesService/EndPromotion",
        "fx.rates",
        lambda request, _: end_promotion(request, None),
    ),
    "reverse_conversion": Proposable(
        "longmen.fx.v1.ConversionsService/ReverseConversion",
        "fx.reverse",
        lambda request, desk: reverse_conversion(request, None, desk.clock, desk.rate_age_max_us),
    ),
    "promote_rule_set": Proposable(
        "longmen.risk.v1.RulesService/PromoteRuleSet",
        "risk.rules",
        lambda request, desk: promote(request, None, desk.clock, agreed=True),
    ),
    "snooze_rule": Proposable(
        "longmen.risk.v1.RulesService/SnoozeRule",
        "risk.rules",
        lambda request, desk: snooze(request, None, desk.clock, book=request.book or desk.book),
    ),
    "set_rollout": Proposable(
        "longmen.risk.v1.RulesService/SetRollout",
        "risk.rules",
        lambda request, desk: set_rollout(
            request, None, desk.clock, book=request.book or desk.book
        ),
    ),
    "commit_list_import": Proposable(
        "longmen.risk.v1.ListsService/CommitListImport",
        "risk.lists",
        lambda request, _: commit(request, None),
    ),
}
"""By the name of the field of ProposedCommand."""


def kind_of(command: approval_pb2.ProposedCommand) -> Proposable:
    """Return what kind of command it is; the contract demands one."""
    name = command.WhichOneof("command")
    assert name is not None, "the contract demands a command"
    return PROPOSABLE[name]


def command_of(command: approval_pb2.ProposedCommand, desk: Desk) -> Command:
    """Return the command proposed, ready to be decided.

    Raises:
        Refusal: what the method itself would refuse before it decides.
    """
    name = command.WhichOneof("command")
    assert name is not None, "the contract demands a command"
    return PROPOSABLE[name].build(getattr(command, name), desk)
