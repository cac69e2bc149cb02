"""A wallet is taken over: tried out, signed in to by a stranger, emptied as far as that goes."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import factor_pb2
from longmen.risk.v1 import case_pb2, cases_service_pb2, outcome_pb2, risk_service_pb2
from longmen.staff.v1 import approval_pb2
from longmen_app import Delayed, Frozen, Stopped, Wallet
from longmen_client import Money
from longmen_server.demo.fraud.cast import CURRENCY, CannotApproveError, Customer, yuan
from longmen_server.demo.identity import new_phone

if TYPE_CHECKING:
    from longmen.risk.v1 import decision_pb2
    from longmen_app import Appeal
    from longmen_server.demo.fraud.cast import Stage

__all__ = ["UNUSED_ID", "Takeover"]

UNUSED_ID: Final = "00000000-0000-4000-8000-000000000000"
"""Of commands inside of a proposal: the decision has a request id of its own."""
TOO_MUCH: Final = yuan(8_800)
"""More than a wallet known by its phone number may pay at once."""
SAVINGS: Final = yuan(45_000)
HABIT: Final = yuan(88)
PROBE: Final = Money(1, CURRENCY)
HIT: Final = yuan(2_500)
NIGHTLY: Final = yuan(20_000)
LARGE: Final = yuan(15_000)
PHRASE: Final = "a lantern over the river 1899"
NEW_PIN, OWN_PIN = "402917", "716395"
HISTORY_DAYS: Final = 12
NIGHT, MORNING = dt.time(2, 0), dt.time(10, 0)


class Takeover:
    """The first act."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.owner = Customer(stage, "Lin Daiyu")
        self.thief = Customer(stage, "somebody's phone", phone=self.owner.phone)
        self.friend = self._somebody("Friend")
        self.stranger = self._somebody("Investment Club")
        self.reference = self.freeze_id = ""

    def play(self) -> None:
        """Play it.

        Raises:
            StoryError: something did not come as it has to.
            LongmenError: the server refused what it must not refuse.
        """
        try:
            self._settle_in()
            self._use_it_for_days()
            self._be_talked_into_it()
            self._lend_the_phone()
            self._lose_the_number()
            self._lose_the_money()
            self._come_back()
            self._be_heard()
            self._be_free()
        finally:
            self.owner.close()
            self.thief.close()

    def _somebody(self, name: str) -> str:
        """The account of somebody whom the bank knows."""
        wallet = Wallet.open(
            self.stage.bank, phone_number=new_phone(), display_name=name, currency_code=CURRENCY
        )
        return wallet.account_id(CURRENCY)

    def _decision(self) -> decision_pb2.Decision:
        """The latest decision about the owner's payments, as the bank sees it."""
        found = self.stage.bank.risk.list_decisions(customer_id=self.owner.session.customer_id)
        return found.first(1)[0]

    # -- before --------------------------------------------------------------------------------

    def _settle_in(self) -> None:
        stage, owner = self.stage, self.owner
        owner.register()
        stage.done("open a wallet by phone number", owner.session.customer_id)
        before = owner.wallet.explain(TOO_MUCH)
        binding = before.binding
        stage.check(
            not before.allowed and binding is not None and "UPGRADE" in binding.lifted_by,
            f"{TOO_MUCH} is not explained as too much before anybody knows who it is",
        )
        assert binding is not None
        stage.done(
            "explain limits before identification",
            f"{TOO_MUCH} is too much: {binding.name} lets {binding.amount}, lifted by"
            f" {', '.join(binding.lifted_by).lower()}",
        )
        owner.identify()
        after = owner.wallet.explain(TOO_MUCH)
        stage.check(after.allowed, f"{TOO_MUCH} is too much for class 2")
        lets = after.binding.amount if after.binding is not None else "any amount"
        stage.done("explain limits after it", f"{TOO_MUCH} passes: the limit is {lets} in class 2")
        owner.set_password(PHRASE)
        owner.add_passkey()
        owner.fund(SAVINGS)
        stage.check(owner.available == SAVINGS, f"there are {owner.available}")
        stage.done("add a password, a passkey and savings", f"{SAVINGS} available")

    def _use_it_for_days(self) -> None:
        days = dt.timedelta(days=HISTORY_DAYS // 3)
        for _ in range(3):
            self.stage.pass_by(days)
            self.owner.sign_in()
            self.owner.pay(self.friend, HABIT)
        latest = self._decision()
        self.stage.check(
            latest.outcome.kind == outcome_pb2.OUTCOME_KIND_ALLOW,
            "an ordinary payment was not simply allowed",
        )
        self.stage.done("a fortnight of ordinary life", f"3 times {HABIT} to a friend, all allowed")

    def _be_talked_into_it(self) -> None:
        """At night a stranger wants a lot: the money waits, and is taken back."""
        stage, owner = self.stage, self.owner
        stage.wait_for(NIGHT)
        owner.sign_in()
        before = owner.available
        outcome = owner.protection.attempt(owner.wallet.prepare(self.stranger, NIGHTLY))
        stage.check(isinstance(outcome, Delayed), f"a payment at night came out as {outcome}")
        assert isinstance(outcome, Delayed)
        stage.check(before - owner.available == NIGHTLY, "the money is not held")
        hours = round((outcome.until - stage.now()).total_seconds() / 3600)
        stage.done("pay a stranger at night", f"DELAY: {NIGHTLY} wait {hours} hours, revocable")
        stage.message(owner.phone, "take it back")
        stage.done("message in the outbox", "delayed; until it is paid you can take it back")
        outcome.revoke()
        stage.check(owner.available == before, "what was taken back is not there")
        stage.done("take it back", f"{owner.available} available again")

    def _lend_the_phone(self) -> None:
        """Somebody has the unlocked phone and the PIN, and not the owner's finger."""
        stage, owner = self.stage, self.owner
        stage.wait_for(MORNING)
        owner.sign_in()
        passkeys, owner.authenticator = owner.authenticator, None
        for _ in range(3):
            owner.pay(self.stranger, PROBE)
        stage.done("try the phone out", f"3 times {PROBE} to a stranger, by PIN")
        before, owner.asked = owner.available, []
        try:
            owner.pay(self.stranger, HIT)
        except CannotApproveError:
            pass
        else:
            stage.check(holds=False, problem=f"{HIT} went out after three probes")
        decision = self._decision()
        stage.check(
            (decision.outcome.kind, decision.outcome.strength)
            == (outcome_pb2.OUTCOME_KIND_STEP_UP, 2),
            f"after three probes {HIT} is not stepped up",
        )
        stage.check(owner.available == before, "it was paid with one factor")
        stage.done(
            "then hit", f"STEP_UP: {HIT} take two factors, the PIN alone does not do; nothing moved"
        )
        owner.authenticator = passkeys

    # -- taken over ----------------------------------------------------------------------------

    def _lose_the_number(self) -> None:
        """A stranger has a copy of the SIM card, and the password by a forged page."""
        stage, thief = self.stage, self.thief
        before = stage.sent(thief.phone)
        pending = thief.session.start_login(thief.phone)
        code = stage.code(thief.phone, before)
        stage.refused(lambda: thief.session.complete_login(pending, code=code), "FACTOR_REQUIRED")
        stage.done("sign in with a stolen number", "FACTOR_REQUIRED: a code by SMS is not enough")
        thief.password, thief.pin = PHRASE, ""
        thief.session.complete_login(
            pending, code=code, proof=factor_pb2.FactorProof(password=PHRASE)
        )
        stage.message(thief.phone, "new device")
        stage.done("sign in with the stolen password", "a new device; the owner is told of it")
        thief.set_pin(NEW_PIN)
        stage.done("change the PIN", "the owner's PIN is worth nothing from now on")

    def _lose_the_money(self) -> None:
        stage, thief = self.stage, self.thief
        before = thief.available
        stage.refused(lambda: thief.pay(self.stranger, LARGE), "DEVICE_COOLING")
        stage.done("send a third", f"DEVICE_COOLING: {LARGE} are too much for a device of today")
        everything = Money(before.minor_units - 100_000, CURRENCY)
        stranger = self._somebody("Mule")
        outcome = thief.protection.attempt(thief.wallet.prepare(stranger, everything))
        stage.check(isinstance(outcome, Stopped), f"everything came out as {outcome}")
        assert isinstance(outcome, Stopped)
        self.reference = outcome.reference
        decision = stage.bank.risk.get_decision(decision_id=self.reference).decision
        stage.check(
            decision.outcome.kind == outcome_pb2.OUTCOME_KIND_FREEZE, "nothing is frozen by it"
        )
        rules = ", ".join(one.rule for one in decision.fired if not one.shadow)
        stage.done("send everything", f"FREEZE by {rules}: {outcome.reason_code}, nothing moved")
        again = thief.protection.attempt(thief.wallet.prepare(self.friend, HABIT))
        stage.check(isinstance(again, Frozen), f"a frozen wallet answers {again}")
        assert isinstance(again, Frozen)
        self.freeze_id = again.freeze_id
        (freeze,) = thief.protection.freezes()
        stage.check((freeze.scope, freeze.active) == ("ONLY_OUT", True), f"the freeze is {freeze}")
        stage.check(thief.available == before, f"{before - thief.available} are gone")
        stage.done("try once more, little", f"RISK_FROZEN, {freeze.scope}: {before} are all there")
        stage.message(self.owner.phone, "was frozen")
        stage.done("message in the outbox", "your wallet was frozen, with the reference to appeal")

    # -- got back ------------------------------------------------------------------------------

    def _come_back(self) -> None:
        """The owner signs in on the old phone and puts the stranger out."""
        stage, owner = self.stage, self.owner
        owner.sign_in()
        devices = list(owner.session.bank.devices.list_devices())
        strange = [one for one in devices if one.name == "somebody's phone"]
        stage.check(len(strange) == 1, f"the devices are {[one.name for one in devices]}")
        # PIN and password are the thief's by now: the finger approves.
        owner.pin = owner.password = ""
        owned = owner.session.bank.devices
        owner.approved(
            lambda request_id: owned.revoke_device(
                device_id=strange[0].device_id, request_id=request_id
            )
        )
        reason = stage.until_refused(self.thief.wallet.accounts)
        stage.done("forbid the stranger's device", f"its session has ended: {reason}")
        owner.set_pin(OWN_PIN)
        stage.done("choose another PIN", "approved by the passkey, which nobody else has")

    def _be_heard(self) -> None:
        """The owner appeals; the bank looks at it, and two people decide."""
        stage, owner = self.stage, self.owner
        appeal = owner.protection.appeal(self.reference, "my number was stolen", mine=False)
        stage.check(appeal.state == "OPEN", "the appeal is closed at once")
        stage.done("appeal", f"case {appeal.case_id} is open")
        with stage.member("ines") as officer:
            queue = officer.cases.list_cases().first(500)
            stage.check(appeal.case_id in [one.case_id for one in queue], "it is in no queue")
            officer.cases.assign_case(case_id=appeal.case_id)
            recording = b"the carrier confirms the change of the SIM card"
            noted = officer.cases.add_case_note(
                case_id=appeal.case_id,
                text="called the carrier: the SIM card was changed this morning",
                evidence=case_pb2.Evidence(reference="call 7", sha256=sha256(recording).digest()),
            ).message.note
        stage.done("staff: look at it", f"assigned, note {noted.number} with evidence")
        self._close(appeal)
        found = owner.protection.look_up(appeal.case_id)
        stage.check(found.closed and found.verdict == "CONFIRMED_FRAUD", f"it says {found}")
        stage.done("the owner hears of it", f"{found.state}: {found.verdict}")

    def _close(self, appeal: Appeal) -> None:
        command = approval_pb2.ProposedCommand(
            close_case=cases_service_pb2.CloseCaseRequest(
                request_id=UNUSED_ID,
                case_id=appeal.case_id,
                verdict=case_pb2.CASE_VERDICT_CONFIRMED_FRAUD,
                reason_text="the number was stolen",
            )
        )
        maker, decider = self.stage.by_two(command, "the carrier confirms it")
        self.stage.done("staff: close the case", f"proposed by {maker}, approved by {decider}")

    def _be_free(self) -> None:
        """The freeze is lifted by a second person, and life goes on."""
        stage, owner = self.stage, self.owner
        command = approval_pb2.ProposedCommand(
            lift_freeze=risk_service_pb2.LiftFreezeRequest(
                request_id=UNUSED_ID, freeze_id=self.freeze_id, reason_text="device forbidden"
            )
        )
        maker, decider = stage.by_two(command, "the owner is back")
        stage.done("staff: lift the freeze", f"proposed by {maker}, released by {decider}")
        stage.message(owner.phone, "no longer frozen")
        before = owner.available
        owner.pay(self.friend, HABIT)
        stage.check(before - owner.available == HABIT, "the friend was not paid")
        stage.done("pay the friend again", f"{HABIT}, as before; {owner.available} are left")
