"""Generated from longmen_app/_async/wallet.py by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from longmen.accounts.v1 import wallet_pb2
from longmen.identity.v1 import challenge_pb2, challenge_service_pb2
from longmen.limits.v1 import limit_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_app.limits import Explanation, Limit, OwnLimit
from longmen_app.model import Account, Balance, Movement, Statement, Transfer
from longmen_client.errors import NeedsAuth
from longmen_client.ids import RequestId, new_request_id
from longmen_client.specs import pay_account, pay_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from longmen.identity.v1 import factor_pb2
    from longmen.limits.v1 import limits_service_pb2
    from longmen.transfers.v1 import transfers_service_pb2
    from longmen_client._reply import Reply
    from longmen_client._sync.client import Client
    from longmen_client.money import Money

    Approver = Callable[[challenge_pb2.Challenge], factor_pb2.FactorProof]

_FORMATS = {
    "": wallet_pb2.STATEMENT_FORMAT_UNSPECIFIED,
    "json": wallet_pb2.STATEMENT_FORMAT_JSON,
    "csv": wallet_pb2.STATEMENT_FORMAT_CSV,
    "pdf": wallet_pb2.STATEMENT_FORMAT_PDF,
}
_DELAYS = {
    "": transfer_pb2.TRANSFER_DELAY_REAL_TIME,
    "two_hours": transfer_pb2.TRANSFER_DELAY_TWO_HOURS,
    "next_day": transfer_pb2.TRANSFER_DELAY_NEXT_DAY,
}


class Payment:
    """A payment that was looked up and waits for the customer's yes.

    Its request id is made before the question is put, so confirming twice (a double tap, a lost
    reply, an app that was restarted and kept `request_id`) pays once.
    """

    def __init__(
        self,
        wallet: Wallet,
        *,
        payer_account_id: str,
        payee: transfer_pb2.Payee,
        payee_name: str,
        amount: Money,
        delay: str,
        description: str,
        request_id: RequestId,
    ) -> None:
        self.payee_name = payee_name
        """Masked name to show to the payer."""
        self.amount = amount
        self.request_id = request_id
        """Keep it to be able to ask again after a restart."""
        self._wallet = wallet
        self._payer_account_id = payer_account_id
        self._payee = payee
        self._delay = _DELAYS[delay]
        self._delay_name = delay
        self._description = description

    def again(self) -> Payment:
        """Return the same payment anew, after one that was refused: refusals use request ids up."""
        return Payment(
            self._wallet,
            payer_account_id=self._payer_account_id,
            payee=self._payee,
            payee_name=self.payee_name,
            amount=self.amount,
            delay=self._delay_name,
            description=self._description,
            request_id=new_request_id(),
        )

    def confirm(self) -> Transfer:
        """Pay; where the bank asks for it, approve first with what the wallet's approver gives.

        Raises:
            NeedsAuth: the payment has to be approved, and the wallet has no approver.
            LongmenError: look at `outcome_unknown`; when it is true, confirm this payment again.
        """
        try:
            reply = self._send()
        except NeedsAuth as needed:
            self._wallet.approve(needed)
            reply = self._send()
        self._wallet.remember(reply.committed_at)
        return Transfer.from_proto(reply.message.transfer, replayed=reply.replayed)

    def _send(self) -> Reply[transfers_service_pb2.CreateTransferResponse]:
        """Send the payment, the same each time."""
        return self._wallet.bank.transfers.create_transfer(
            request_id=self.request_id,
            from_account_id=self._payer_account_id,
            payee=self._payee,
            amount=self.amount,
            delay=self._delay,
            description=self._description,
        )


class Wallet:
    """The wallet of one customer, by the customer's own token or for a customer by a service's.

    It reads what it wrote: every answer is at least as fresh as its last change.

    Args:
        bank: client to call by.
        customer_id: whose wallet; empty takes the customer of the client's token.
        approver: shows a challenge to the customer and returns the proof that was given, such as
            the payment PIN; it is asked again until the challenge has all factors it needs.
    """

    def __init__(
        self, bank: Client, customer_id: str = "", *, approver: Approver | None = None
    ) -> None:
        self.bank = bank
        self.customer_id = customer_id
        self._approver = approver
        self._account_ids: dict[str, str] = {}
        self._fresh = ""

    @classmethod
    def open(
        cls,
        bank: Client,
        *,
        phone_number: str,
        display_name: str,
        currency_code: str,
        nickname: str = "",
        request_id: str | None = None,
    ) -> Self:
        """Register a customer and open the first account. Takes the token of a service.

        Raises:
            LongmenError: such as PhoneNumberTaken.
        """
        reply = bank.accounts.open_wallet(
            phone_number=phone_number,
            display_name=display_name,
            currency_code=currency_code,
            nickname=nickname,
            request_id=request_id,
        )
        wallet = cls(bank, reply.message.wallet.customer_id)
        wallet.remember(reply.committed_at)
        wallet._account_ids[currency_code] = reply.message.account.account_id
        return wallet

    def remember(self, committed_at: str) -> None:
        """Let all later reads show at least this change."""
        self._fresh = committed_at or self._fresh

    def approve(self, needed: NeedsAuth) -> None:
        """Have the customer approve what a request was refused for; then it can be sent again.

        A code is sent to the phone of a customer who has nothing else to approve with.

        Raises:
            NeedsAuth: the same, where the wallet has no approver.
            LongmenError: such as FactorRejected or ChallengeExpired.
        """
        if self._approver is None:
            raise needed
        challenge_id = needed.metadata["challenge_id"]
        if needed.metadata["methods"] == "MESSAGE_CODE":
            self.bank.challenges.send_challenge_code(
                challenge_id=challenge_id, channel=challenge_service_pb2.CODE_CHANNEL_SMS
            )
        while True:
            # Shown anew for each factor: what a passkey signs is told by GetChallenge only.
            found = self.bank.challenges.get_challenge(challenge_id=challenge_id)
            if found.challenge.state != challenge_pb2.CHALLENGE_STATE_PENDING:
                return
            self.bank.challenges.approve_challenge(
                challenge_id=challenge_id, proof=self._approver(found.challenge)
            )

    def accounts(self) -> list[Account]:
        """Every account, in the order they were opened."""
        pager = self.bank.accounts.list_accounts(
            customer_id=self.customer_id, at_least_as_fresh=self._fresh
        )
        found = [Account.from_proto(one) for one in pager]
        self._account_ids = {one.currency_code: one.account_id for one in found}
        return found

    def account_id(self, currency_code: str) -> str:
        """The account in a currency.

        Raises:
            LookupError: the wallet has none.
        """
        if currency_code not in self._account_ids:
            self.accounts()
        try:
            return self._account_ids[currency_code]
        except KeyError:
            raise LookupError(f"the wallet has no account in {currency_code}") from None

    def open_pocket(
        self, currency_code: str, *, nickname: str = "", request_id: str | None = None
    ) -> Account:
        """Open an account in another currency.

        Raises:
            LongmenError: such as PocketExists.
        """
        reply = self.bank.accounts.open_account(
            customer_id=self.customer_id,
            currency_code=currency_code,
            nickname=nickname,
            request_id=request_id,
        )
        self.remember(reply.committed_at)
        account = Account.from_proto(reply.message.account)
        self._account_ids[currency_code] = account.account_id
        return account

    def balance(self, currency_code: str) -> Balance:
        """What the account in a currency has."""
        reply = self.bank.accounts.get_balance(
            account_id=self.account_id(currency_code), at_least_as_fresh=self._fresh
        )
        return Balance.from_proto(reply.balance)

    def watch(self, currency_code: str) -> Iterator[Balance]:
        """The balance now, and whenever it changes."""
        account_id = self.account_id(currency_code)
        with self.bank.accounts.watch_balance(account_id=account_id) as changes:
            for change in changes:
                yield Balance.from_proto(change.balance)

    def history(
        self,
        currency_code: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Iterable[wallet_pb2.MovementKind.ValueType] = (),
        text: str = "",
    ) -> Iterator[Movement]:
        """Movements of the account in a currency, newest first."""
        pager = self.bank.accounts.list_transactions(
            account_id=self.account_id(currency_code),
            from_time=since,
            to_time=until,
            kinds=kinds,
            text=text,
            at_least_as_fresh=self._fresh,
        )
        for movement in pager:
            yield Movement.from_proto(movement)

    def limits(self, currency_code: str) -> list[Limit]:
        """Every limit of the account in a currency, with what is left of it now."""
        reply = self.bank.limits.list_limits(
            account_id=self.account_id(currency_code), at_least_as_fresh=self._fresh
        )
        return [Limit.from_proto(one) for one in reply.limits]

    def explain(self, amount: Money, kind: str = "transfer") -> Explanation:
        """What limits would say of a movement that is not made.

        Args:
            amount: what would be paid, from the account in its currency.
            kind: one of transfer, withdrawal, payment, static_code_payment, payer_code_payment,
                mandate_charge and conversion.

        Raises:
            ValueError: no such kind.
        """
        reply = self.bank.limits.explain_limits(
            account_id=self.account_id(amount.currency_code),
            kind=limit_pb2.LimitedKind.Value(f"LIMITED_KIND_{kind.upper()}"),
            amount=amount,
            at_least_as_fresh=self._fresh,
        )
        return Explanation.from_proto(reply)

    def limit_spending(
        self, period: str, amount: Money | None, *, request_id: str | None = None
    ) -> OwnLimit:
        """Allow no more to be spent than an amount; a higher one, or None, is approved and waits.

        Args:
            period: single, day or year.
            amount: the most that may be spent; None for what the bank lets.
            request_id: of a change that was sent before and whose outcome is not known.

        Raises:
            NeedsAuth: the change has to be approved, and the wallet has no approver.
            ValueError: no such period.
        """
        chosen = request_id or new_request_id()
        wanted = limit_pb2.LimitPeriod.Value(f"LIMIT_PERIOD_{period.upper()}")

        def send() -> Reply[limits_service_pb2.SetOwnLimitResponse]:
            return self.bank.limits.set_own_limit(
                period=wanted, customer_id=self.customer_id, amount=amount, request_id=chosen
            )

        try:
            reply = send()
        except NeedsAuth as needed:
            self.approve(needed)
            reply = send()
        self.remember(reply.committed_at)
        return OwnLimit.from_proto(reply.message.own_limit)

    def prepare(
        self,
        to: str,
        amount: Money,
        *,
        description: str = "",
        delay: str = "",
        request_id: RequestId | None = None,
    ) -> Payment:
        """Look a payee up, for the customer to confirm.

        Args:
            to: phone number in E.164 form, or an account id.
            amount: what to pay, from the account in its currency.
            description: text for both sides.
            delay: empty pays at once; `two_hours` and `next_day` can be cancelled until then.
            request_id: of a payment that was prepared before and whose outcome is not known.

        Raises:
            LongmenError: such as PayeeNotFound.
            LookupError: the wallet has no account in the currency.
            ValueError: no such delay.
        """
        if delay not in _DELAYS:
            raise ValueError(f"a payment is delayed by two_hours or next_day, not {delay}")
        payee = pay_account(to) if to.startswith("acct_") else pay_phone(to)
        payer = self.account_id(amount.currency_code)
        found = self.bank.transfers.lookup_payee(payee=payee, currency_code=amount.currency_code)
        return Payment(
            self,
            payer_account_id=payer,
            payee=payee,
            payee_name=found.masked_name,
            amount=amount,
            delay=delay,
            description=description,
            request_id=request_id or new_request_id(),
        )

    def cancel(self, transfer_id: str, *, request_id: str | None = None) -> Transfer:
        """Take a delayed payment back.

        Raises:
            LongmenError: such as TransferAlreadyCompleted.
        """
        reply = self.bank.transfers.cancel_transfer(transfer_id=transfer_id, request_id=request_id)
        self.remember(reply.committed_at)
        return Transfer.from_proto(reply.message.transfer, replayed=reply.replayed)

    def top_up(
        self, amount: Money, *, bank_account: str, request_id: str | None = None
    ) -> Transfer:
        """Bring money from a bank account into the wallet."""
        reply = self.bank.transfers.top_up(
            account_id=self.account_id(amount.currency_code),
            amount=amount,
            bank_account=bank_account,
            request_id=request_id,
        )
        self.remember(reply.committed_at)
        return Transfer.from_proto(reply.message.transfer, replayed=reply.replayed)

    def withdraw(
        self, amount: Money, *, bank_account: str, request_id: str | None = None
    ) -> Transfer:
        """Send money from the wallet to a bank account; approved as `Payment.confirm` is."""
        account_id = self.account_id(amount.currency_code)
        chosen = request_id or new_request_id()

        def send() -> Reply[transfers_service_pb2.WithdrawResponse]:
            return self.bank.transfers.withdraw(
                account_id=account_id,
                amount=amount,
                bank_account=bank_account,
                request_id=chosen,
            )

        try:
            reply = send()
        except NeedsAuth as needed:
            self.approve(needed)
            reply = send()
        self.remember(reply.committed_at)
        return Transfer.from_proto(reply.message.transfer, replayed=reply.replayed)

    def statement(
        self, currency_code: str, year: int, month: int, *, document: str = ""
    ) -> Statement:
        """The statement of a month, with a document when a format is given: json, csv or pdf.

        Raises:
            LongmenError: such as StatementMonthInvalid.
            ValueError: no such format.
        """
        if document not in _FORMATS:
            raise ValueError(f"statements come as json, csv or pdf, not {document}")
        reply = self.bank.accounts.get_statement(
            account_id=self.account_id(currency_code),
            year=year,
            month=month,
            format=_FORMATS[document],
            at_least_as_fresh=self._fresh,
        )
        return Statement.from_proto(reply)
