"""Generated from longmen_client/_async/client.py by scripts/gen. Do not edit."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from grpc_health.v1 import health_pb2

from longmen_client._config import Config
from longmen_client._errors import LongmenError
from longmen_client._generated.accounts_sync import Accounts
from longmen_client._generated.admin_sync import Admin
from longmen_client._generated.approvals_sync import Approvals
from longmen_client._generated.audit_sync import Audit
from longmen_client._generated.authorizations_sync import Authorizations
from longmen_client._generated.bills_sync import Bills
from longmen_client._generated.cases_sync import Cases
from longmen_client._generated.cashiers_sync import Cashiers
from longmen_client._generated.challenges_sync import Challenges
from longmen_client._generated.combined_orders_sync import CombinedOrders
from longmen_client._generated.conversions_sync import Conversions
from longmen_client._generated.credentials_sync import Credentials
from longmen_client._generated.devices_sync import Devices
from longmen_client._generated.donations_sync import Donations
from longmen_client._generated.emails_sync import Emails
from longmen_client._generated.events_sync import Events
from longmen_client._generated.factor_resets_sync import FactorResets
from longmen_client._generated.factors_sync import Factors
from longmen_client._generated.kyc_sync import Kyc
from longmen_client._generated.ledger_sync import Ledger
from longmen_client._generated.limit_orders_sync import LimitOrders
from longmen_client._generated.limits_sync import Limits
from longmen_client._generated.lists_sync import Lists
from longmen_client._generated.mandates_sync import Mandates
from longmen_client._generated.merchants_sync import Merchants
from longmen_client._generated.offline_sync import Offline
from longmen_client._generated.payer_codes_sync import PayerCodes
from longmen_client._generated.payments_sync import Payments
from longmen_client._generated.payouts_sync import Payouts
from longmen_client._generated.plans_sync import Plans
from longmen_client._generated.positions_sync import Positions
from longmen_client._generated.profile_sync import Profile
from longmen_client._generated.rates_sync import Rates
from longmen_client._generated.registration_sync import Registration
from longmen_client._generated.risk_sync import Risk
from longmen_client._generated.rules_sync import Rules
from longmen_client._generated.sessions_sync import Sessions
from longmen_client._generated.settlements_sync import Settlements
from longmen_client._generated.sharing_sync import Sharing
from longmen_client._generated.shifts_sync import Shifts
from longmen_client._generated.staff_accounts_sync import StaffAccounts
from longmen_client._generated.staff_sessions_sync import StaffSessions
from longmen_client._generated.staff_sync import Staff
from longmen_client._generated.stores_sync import Stores
from longmen_client._generated.transfers_sync import Transfers
from longmen_client._generated.webhooks_sync import Webhooks
from longmen_client._methods import HEALTH_CHECK
from longmen_client._sync.caller import Caller
from longmen_client._transport_sync import Transport

if TYPE_CHECKING:
    from types import TracebackType


class Client:
    """A client of Longmen. Make one for each program and share it.

        with Client(Config(target="127.0.0.1:50051", token=token)) as bank:
            opened = bank.accounts.open_wallet(
                phone_number="+8613800138000", display_name="Li Ming", currency_code="CNY"
            )

    Methods that change something mint a request id when they are given none, keep it over every
    retry and answer with a `Reply`. Reads answer with the contract's message, lists with a pager,
    watches and exports with a stream.

    Args:
        config: how to reach the server; by default a server on this machine, without a token.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self._transport = Transport(self.config)
        self._caller = Caller(self.config, self._transport)

    @cached_property
    def accounts(self) -> Accounts:
        """Wallets, their accounts, history and statements."""
        return Accounts(self._caller)

    @cached_property
    def admin(self) -> Admin:
        """Settings, statistics, the test clock and the proof of the books."""
        return Admin(self._caller)

    @cached_property
    def approvals(self) -> Approvals:
        """What one member of staff proposes and another one decides."""
        return Approvals(self._caller)

    @cached_property
    def audit(self) -> Audit:
        """Who asked for what."""
        return Audit(self._caller)

    @cached_property
    def challenges(self) -> Challenges:
        """What a customer is asked to approve."""
        return Challenges(self._caller)

    @cached_property
    def credentials(self) -> Credentials:
        """API keys of merchants and of the bank's own systems."""
        return Credentials(self._caller)

    @cached_property
    def devices(self) -> Devices:
        """Which devices may speak for a customer."""
        return Devices(self._caller)

    @cached_property
    def emails(self) -> Emails:
        """Proving the e-mail addresses of customers."""
        return Emails(self._caller)

    @cached_property
    def profile(self) -> Profile:
        """What the bank keeps of a customer's person: seeing, changing, exporting, erasing it."""
        return Profile(self._caller)

    @cached_property
    def registration(self) -> Registration:
        """How somebody with a phone becomes a customer."""
        return Registration(self._caller)

    @cached_property
    def sessions(self) -> Sessions:
        """Signing in, staying signed in, signing out."""
        return Sessions(self._caller)

    @cached_property
    def events(self) -> Events:
        """Every committed change, in order."""
        return Events(self._caller)

    @cached_property
    def factor_resets(self) -> FactorResets:
        """What the bank does for customers who have lost what they prove themselves with."""
        return FactorResets(self._caller)

    @cached_property
    def factors(self) -> Factors:
        """What customers prove themselves with."""
        return Factors(self._caller)

    @cached_property
    def kyc(self) -> Kyc:
        """How well the bank knows its customers, and what that permits."""
        return Kyc(self._caller)

    @cached_property
    def ledger(self) -> Ledger:
        """The double-entry ledger itself."""
        return Ledger(self._caller)

    @cached_property
    def merchants(self) -> Merchants:
        """Merchants and their terminals."""
        return Merchants(self._caller)

    @cached_property
    def staff(self) -> Staff:
        """What the bank does for customers who cannot help themselves."""
        return Staff(self._caller)

    @cached_property
    def payer_codes(self) -> PayerCodes:
        """Codes that a customer's device shows and tills scan."""
        return PayerCodes(self._caller)

    @cached_property
    def staff_accounts(self) -> StaffAccounts:
        """Who works at the bank, and as what."""
        return StaffAccounts(self._caller)

    @cached_property
    def staff_sessions(self) -> StaffSessions:
        """How staff sign in."""
        return StaffSessions(self._caller)

    @cached_property
    def shifts(self) -> Shifts:
        """Who works at which till, and what it has taken."""
        return Shifts(self._caller)

    @cached_property
    def stores(self) -> Stores:
        """Merchants' shops, and the tills in them."""
        return Stores(self._caller)

    @cached_property
    def cashiers(self) -> Cashiers:
        """Who works at merchants' tills."""
        return Cashiers(self._caller)

    @cached_property
    def payments(self) -> Payments:
        """Merchants' orders, their codes, payments and refunds."""
        return Payments(self._caller)

    @cached_property
    def plans(self) -> Plans:
        """What merchants pay, and when they are settled."""
        return Plans(self._caller)

    @cached_property
    def payouts(self) -> Payouts:
        """What goes to merchants' bank accounts."""
        return Payouts(self._caller)

    @cached_property
    def sharing(self) -> Sharing:
        """What merchants pass on of their sales."""
        return Sharing(self._caller)

    @cached_property
    def settlements(self) -> Settlements:
        """What merchants are paid out, and their bills."""
        return Settlements(self._caller)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Where merchants are told what happens."""
        return Webhooks(self._caller)

    @cached_property
    def authorizations(self) -> Authorizations:
        """Money held for orders, and taken later."""
        return Authorizations(self._caller)

    @cached_property
    def rates(self) -> Rates:
        """What currencies are worth."""
        return Rates(self._caller)

    @cached_property
    def risk(self) -> Risk:
        """What was decided about movements of money, and whom it stopped."""
        return Risk(self._caller)

    @cached_property
    def cases(self) -> Cases:
        """Cases of risk: looked at, noted on, closed by two people."""
        return Cases(self._caller)

    @cached_property
    def mandates(self) -> Mandates:
        """What merchants may charge by themselves."""
        return Mandates(self._caller)

    @cached_property
    def combined_orders(self) -> CombinedOrders:
        """Orders of several merchants that are paid together."""
        return CombinedOrders(self._caller)

    @cached_property
    def offline(self) -> Offline:
        """What tills have sold without a network."""
        return Offline(self._caller)

    @cached_property
    def bills(self) -> Bills:
        """Bills that billers send, and customers pay."""
        return Bills(self._caller)

    @cached_property
    def donations(self) -> Donations:
        """Gifts to charities, and their receipts."""
        return Donations(self._caller)

    @cached_property
    def limits(self) -> Limits:
        """What binds movements of money, and what is left."""
        return Limits(self._caller)

    @cached_property
    def conversions(self) -> Conversions:
        """Exchanges of currencies: offered, executed, listed."""
        return Conversions(self._caller)

    @cached_property
    def limit_orders(self) -> LimitOrders:
        """What waits for a rate: alerts and limit orders."""
        return LimitOrders(self._caller)

    @cached_property
    def positions(self) -> Positions:
        """What the bank holds of each currency."""
        return Positions(self._caller)

    @cached_property
    def rules(self) -> Rules:
        """Rules of risk: drafted, tried in shadow, promoted, silenced."""
        return Rules(self._caller)

    @cached_property
    def lists(self) -> Lists:
        """Lists of risk: imported and looked into."""
        return Lists(self._caller)

    @cached_property
    def transfers(self) -> Transfers:
        """Money between people, and in and out of the wallet."""
        return Transfers(self._caller)

    def is_serving(self, service: str = "") -> bool:
        """Whether the server, or one of its services by full name, is ready for calls."""
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            reply = self._caller.ask(HEALTH_CHECK, request, None)
        except LongmenError:
            return False
        serving: bool = reply.status == health_pb2.HealthCheckResponse.SERVING
        return serving

    def close(self) -> None:
        """Close every connection; calls under way are cancelled."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
