"""A customer's first day with a phone: registers, sets factors up, pays, is locked out, is let in.

Every step goes through the public clients against a running server, and says what came of it.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from stdnum.cn import ric

from longmen.identity.v1 import factor_pb2, identity_pb2, kyc_service_pb2
from longmen.staff.v1 import approval_pb2, staff_service_pb2
from longmen_app import Session, Wallet
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_client import Client, LongmenError, Money
from longmen_client.device_key import DeviceKey
from longmen_client.errors import NeedsAuth
from longmen_client.ids import new_request_id
from longmen_server.messages.outbox import OUTBOX_FILE, read_outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from longmen.identity.v1 import challenge_pb2
    from longmen_app import Payment
    from longmen_client import Config

CURRENCY: Final = "CNY"
FIRST_FUNDS, MORE_FUNDS = Money(900_000, CURRENCY), Money(4_000_000, CURRENCY)
"""What a wallet known by its phone number may hold, and what is too much for it."""
SMALL: Final = Money(8_800, CURRENCY)
MEDIUM: Final = Money(66_600, CURRENCY)
LARGE: Final = Money(880_000, CURRENCY)
"""Amounts of the three bands of the step-up policy: nothing, one factor, two. The last is more than
a wallet known by its phone number may pay at once."""
PIN: Final = "835207"
WRONG_PINS: Final = ("835208", "835209", "835210")
"""As many as are taken before the PIN is not looked at any more."""
BANK_ACCOUNT: Final = "6222021234567894"
BIRTHDAY: Final = dt.date(1950, 1, 1)
DAYS: Final = 18_000
"""From when and for how many days the demonstration may be born."""
MESSAGE_S: Final = 20.0
POLL_S: Final = 0.05


def new_phone() -> str:
    """A mobile number that nobody has registered yet."""
    return f"+86138{secrets.randbelow(10**8):08d}"


class StoryError(Exception):
    """Something did not come as it has to."""


@dataclass(slots=True)
class Step:
    """One step and what came of it."""

    title: str
    result: str


@dataclass(kw_only=True)
class Story:
    """The day, step by step."""

    config: Config
    """How to reach the server as a service of the bank."""
    staff: Callable[[str], str]
    """Mints the token of a member of staff."""
    outbox: Path
    """The server's data folder, where the development outbox is."""
    tell: Callable[[Step], None]
    """Told of each step as it is done."""
    steps: list[Step] = field(default_factory=list)
    phone: str = field(default_factory=new_phone)
    device: DeviceKey = field(default_factory=DeviceKey.generate)
    authenticator: SoftwareAuthenticator = field(default_factory=SoftwareAuthenticator)

    def play(self) -> list[Step]:
        """Play all of it.

        Raises:
            StoryError: a step came out otherwise than it has to.
            LongmenError: the server refused what it must not refuse.
        """
        with (
            Client(self.config) as bank,
            Session(self.config, self.device, device_name="demonstration") as session,
        ):
            payee = Wallet.open(
                bank, phone_number=new_phone(), display_name="Corner Shop", currency_code=CURRENCY
            )
            self._register(session)
            wallet = Wallet(session.bank, session.customer_id, approver=self._prove)
            self._fund(bank, wallet, FIRST_FUNDS)
            self._set_factors_up(session, wallet)
            to = payee.account_id(CURRENCY)
            self._pay(wallet, to)
            self._identify(session, wallet, to)
            self._fund(bank, wallet, MORE_FUNDS)
            self._pay_once(wallet, to, LARGE, "pay a lot", factors=2)
            self._lock_and_unlock(session, wallet, to)
            session.sign_out()
            self._done("sign out", "the session and its tokens have ended")
            self._prove_the_books(bank)
        return self.steps

    def _done(self, title: str, result: str) -> None:
        step = Step(title, result)
        self.steps.append(step)
        self.tell(step)

    # -- registering ---------------------------------------------------------------------------

    def _register(self, session: Session) -> None:
        pending = session.start_registration(self.phone)
        code = self._code_sent()
        self._done("register by phone", f"a code of {len(code)} digits came by SMS")
        session.complete_registration(
            pending, code=code, display_name="Demonstration", currency_code=CURRENCY
        )
        self._done(
            "open wallet", f"{session.customer_id}, signed in on a device with a key of its own"
        )

    def _code_sent(self) -> str:
        """The code in the latest message to the phone, once it is delivered."""
        end = time.monotonic() + MESSAGE_S
        while time.monotonic() < end:
            texts = [
                one["text"]
                for one in read_outbox(self.outbox / OUTBOX_FILE)
                if one["recipient"] == self.phone
            ]
            for text in reversed(texts):
                digits = "".join(c if c.isdigit() else " " for c in text).split()
                code = next((word for word in digits if len(word) == 6), "")
                if code:
                    return code
            time.sleep(POLL_S)
        raise StoryError(f"no code came to the development outbox in {self.outbox}")

    def _fund(self, bank: Client, wallet: Wallet, amount: Money) -> None:
        bank.transfers.top_up(
            account_id=wallet.account_id(CURRENCY),
            amount=amount,
            bank_account="6222020200001234567",
        )
        self._done("top up", f"{wallet.balance(CURRENCY).available} available")

    # -- factors -------------------------------------------------------------------------------

    def _set_factors_up(self, session: Session, wallet: Wallet) -> None:
        factors = session.bank.factors
        factors.set_payment_pin(pin=PIN)
        self._done("set payment PIN", "six digits, hashed with a key that is not in the database")
        request_id = new_request_id()
        try:
            begun = factors.start_passkey(request_id=request_id)
        except NeedsAuth as needed:
            # Another factor is only added with one that is there.
            wallet.approve(needed)
            begun = factors.start_passkey(request_id=request_id)
        credential = self.authenticator.create(begun.message.options_json)
        factors.confirm_passkey(credential_json=credential, label="demonstration")
        self._done("enrol passkey", "made by a software authenticator, with user verification")

    def _prove(self, challenge: challenge_pb2.Challenge) -> factor_pb2.FactorProof:
        """Give what the challenge wants and does not have yet."""
        given = set(challenge.approved_methods)
        wanted = [method for method in challenge.methods if method not in given]
        if factor_pb2.FACTOR_KIND_PAYMENT_PIN in wanted:
            self._done("asked to approve", f"“{challenge.text}”: by PIN")
            return factor_pb2.FactorProof(payment_pin=PIN)
        if factor_pb2.FACTOR_KIND_PASSKEY in wanted:
            self._done("asked to approve", f"“{challenge.text}”: by passkey")
            assertion = self.authenticator.get(challenge.passkey_options_json)
            return factor_pb2.FactorProof(passkey_assertion_json=assertion)
        raise StoryError(f"the challenge wants {wanted}, which the demonstration does not have")

    # -- paying --------------------------------------------------------------------------------

    def _pay(self, wallet: Wallet, to: str) -> None:
        self._pay_once(wallet, to, SMALL, "pay somebody new", factors=1)
        self._pay_once(wallet, to, SMALL, "pay a little again", factors=0)
        self._pay_once(wallet, to, MEDIUM, "pay more", factors=1)

    def _pay_once(self, wallet: Wallet, to: str, amount: Money, title: str, factors: int) -> None:
        before = len(self.steps)
        paid = wallet.prepare(to, amount).confirm()
        asked = len(self.steps) - before
        if asked != factors:
            raise StoryError(f"{amount} took {asked} factors and not {factors}")
        self._done(
            title, f"{paid.amount}, approved {factors} times" if factors else f"{paid.amount}"
        )

    # -- known better --------------------------------------------------------------------------

    def _identify(self, session: Session, wallet: Wallet, to: str) -> None:
        """Rise from a phone number to a name, a document and a bank account."""
        refused = reason_of(wallet.prepare(to, LARGE))
        if refused != "SINGLE_LIMIT_EXCEEDED":
            raise StoryError(f"{LARGE} from a wallet of class 4 was answered {refused or 'yes'}")
        self._done("pay a lot too early", f"refused: {refused}")
        kyc = session.bank.kyc
        document = kyc_service_pb2.IdentityDocument(
            kind=identity_pb2.EVIDENCE_RESIDENT_ID, name="Demonstration", number=resident_id()
        )
        for target, evidence, given in (
            (3, kyc_service_pb2.SubmittedEvidence(document=document), "name and resident id"),
            (2, kyc_service_pb2.SubmittedEvidence(bank_account=BANK_ACCOUNT), "bank account"),
        ):
            kyc.submit_evidence(evidence=evidence)
            kyc.upgrade_kyc(identification_class=target)
            known = kyc.get_kyc().identification
            if known.identification_class != target:
                raise StoryError(f"the class is {known.identification_class} and not {target}")
            single = Money(known.limits.single.minor_units, CURRENCY)
            self._done(f"identify: class {target}", f"by {given}; up to {single} a payment")

    # -- locked out, and let in again ----------------------------------------------------------

    def _lock_and_unlock(self, session: Session, wallet: Wallet, to: str) -> None:
        before = wallet.balance(CURRENCY).available
        pins = iter(WRONG_PINS)

        def mistyped(_: challenge_pb2.Challenge) -> factor_pb2.FactorProof:
            return factor_pb2.FactorProof(payment_pin=next(pins))

        payment = Wallet(session.bank, session.customer_id, approver=mistyped).prepare(to, MEDIUM)
        for _ in WRONG_PINS:
            refused = reason_of(payment)
            if refused != "FACTOR_REJECTED":
                raise StoryError(f"a wrong PIN was answered {refused}")
        self._done("type three wrong PINs", "each refused: FACTOR_REJECTED")
        right = wallet.prepare(to, MEDIUM, request_id=payment.request_id)
        refused = reason_of(right)
        if refused != "FACTOR_REJECTED":
            raise StoryError(f"the PIN was looked at although it is locked: {refused}")
        self._done("type the right PIN", "refused as well: the PIN is locked")
        self._unlock(session.customer_id)
        right.confirm()
        after = wallet.balance(CURRENCY).available
        if before - after != MEDIUM:
            raise StoryError(f"the payment moved {before - after} and not {MEDIUM}")
        self._done("type the right PIN again", f"{MEDIUM} paid, once, under the same request id")

    def _unlock(self, customer_id: str) -> None:
        """Let one member of staff propose, and another one decide."""
        command = approval_pb2.ProposedCommand(
            unlock_factors=staff_service_pb2.UnlockFactorsRequest(
                # Not used: the decision has a request id of its own.
                request_id="00000000-0000-4000-8000-000000000000",
                customer_id=customer_id,
            )
        )
        with self._member("maker") as maker, self._member("checker") as checker:
            proposed = maker.approvals.propose_approval(
                command=command, reason_text="the customer was identified by phone"
            ).message.approval
            self._done("staff: propose to unlock", f"{proposed.approval_id} by {proposed.maker}")
            try:
                maker.approvals.approve_approval(
                    approval_id=proposed.approval_id, payload_hash=proposed.payload_hash
                )
            except LongmenError as error:
                self._done("staff: approve one's own", f"refused: {error.details.reason}")
            else:
                raise StoryError("a proposal was approved by who made it")
            shown = checker.approvals.get_approval(approval_id=proposed.approval_id).approval
            decided = checker.approvals.approve_approval(
                approval_id=shown.approval_id, payload_hash=shown.payload_hash
            ).message.approval
            self._done("staff: approve another's", f"unlocked by {decided.decider}")

    def _member(self, subject: str) -> Client:
        return Client(replace(self.config, token=self.staff(subject)))

    def _prove_the_books(self, bank: Client) -> None:
        if not bank.ledger.get_trial_balance().balanced:
            raise StoryError("the books do not balance")
        self._done("trial balance", "every currency balances")


def resident_id() -> str:
    """The number of a resident identity card that nobody has shown yet, most likely."""
    born = BIRTHDAY + dt.timedelta(secrets.randbelow(DAYS))
    number = f"110101{born:%Y%m%d}{secrets.randbelow(999) + 1:03d}"
    return number + ric.calc_check_digit(number + "0")


def reason_of(payment: Payment) -> str:
    """Why a payment is refused; empty when it is not."""
    try:
        payment.confirm()
    except LongmenError as error:
        return error.details.reason
    return ""
