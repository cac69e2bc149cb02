"""A ring of mules: many pay one wallet, it sends the money on, and is caught at it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from longmen.errors.v1 import error_reason_pb2
from longmen.limits.v1 import limit_pb2
from longmen.risk.v1 import case_pb2, cases_service_pb2, outcome_pb2
from longmen.staff.v1 import approval_pb2
from longmen_app import Frozen, Held, Stopped, Wallet
from longmen_server.demo.fraud.cast import BANK_ACCOUNT, CURRENCY, Customer, yuan
from longmen_server.demo.fraud.takeover import UNUSED_ID
from longmen_server.demo.identity import new_phone

if TYPE_CHECKING:
    from longmen_server.demo.fraud.cast import Stage

__all__ = ["Ring"]

VICTIMS: Final = 9
EACH: Final = yuan(700)
FAST_OUT: Final = yuan(4_500)
WU_HAS, WU_PAYS = yuan(2_000), yuan(900)
REST: Final = yuan(1_500)


class Ring:
    """The second act."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.collector = Customer(stage, "Collector")
        self.wu = Customer(stage, "Wu Song")
        self.hideout = self._wallet("Hideout").account_id(CURRENCY)
        self.case_id = ""

    def play(self) -> None:
        """Play it.

        Raises:
            StoryError: something did not come as it has to.
            LongmenError: the server refused what it must not refuse.
        """
        try:
            self._collect()
            self._pay_one_more()
            self._pass_it_on()
            self._confirm()
            self._leave_nobody_to_pay()
        finally:
            self.collector.close()
            self.wu.close()

    def _wallet(self, name: str) -> Wallet:
        return Wallet.open(
            self.stage.bank, phone_number=new_phone(), display_name=name, currency_code=CURRENCY
        )

    def _victim_pays(self) -> None:
        """Somebody at the counter pays the collector."""
        victim = self._wallet("Victim")
        victim.top_up(EACH, bank_account=BANK_ACCOUNT)
        victim.prepare(self.collector.account_id, EACH).confirm()

    def _collect(self) -> None:
        stage, collector = self.stage, self.collector
        collector.register()
        collector.identify()
        self.wu.register()
        self.wu.fund(WU_HAS)
        for _ in range(VICTIMS):
            self._victim_pays()
        collected = collector.available
        stage.check(collected.minor_units == VICTIMS * EACH.minor_units, f"it has {collected}")
        stage.done("many senders, one collector", f"{VICTIMS} pay {EACH} each: {collected}")
        collector.pay(self.hideout, FAST_OUT)
        stage.done("fast out", f"{FAST_OUT} are gone within minutes")

    def _pay_one_more(self) -> None:
        """Wu pays from the app: the payee is known by now for what it does."""
        stage, wu = self.stage, self.wu
        outcome = wu.protection.attempt(wu.wallet.prepare(self.collector.account_id, WU_PAYS))
        stage.check(isinstance(outcome, Held), f"the tenth payment came out as {outcome}")
        assert isinstance(outcome, Held)
        stage.check((WU_HAS - wu.available) == WU_PAYS, "the money is not held")
        found = stage.bank.risk.list_decisions(customer_id=wu.session.customer_id).first(1)[0]
        rules = ", ".join(one.rule for one in found.fired if not one.shadow)
        stage.done("the next one pays from the app", f"REVIEW by {rules}: {WU_PAYS} are held")
        stage.message(wu.phone, "being looked at")
        appeal = wu.protection.appeal(found.decision_id, "they said it was my bank", mine=False)
        self.case_id = appeal.case_id
        stage.done("message in the outbox, and a word with the bank", f"case {self.case_id}")

    def _pass_it_on(self) -> None:
        stage, collector = self.stage, self.collector
        self._victim_pays()
        before = collector.available
        outcome = collector.protection.attempt(collector.wallet.prepare(self.hideout, REST))
        stage.check(isinstance(outcome, Stopped), f"passing it on came out as {outcome}")
        assert isinstance(outcome, Stopped)
        decision = stage.bank.risk.get_decision(decision_id=outcome.reference).decision
        stage.check(
            decision.outcome.kind == outcome_pb2.OUTCOME_KIND_FREEZE, "nothing is frozen by it"
        )
        rules = ", ".join(one.rule for one in decision.fired if not one.shadow)
        stage.done("pass on the rest", f"FREEZE by {rules}: nothing moved")
        again = collector.protection.attempt(collector.wallet.prepare(self.hideout, yuan(1)))
        stage.check(isinstance(again, Frozen), f"a frozen wallet answers {again}")
        assert isinstance(again, Frozen)
        stage.check(collector.available == before, "money left a frozen wallet")
        stage.refused(again.lift, "FREEZE_NOT_REVOCABLE")
        (freeze,) = collector.protection.freezes()
        stage.done("lift it oneself", f"FREEZE_NOT_REVOCABLE: {freeze.scope}, {freeze.reason}")
        stage.message(collector.phone, "was frozen")

    def _confirm(self) -> None:
        """The case is closed as fraud by two, and in that transaction the money comes back."""
        stage, wu = self.stage, self.wu
        with stage.member("ines") as officer:
            officer.cases.assign_case(case_id=self.case_id)
            officer.cases.add_case_note(
                case_id=self.case_id,
                text="ten payers within minutes, and most of it passed on",
                evidence=case_pb2.Evidence(
                    reference="statement of the collector", sha256=sha256(b"statement").digest()
                ),
            )
            shown = officer.cases.get_case(case_id=self.case_id)
        stage.check(len(shown.notes) >= 2, "the case does not have the notes of both")
        command = approval_pb2.ProposedCommand(
            close_case=cases_service_pb2.CloseCaseRequest(
                request_id=UNUSED_ID,
                case_id=self.case_id,
                verdict=case_pb2.CASE_VERDICT_CONFIRMED_FRAUD,
                reason_text="a funnel account",
            )
        )
        maker, decider = stage.by_two(command, "a funnel account")
        back = wu.available
        stage.check(back == WU_HAS, f"Wu has {back} and not {WU_HAS}")
        stage.message(wu.phone, "given back")
        stage.done(
            "staff: confirm the fraud",
            f"proposed by {maker}, approved by {decider}; {WU_PAYS} came back with it",
        )

    def _leave_nobody_to_pay(self) -> None:
        """What would become of one more payment is asked, and nothing comes of it."""
        stage, wu = self.stage, self.wu
        found = stage.bank.risk.simulate_transaction(
            kind=limit_pb2.LIMITED_KIND_TRANSFER,
            from_account_id=wu.account_id,
            to_account_id=self.collector.account_id,
            amount=yuan(10),
        )
        reason = error_reason_pb2.ErrorReason.Name(found.reason).removeprefix("ERROR_REASON_")
        stage.check(
            not found.allowed and reason == "CREDIT_ACCOUNT_FROZEN",
            f"one more is {reason or 'let'}",
        )
        stage.check(wu.available == WU_HAS, "a simulation has moved money")
        stage.done("simulate one more", f"{reason}, and nothing is left of the question")
