"""Who plays in the demonstration of risk: customers with phones, a thief, and the bank's staff."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

from longmen.identity.v1 import factor_pb2, identity_pb2, kyc_service_pb2
from longmen_app import Protection, Session, Wallet
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_client import Client, LongmenError, Money
from longmen_client.device_key import DeviceKey
from longmen_client.errors import NeedsAuth
from longmen_client.ids import new_request_id
from longmen_server.demo.identity import Step, StoryError, new_phone, resident_id
from longmen_server.messages.outbox import OUTBOX_FILE, read_outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from longmen.identity.v1 import challenge_pb2
    from longmen.staff.v1 import approval_pb2
    from longmen_client import Config
    from longmen_client.ids import RequestId

R = TypeVar("R")

__all__ = ["CURRENCY", "Customer", "Stage", "yuan"]

CURRENCY: Final = "CNY"
BANK_ACCOUNT: Final = "6222020200001234567"
OWN_BANK_ACCOUNT: Final = "6222021234567894"
ZONE: Final = ZoneInfo("Asia/Shanghai")
WAIT_S: Final = 30.0
"""How long the server may take for what it does by itself."""
POLL_S: Final = 0.05


def yuan(amount: int) -> Money:
    """So many yuan."""
    return Money(amount * 100, CURRENCY)


@dataclass(kw_only=True)
class Stage:
    """What all acts share: the server, its clock, the staff, the messages that were sent."""

    config: Config
    """How to reach the server as a service of the bank."""
    bank: Client
    """Calls as that service."""
    staff: Callable[[str], str]
    """Mints the token of a member of staff."""
    outbox: Path
    """The server's data folder, where the development outbox is."""
    tell: Callable[[Step], None]
    """Told of each step as it is done."""
    steps: list[Step] = field(default_factory=list)

    def done(self, title: str, result: str) -> None:
        """Tell a step."""
        step = Step(title, result)
        self.steps.append(step)
        self.tell(step)

    def check(self, holds: bool, problem: str) -> None:  # noqa: FBT001 - it reads like assert
        """Say that something has not come as it has to.

        Raises:
            StoryError: it does not hold.
        """
        if not holds:
            raise StoryError(problem)

    def refused(self, ask: Callable[[], object], reason: str) -> LongmenError:
        """Return the refusal that has to come.

        Raises:
            StoryError: it was answered, or refused for something else.
        """
        try:
            ask()
        except LongmenError as error:
            self.check(
                error.details.reason == reason,
                f"{error.details.reason} came, not {reason}: {error}",
            )
            return error
        raise StoryError(f"{reason} did not come")

    def until_refused(self, ask: Callable[[], object]) -> str:
        """Ask until it is refused, and return the reason: workers look at sessions now and then.

        Raises:
            StoryError: it is answered on and on.
        """
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                ask()
            except LongmenError as error:
                return error.details.reason
            time.sleep(POLL_S)
        raise StoryError("what has to end goes on")

    # -- time ----------------------------------------------------------------------------------

    def now(self) -> dt.datetime:
        """The server's time."""
        return self.bank.admin.get_clock().time.ToDatetime(dt.UTC)

    def pass_by(self, span: dt.timedelta) -> None:
        """Let some time pass."""
        self.bank.admin.set_clock(time=self.now() + span)

    def wait_for(self, at: dt.time) -> None:
        """Move on to the next time of day, where the bank is."""
        now = self.now().astimezone(ZONE)
        then = dt.datetime.combine(now.date(), at, tzinfo=ZONE)
        self.bank.admin.set_clock(time=then if then > now else then + dt.timedelta(days=1))

    # -- messages ------------------------------------------------------------------------------

    def message(self, phone: str, *words: str) -> str:
        """The latest message to a phone with all of some words in it, once it is delivered.

        Raises:
            StoryError: none came.
        """
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            for one in reversed(list(read_outbox(self.outbox / OUTBOX_FILE))):
                if one["recipient"] == phone and all(word in one["text"] for word in words):
                    return str(one["text"])
            time.sleep(POLL_S)
        raise StoryError(f"no message with {words} came to the outbox in {self.outbox}")

    def code(self, phone: str, before: int) -> str:
        """The code in the message to a phone after so many.

        Raises:
            StoryError: none came.
        """
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            texts = self._texts(phone)
            for text in texts[before:]:
                digits = "".join(c if c.isdigit() else " " for c in text).split()
                code = next((word for word in digits if len(word) == 6), "")
                if code:
                    return code
            time.sleep(POLL_S)
        raise StoryError(f"no code came to the development outbox in {self.outbox}")

    def sent(self, phone: str) -> int:
        """How many messages were sent to a phone."""
        return len(self._texts(phone))

    def _texts(self, phone: str) -> list[str]:
        found = read_outbox(self.outbox / OUTBOX_FILE)
        return [one["text"] for one in found if one["recipient"] == phone]

    # -- the bank ------------------------------------------------------------------------------

    def member(self, subject: str) -> Client:
        """A member of staff."""
        return Client(replace(self.config, token=self.staff(subject)))

    def by_two(self, command: approval_pb2.ProposedCommand, why: str) -> tuple[str, str]:
        """Let one member of staff propose and another one approve; gives who they are.

        Raises:
            StoryError: the one who proposed could approve as well.
        """
        with self.member("ines") as maker, self.member("omar") as checker:
            proposed = maker.approvals.propose_approval(
                command=command, reason_text=why
            ).message.approval
            self.refused(
                lambda: maker.approvals.approve_approval(
                    approval_id=proposed.approval_id, payload_hash=proposed.payload_hash
                ),
                "APPROVAL_BY_MAKER",
            )
            shown = checker.approvals.get_approval(approval_id=proposed.approval_id).approval
            decided = checker.approvals.approve_approval(
                approval_id=shown.approval_id, payload_hash=shown.payload_hash
            ).message.approval
        return decided.maker, decided.decider


class Customer:
    """Somebody with a phone, who pays from it."""

    def __init__(self, stage: Stage, name: str, *, phone: str = "", pin: str = "835207") -> None:
        self.stage = stage
        self.phone = phone or new_phone()
        self.pin = pin
        """Payment PIN that is typed; empty for one that does not know it."""
        self.password = ""
        """Likewise the password to sign in with."""
        self.asked: list[str] = []
        """What was asked to be approved, in its own words."""
        self.authenticator: SoftwareAuthenticator | None = None
        self.session = Session(stage.config, DeviceKey.generate(), device_name=name)
        self._name = name

    def close(self) -> None:
        """Put the phone away."""
        self.session.close()

    @property
    def wallet(self) -> Wallet:
        """The wallet, with what approves."""
        return Wallet(self.session.bank, self.session.customer_id, approver=self._prove)

    @property
    def protection(self) -> Protection:
        """What the bank's protection makes of payments."""
        return Protection(self.wallet)

    @property
    def account_id(self) -> str:
        """The account."""
        return self.wallet.account_id(CURRENCY)

    @property
    def available(self) -> Money:
        """What can be spent."""
        return self.wallet.balance(CURRENCY).available

    def register(self) -> None:
        """Open a wallet by phone number, and set a PIN."""
        before = self.stage.sent(self.phone)
        pending = self.session.start_registration(self.phone)
        code = self.stage.code(self.phone, before)
        self.session.complete_registration(
            pending, code=code, display_name=self._name, currency_code=CURRENCY
        )
        self.session.bank.factors.set_payment_pin(pin=self.pin)

    def sign_in(self, proof: factor_pb2.FactorProof | None = None) -> None:
        """Sign in; a device that is new needs the code and a factor."""
        before = self.stage.sent(self.phone)
        pending = self.session.start_login(self.phone)
        code = self.stage.code(self.phone, before) if pending.code_required else ""
        self.session.complete_login(pending, code=code, proof=proof)

    def approved(self, ask: Callable[[RequestId], R]) -> R:
        """Ask for something, and approve it where that is wanted.

        Raises:
            LongmenError: it was refused.
        """
        request_id = new_request_id()
        try:
            return ask(request_id)
        except NeedsAuth as needed:
            self.wallet.approve(needed)
            return ask(request_id)

    def set_pin(self, pin: str) -> None:
        """Type another PIN from now on."""
        factors = self.session.bank.factors
        self.approved(lambda request_id: factors.set_payment_pin(pin=pin, request_id=request_id))
        self.pin = pin

    def set_password(self, password: str) -> None:
        """Sign in with a password from now on."""
        factors = self.session.bank.factors
        self.approved(
            lambda request_id: factors.set_password(password=password, request_id=request_id)
        )
        self.password = password

    def add_passkey(self) -> None:
        """Have a second factor."""
        self.authenticator = SoftwareAuthenticator()
        factors = self.session.bank.factors
        begun = self.approved(lambda request_id: factors.start_passkey(request_id=request_id))
        credential = self.authenticator.create(begun.message.options_json)
        factors.confirm_passkey(credential_json=credential, label="demonstration")

    def identify(self) -> None:
        """Rise from a phone number to a document and a bank account: to class 2."""
        kyc = self.session.bank.kyc
        document = kyc_service_pb2.IdentityDocument(
            kind=identity_pb2.EVIDENCE_RESIDENT_ID, name=self._name, number=resident_id()
        )
        for target, evidence in (
            (3, kyc_service_pb2.SubmittedEvidence(document=document)),
            (2, kyc_service_pb2.SubmittedEvidence(bank_account=OWN_BANK_ACCOUNT)),
        ):
            kyc.submit_evidence(evidence=evidence)
            kyc.upgrade_kyc(identification_class=target)

    def fund(self, amount: Money) -> None:
        """Bring money in, through a service of the bank."""
        self.stage.bank.transfers.top_up(
            account_id=self.account_id, amount=amount, bank_account=BANK_ACCOUNT
        )

    def pay(self, to: str, amount: Money) -> None:
        """Pay, and nothing but that.

        Raises:
            LongmenError: it was refused.
        """
        self.wallet.prepare(to, amount).confirm()

    def _prove(self, challenge: challenge_pb2.Challenge) -> factor_pb2.FactorProof:
        """Give what the challenge wants and does not have yet.

        Raises:
            CannotApproveError: it is not there to give.
        """
        self.asked.append(challenge.text)
        wanted = [one for one in challenge.methods if one not in set(challenge.approved_methods)]
        if factor_pb2.FACTOR_KIND_PAYMENT_PIN in wanted and self.pin:
            return factor_pb2.FactorProof(payment_pin=self.pin)
        if factor_pb2.FACTOR_KIND_PASSWORD in wanted and self.password:
            return factor_pb2.FactorProof(password=self.password)
        if factor_pb2.FACTOR_KIND_PASSKEY in wanted and self.authenticator is not None:
            assertion = self.authenticator.get(challenge.passkey_options_json)
            return factor_pb2.FactorProof(passkey_assertion_json=assertion)
        raise CannotApproveError


class CannotApproveError(Exception):
    """Whoever is asked does not have what is wanted."""
