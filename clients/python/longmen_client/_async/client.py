"""The client."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from grpc_health.v1 import health_pb2

from longmen_client._async.caller import AsyncCaller
from longmen_client._config import Config
from longmen_client._errors import LongmenError
from longmen_client._generated.accounts_async import AsyncAccounts
from longmen_client._generated.admin_async import AsyncAdmin
from longmen_client._generated.approvals_async import AsyncApprovals
from longmen_client._generated.audit_async import AsyncAudit
from longmen_client._generated.authorizations_async import AsyncAuthorizations
from longmen_client._generated.bills_async import AsyncBills
from longmen_client._generated.cases_async import AsyncCases
from longmen_client._generated.cashiers_async import AsyncCashiers
from longmen_client._generated.challenges_async import AsyncChallenges
from longmen_client._generated.combined_orders_async import AsyncCombinedOrders
from longmen_client._generated.conversions_async import AsyncConversions
from longmen_client._generated.credentials_async import AsyncCredentials
from longmen_client._generated.devices_async import AsyncDevices
from longmen_client._generated.donations_async import AsyncDonations
from longmen_client._generated.emails_async import AsyncEmails
from longmen_client._generated.events_async import AsyncEvents
from longmen_client._generated.factor_resets_async import AsyncFactorResets
from longmen_client._generated.factors_async import AsyncFactors
from longmen_client._generated.kyc_async import AsyncKyc
from longmen_client._generated.ledger_async import AsyncLedger
from longmen_client._generated.limit_orders_async import AsyncLimitOrders
from longmen_client._generated.limits_async import AsyncLimits
from longmen_client._generated.lists_async import AsyncLists
from longmen_client._generated.mandates_async import AsyncMandates
from longmen_client._generated.merchants_async import AsyncMerchants
from longmen_client._generated.offline_async import AsyncOffline
from longmen_client._generated.payer_codes_async import AsyncPayerCodes
from longmen_client._generated.payments_async import AsyncPayments
from longmen_client._generated.payouts_async import AsyncPayouts
from longmen_client._generated.plans_async import AsyncPlans
from longmen_client._generated.positions_async import AsyncPositions
from longmen_client._generated.profile_async import AsyncProfile
from longmen_client._generated.rates_async import AsyncRates
from longmen_client._generated.registration_async import AsyncRegistration
from longmen_client._generated.risk_async import AsyncRisk
from longmen_client._generated.rules_async import AsyncRules
from longmen_client._generated.sessions_async import AsyncSessions
from longmen_client._generated.settlements_async import AsyncSettlements
from longmen_client._generated.sharing_async import AsyncSharing
from longmen_client._generated.shifts_async import AsyncShifts
from longmen_client._generated.staff_accounts_async import AsyncStaffAccounts
from longmen_client._generated.staff_async import AsyncStaff
from longmen_client._generated.staff_sessions_async import AsyncStaffSessions
from longmen_client._generated.stores_async import AsyncStores
from longmen_client._generated.transfers_async import AsyncTransfers
from longmen_client._generated.webhooks_async import AsyncWebhooks
from longmen_client._methods import HEALTH_CHECK
from longmen_client._transport_async import AsyncTransport

if TYPE_CHECKING:
    from types import TracebackType


class AsyncClient:
    """A client of Longmen. Make one for each program and share it.

        async with AsyncClient(Config(target="127.0.0.1:50051", token=token)) as bank:
            opened = await bank.accounts.open_wallet(
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
        self._transport = AsyncTransport(self.config)
        self._caller = AsyncCaller(self.config, self._transport)

    @cached_property
    def accounts(self) -> AsyncAccounts:
        """Wallets, their accounts, history and statements."""
        return AsyncAccounts(self._caller)

    @cached_property
    def admin(self) -> AsyncAdmin:
        """Settings, statistics, the test clock and the proof of the books."""
        return AsyncAdmin(self._caller)

    @cached_property
    def approvals(self) -> AsyncApprovals:
        """What one member of staff proposes and another one decides."""
        return AsyncApprovals(self._caller)

    @cached_property
    def audit(self) -> AsyncAudit:
        """Who asked for what."""
        return AsyncAudit(self._caller)

    @cached_property
    def challenges(self) -> AsyncChallenges:
        """What a customer is asked to approve."""
        return AsyncChallenges(self._caller)

    @cached_property
    def credentials(self) -> AsyncCredentials:
        """API keys of merchants and of the bank's own systems."""
        return AsyncCredentials(self._caller)

    @cached_property
    def devices(self) -> AsyncDevices:
        """Which devices may speak for a customer."""
        return AsyncDevices(self._caller)

    @cached_property
    def emails(self) -> AsyncEmails:
        """Proving the e-mail addresses of customers."""
        return AsyncEmails(self._caller)

    @cached_property
    def profile(self) -> AsyncProfile:
        """What the bank keeps of a customer's person: seeing, changing, exporting, erasing it."""
        return AsyncProfile(self._caller)

    @cached_property
    def registration(self) -> AsyncRegistration:
        """How somebody with a phone becomes a customer."""
        return AsyncRegistration(self._caller)

    @cached_property
    def sessions(self) -> AsyncSessions:
        """Signing in, staying signed in, signing out."""
        return AsyncSessions(self._caller)

    @cached_property
    def events(self) -> AsyncEvents:
        """Every committed change, in order."""
        return AsyncEvents(self._caller)

    @cached_property
    def factor_resets(self) -> AsyncFactorResets:
        """What the bank does for customers who have lost what they prove themselves with."""
        return AsyncFactorResets(self._caller)

    @cached_property
    def factors(self) -> AsyncFactors:
        """What customers prove themselves with."""
        return AsyncFactors(self._caller)

    @cached_property
    def kyc(self) -> AsyncKyc:
        """How well the bank knows its customers, and what that permits."""
        return AsyncKyc(self._caller)

    @cached_property
    def ledger(self) -> AsyncLedger:
        """The double-entry ledger itself."""
        return AsyncLedger(self._caller)

    @cached_property
    def merchants(self) -> AsyncMerchants:
        """Merchants and their terminals."""
        return AsyncMerchants(self._caller)

    @cached_property
    def staff(self) -> AsyncStaff:
        """What the bank does for customers who cannot help themselves."""
        return AsyncStaff(self._caller)

    @cached_property
    def payer_codes(self) -> AsyncPayerCodes:
        """Codes that a customer's device shows and tills scan."""
        return AsyncPayerCodes(self._caller)

    @cached_property
    def staff_accounts(self) -> AsyncStaffAccounts:
        """Who works at the bank, and as what."""
        return AsyncStaffAccounts(self._caller)

    @cached_property
    def staff_sessions(self) -> AsyncStaffSessions:
        """How staff sign in."""
        return AsyncStaffSessions(self._caller)

    @cached_property
    def shifts(self) -> AsyncShifts:
        """Who works at which till, and what it has taken."""
        return AsyncShifts(self._caller)

    @cached_property
    def stores(self) -> AsyncStores:
        """Merchants' shops, and the tills in them."""
        return AsyncStores(self._caller)

    @cached_property
    def cashiers(self) -> AsyncCashiers:
        """Who works at merchants' tills."""
        return AsyncCashiers(self._caller)

    @cached_property
    def payments(self) -> AsyncPayments:
        """Merchants' orders, their codes, payments and refunds."""
        return AsyncPayments(self._caller)

    @cached_property
    def plans(self) -> AsyncPlans:
        """What merchants pay, and when they are settled."""
        return AsyncPlans(self._caller)

    @cached_property
    def payouts(self) -> AsyncPayouts:
        """What goes to merchants' bank accounts."""
        return AsyncPayouts(self._caller)

    @cached_property
    def sharing(self) -> AsyncSharing:
        """What merchants pass on of their sales."""
        return AsyncSharing(self._caller)

    @cached_property
    def settlements(self) -> AsyncSettlements:
        """What merchants are paid out, and their bills."""
        return AsyncSettlements(self._caller)

    @cached_property
    def webhooks(self) -> AsyncWebhooks:
        """Where merchants are told what happens."""
        return AsyncWebhooks(self._caller)

    @cached_property
    def authorizations(self) -> AsyncAuthorizations:
        """Money held for orders, and taken later."""
        return AsyncAuthorizations(self._caller)

    @cached_property
    def rates(self) -> AsyncRates:
        """What currencies are worth."""
        return AsyncRates(self._caller)

    @cached_property
    def risk(self) -> AsyncRisk:
        """What was decided about movements of money, and whom it stopped."""
        return AsyncRisk(self._caller)

    @cached_property
    def cases(self) -> AsyncCases:
        """Cases of risk: looked at, noted on, closed by two people."""
        return AsyncCases(self._caller)

    @cached_property
    def mandates(self) -> AsyncMandates:
        """What merchants may charge by themselves."""
        return AsyncMandates(self._caller)

    @cached_property
    def combined_orders(self) -> AsyncCombinedOrders:
        """Orders of several merchants that are paid together."""
        return AsyncCombinedOrders(self._caller)

    @cached_property
    def offline(self) -> AsyncOffline:
        """What tills have sold without a network."""
        return AsyncOffline(self._caller)

    @cached_property
    def bills(self) -> AsyncBills:
        """Bills that billers send, and customers pay."""
        return AsyncBills(self._caller)

    @cached_property
    def donations(self) -> AsyncDonations:
        """Gifts to charities, and their receipts."""
        return AsyncDonations(self._caller)

    @cached_property
    def limits(self) -> AsyncLimits:
        """What binds movements of money, and what is left."""
        return AsyncLimits(self._caller)

    @cached_property
    def conversions(self) -> AsyncConversions:
        """Exchanges of currencies: offered, executed, listed."""
        return AsyncConversions(self._caller)

    @cached_property
    def limit_orders(self) -> AsyncLimitOrders:
        """What waits for a rate: alerts and limit orders."""
        return AsyncLimitOrders(self._caller)

    @cached_property
    def positions(self) -> AsyncPositions:
        """What the bank holds of each currency."""
        return AsyncPositions(self._caller)

    @cached_property
    def rules(self) -> AsyncRules:
        """Rules of risk: drafted, tried in shadow, promoted, silenced."""
        return AsyncRules(self._caller)

    @cached_property
    def lists(self) -> AsyncLists:
        """Lists of risk: imported and looked into."""
        return AsyncLists(self._caller)

    @cached_property
    def transfers(self) -> AsyncTransfers:
        """Money between people, and in and out of the wallet."""
        return AsyncTransfers(self._caller)

    async def is_serving(self, service: str = "") -> bool:
        """Whether the server, or one of its services by full name, is ready for calls."""
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            reply = await self._caller.ask(HEALTH_CHECK, request, None)
        except LongmenError:
            return False
        serving: bool = reply.status == health_pb2.HealthCheckResponse.SERVING
        return serving

    async def aclose(self) -> None:
        """Close every connection; calls under way are cancelled."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
