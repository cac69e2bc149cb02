"""What would come out: movements that nobody makes, and the past by other rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.errors.v1 import error_reason_pb2
from longmen.identity.v1 import factor_pb2
from longmen.limits.v1 import limit_pb2
from longmen.risk.v1 import backtest_pb2, case_pb2, outcome_pb2, rules_service_pb2
from longmen_server.console.risk_trials import added
from longmen_server.riskrules import backtesting
from longmen_server.riskrules.backtesting import BacktestRoom
from tests.support import risk
from tests.support.risk_rules import draft, rule
from tests.support.sample_requests import terminal
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank
from tests.support.spending import spender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen.risk.v1 import rule_pb2
    from tests.support.postgres import Database
    from tests.support.small_bank import Person

RICH = 900_000
TRANSFER = limit_pb2.LIMITED_KIND_TRANSFER
ALLOW = outcome_pb2.OUTCOME_KIND_ALLOW
REVIEW = outcome_pb2.OUTCOME_KIND_REVIEW
DECLINE = outcome_pb2.OUTCOME_KIND_DECLINE
FRAUD = case_pb2.CASE_VERDICT_CONFIRMED_FRAUD
HONEST = case_pb2.CASE_VERDICT_FALSE_POSITIVE
UNKNOWN = case_pb2.CASE_VERDICT_UNSPECIFIED
NOBODY = "0" * 28 + "0001"
"""What follows an id's prefix, of nothing in the book."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("trials")) as opened:
        opened.parts.risk.use(BOOK, risk.AmountSource().shipped())
        yield opened


@pytest.fixture
async def payer(bank: SmallBank) -> Person:
    person = await bank.person()
    await bank.do(
        "TransfersService/TopUp",
        account_id=person.account,
        amount=cash(RICH),
        bank_account="6222021234567890",
    )
    return person


async def simulate(bank: SmallBank, payer: Person, amount: int, **fields: Any) -> Any:
    """The reply to a simulated transfer to the bank's payee."""
    asked = {
        "kind": TRANSFER,
        "from_account_id": payer.account,
        "to_account_id": bank.payee.account,
        "amount": cash(amount),
        **fields,
    }
    return await bank.do("RiskService/SimulateTransaction", **asked)


async def pay(bank: SmallBank, payer: Person, amount: int) -> str:
    """The reason why a real transfer is refused; empty when it is made."""
    method = BY_NAME["TransfersService/CreateTransfer"]
    request: Any = method.request_class(
        request_id=bank.new_request_id(),
        from_account_id=payer.account,
        payee={"account_id": bank.payee.account},
        amount=cash(amount),
    )
    token = bank.token("customer", payer)
    if amount < risk.DECLINE or amount > risk.FREEZE_PAYEE:
        await bank.call(method, request, token)
        return ""
    return (await bank.refused(method, request, token)).reason


async def last(bank: SmallBank, payer: Person) -> Any:
    reply = await bank.do("RiskService/ListDecisions", customer_id=payer.customer, page_size=1)
    return reply.decisions[0]


def word(reason: int) -> str:
    return error_reason_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "amount", [500, risk.NOTICE, risk.DELAY, risk.REVIEW, risk.DECLINE, risk.FREEZE]
)
async def test_what_is_simulated_is_what_then_happens_and_leaves_nothing(
    bank: SmallBank, payer: Person, amount: int
) -> None:
    before = bank.contents()
    foreseen = await simulate(bank, payer, amount)
    again = await simulate(bank, payer, amount)
    assert bank.contents() == before
    reason = await pay(bank, payer, amount)
    made = await last(bank, payer)
    assert foreseen.decision.outcome == again.decision.outcome == made.outcome
    assert list(foreseen.decision.fired) == list(made.fired)
    assert (foreseen.decision.score, foreseen.decision.reason) == (made.score, made.reason)
    assert {one.feature for one in foreseen.decision.features} == {
        one.feature for one in made.features
    }
    assert not foreseen.decision.decision_id, "there is no such decision"
    assert foreseen.allowed == (not reason)
    if reason:
        assert word(foreseen.reason) == reason
        assert dict(foreseen.reason_metadata) == {"reason_code": "UNUSUAL_AMOUNT"}


async def test_a_freeze_stops_before_anything_is_judged(bank: SmallBank, payer: Person) -> None:
    await pay(bank, payer, risk.FREEZE)
    found = await simulate(bank, payer, 500)
    assert not found.allowed
    assert word(found.reason) == "RISK_FROZEN"
    assert found.reason_metadata["freeze_id"].startswith("frz_")
    assert not found.HasField("decision")


async def test_what_has_to_approve_is_told_by_channel(bank: SmallBank, payer: Person) -> None:
    asked = await simulate(bank, payer, risk.STEP_UP)
    assert (asked.allowed, asked.factors_needed) == (True, 2)
    assert asked.methods
    served = await simulate(bank, payer, risk.STEP_UP, channel=outcome_pb2.RISK_CHANNEL_BANK)
    assert (served.allowed, word(served.reason)) == (False, "RISK_REJECTED")
    assert served.decision.outcome.kind == DECLINE


async def test_what_the_ledger_and_approvals_would_say_is_told_beside(
    bank: SmallBank, payer: Person
) -> None:
    small = await simulate(bank, payer, 500)
    assert (small.would_be_made, small.approval_factors, small.ledger_reason) == (True, 1, 0)
    assert list(small.approval_methods) == [factor_pb2.FACTOR_KIND_MESSAGE_CODE]
    large = await simulate(bank, payer, RICH)
    assert (large.allowed, large.would_be_made) == (True, False)
    assert word(large.approval_reason) == "STEP_UP_UNAVAILABLE", "nothing is set up to approve with"
    approved = await simulate(
        bank, payer, RICH, factors=["FACTOR_KIND_TOTP", "FACTOR_KIND_PASSKEY"]
    )
    assert (approved.would_be_made, approved.approval_reason) == (True, 0)
    beyond = await simulate(bank, payer, RICH + 10_001, channel=outcome_pb2.RISK_CHANNEL_BANK)
    assert (beyond.allowed, beyond.would_be_made, beyond.approval_factors) == (True, False, 0)
    assert word(beyond.ledger_reason) == "INSUFFICIENT_FUNDS"
    assert beyond.ledger_metadata["available_minor_units"] == "910000"
    token = bank.token("customer", payer)
    await bank.do("AccountsService/FreezeAccount", token, account_id=payer.account)
    frozen = await simulate(bank, payer, 500)
    assert (frozen.allowed, word(frozen.ledger_reason)) == (True, "DEBIT_ACCOUNT_FROZEN")


async def test_a_payment_is_simulated_at_a_till(bank: SmallBank, payer: Person) -> None:
    terminal_id = await terminal(bank, payer)
    found = (await bank.do("MerchantsService/GetTerminal", terminal_id=terminal_id)).terminal
    at_the_till = {
        "kind": limit_pb2.LIMITED_KIND_PAYMENT,
        "to_account_id": "",
        "merchant_id": found.merchant_id,
        "terminal_id": terminal_id,
    }
    paid = await simulate(bank, payer, 500, **at_the_till)
    assert (paid.would_be_made, paid.decision.kind) == (True, "PAYMENT")
    method = BY_NAME["RiskService/SimulateTransaction"]
    base: Any = {"from_account_id": payer.account, "amount": cash(1), **at_the_till}
    for fields, reason in (
        ({"terminal_id": f"trm_{NOBODY}"}, "TERMINAL_NOT_FOUND"),
        (
            {"merchant_id": "", "to_account_id": payer.account, "kind": TRANSFER},
            "TERMINAL_NOT_FOUND",
        ),
    ):
        request = method.request_class(**{**base, **fields})
        assert (await bank.refused(method, request, SERVICE)).reason == reason


async def test_limits_that_would_bind_are_told(bank: SmallBank) -> None:
    payer = await spender(bank, 4)
    within = await simulate(bank, payer, 500)
    beyond = await simulate(bank, payer, RICH)
    assert within.allowed
    assert within.binding_limit.name
    assert not within.binding_limit.exceeded
    assert word(beyond.reason) == "SINGLE_LIMIT_EXCEEDED"
    assert beyond.binding_limit.exceeded
    assert beyond.reason_metadata["limit"] == beyond.binding_limit.name
    explained = await bank.do(
        "LimitsService/ExplainLimits", account_id=payer.account, kind=TRANSFER, amount=cash(RICH)
    )
    assert list(explained.limits) == list(beyond.limits)


async def test_a_draft_decides_in_the_simulation_only(bank: SmallBank, payer: Person) -> None:
    tried = await draft(bank, stops("amount_minor == 4321"))
    by_draft = await simulate(bank, payer, 4_321, rule_set_id=tried.rule_set_id)
    in_force = await simulate(bank, payer, 4_321)
    assert (by_draft.allowed, in_force.allowed) == (False, True)
    assert [one.rule for one in by_draft.decision.fired] == ["very_large"]
    assert await pay(bank, payer, 4_321) == ""


async def test_a_rule_about_new_payees_looks_at_the_first_payment(
    bank: SmallBank, payer: Person
) -> None:
    first = rule(
        expression="amount_minor == 4322",
        kinds=["NEW_PAYEE"],
        outcome={"kind": DECLINE},
        examples=[],
    )
    tried = (await draft(bank, first)).rule_set_id
    assert not (await simulate(bank, payer, 4_322, rule_set_id=tried)).allowed
    assert await pay(bank, payer, 4_322) == ""
    assert (await simulate(bank, payer, 4_322, rule_set_id=tried)).allowed


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"from_account_id": f"acct_{NOBODY}"}, "ACCOUNT_NOT_FOUND"),
        ({"to_account_id": f"acct_{NOBODY}"}, "ACCOUNT_NOT_FOUND"),
        ({"rule_set_id": f"rset_{NOBODY}"}, "RULE_SET_NOT_FOUND"),
        ({"amount": cash(1, "USD")}, "CURRENCY_MISMATCH"),
        ({"to_account_id": ""}, "INVALID_REQUEST"),
        ({"kind": limit_pb2.LIMITED_KIND_PAYMENT}, "INVALID_REQUEST"),
        (
            {
                "kind": limit_pb2.LIMITED_KIND_PAYMENT,
                "to_account_id": "",
                "merchant_id": f"mer_{NOBODY}",
            },
            "MERCHANT_NOT_FOUND",
        ),
    ],
    ids=str,
)
async def test_what_cannot_be_simulated(
    bank: SmallBank, payer: Person, fields: dict[str, Any], reason: str
) -> None:
    method = BY_NAME["RiskService/SimulateTransaction"]
    asked: Any = {
        "kind": TRANSFER,
        "from_account_id": payer.account,
        "to_account_id": bank.payee.account,
        "amount": cash(1),
        **fields,
    }
    told = await bank.refused(method, method.request_class(**asked), SERVICE)
    assert told.reason == reason


# -- The past.


def stops(expression: str, **changes: Any) -> rule_pb2.Rule:
    """A rule that declines transfers."""
    return rule(
        expression=expression,
        kinds=["TRANSFER"],
        outcome={"kind": DECLINE},
        examples=[],
        **changes,
    )


async def backtest(
    bank: SmallBank, *rules: rule_pb2.Rule, **fields: Any
) -> tuple[list[backtest_pb2.BacktestProgress], backtest_pb2.BacktestResult]:
    """What is told on the way, and the result."""
    method = BY_NAME["RulesService/BacktestRules"]
    answer = await bank.call(method, method.request_class(rules=rules, **fields), SERVICE)
    messages = [rules_service_pb2.BacktestRulesResponse.FromString(one) for one in answer.messages]
    assert [one.WhichOneof("report") for one in messages[:-1]] == ["progress"] * (len(messages) - 1)
    return [one.progress for one in messages[:-1]], messages[-1].result


async def case_about(bank: SmallBank, payer: Person, verdict: int) -> None:
    """Close a case about the payer's last payment."""
    decision = await last(bank, payer)
    method = "CasesService/OpenCase"
    opened = await bank.do(method, decision_id=decision.decision_id, text="a tip")
    await bank.do(
        "CasesService/CloseCase",
        case_id=opened.opened.case_id,
        verdict=verdict,
        reason_text="asked",
    )


async def test_the_past_by_other_rules(bank: SmallBank, payer: Person) -> None:
    """Of six payments of a customer, some are fraud and some honest, and the draft stops three."""
    since = bank.parts.clock.now()
    for amount, verdict in ((7_001, FRAUD), (7_002, HONEST), (900, FRAUD), (901, HONEST)):
        await pay(bank, payer, amount)
        await case_about(bank, payer, verdict)
    for amount in (7_003, 902, risk.DECLINE):
        await pay(bank, payer, amount)
    before = bank.contents()
    tried = stops("amount_minor > 7000 && amount_minor < 7100")
    steps, found = await backtest(bank, tried, from_time=since)
    assert bank.contents() == before, "nothing is written"
    assert steps[-1].done == steps[-1].total == found.decision_count == 7
    cells = {(one.before, one.after, one.verdict): one.decision_count for one in found.cells}
    assert cells == {
        (ALLOW, DECLINE, FRAUD): 1,
        (ALLOW, DECLINE, HONEST): 1,
        (ALLOW, DECLINE, UNKNOWN): 1,
        (ALLOW, ALLOW, FRAUD): 1,
        (ALLOW, ALLOW, HONEST): 1,
        (ALLOW, ALLOW, UNKNOWN): 1,
        (DECLINE, ALLOW, UNKNOWN): 1,
    }
    assert (found.caught.before_count, found.caught.after_count) == (0, 1)
    assert found.caught.after_minor_units == 7_001
    assert (found.missed.before_count, found.missed.after_minor_units) == (2, 900)
    assert (found.disturbed.after_count, found.disturbed.after_minor_units) == (1, 7_002)
    assert (found.alerts.before_count, found.alerts.after_count) == (1, 3)
    assert (found.newly_refused_count, found.newly_refused_minor_units) == (3, 21_006)
    assert [one.reference_minor_units for one in found.newly_refused] == [7_001, 7_002, 7_003]
    assert [(one.rule, one.fired_count, one.fraud_count) for one in found.rules] == [
        ("very_large", 3, 1)
    ]
    assert sum(one.decision_count for one in found.days) == 7
    assert found.blocks_too_much, "three of seven"


async def test_a_long_span_comes_in_parts_that_add_up(bank: SmallBank, payer: Person) -> None:
    since = bank.parts.clock.now()
    for amount in range(800, 805):
        await pay(bank, payer, amount)
    span = {"from_time": since, "to_time": bank.parts.clock.now()}
    tried = stops("amount_minor == 804")
    _, whole = await backtest(bank, tried, **span)
    parts: list[backtest_pb2.BacktestResult] = []
    cursor = ""
    while not parts or cursor:
        _, part = await backtest(bank, tried, **span, decision_count=2, cursor=cursor)
        assert part.decision_count <= 2
        parts.append(part)
        cursor = part.next_cursor
    assert len(parts) >= 3
    assert added(parts) == whole
    method = BY_NAME["RulesService/BacktestRules"]
    other = method.request_class(rules=[stops("true")], **span, cursor=parts[0].next_cursor)
    told = await bank.refused(method, other, SERVICE)
    assert told.reason == "INVALID_CURSOR", "a cursor is of one set of rules"


async def test_what_time_did_not_suffice_for_goes_on_by_the_cursor(
    bank: SmallBank, payer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = bank.parts.clock.now()
    await pay(bank, payer, 806)
    monkeypatch.setattr(backtesting, "SPARE_S", 10_000.0)
    steps, found = await backtest(bank, rule(), from_time=since)
    assert (len(steps), found.decision_count) == (0, 0)
    monkeypatch.undo()
    steps, found = await backtest(bank, rule(), from_time=since, cursor=found.next_cursor)
    assert (found.decision_count, found.next_cursor) == (1, "")


async def test_what_a_record_lacks_is_left_out_and_told(bank: SmallBank, payer: Person) -> None:
    since = bank.parts.clock.now()
    await pay(bank, payer, 811)
    _, found = await backtest(
        bank,
        stops("amount_minor == 811 && payer_count_7d == 0", rule_id="lacks"),
        stops("amount_minor == 810 && payer_count_7d == 0", rule_id="needs_it_not"),
        from_time=since,
    )
    assert [(one.rule, one.fired_count, one.skipped_count) for one in found.rules] == [
        ("lacks", 0, 1)
    ]
    assert (found.incomplete_count, list(found.missing_features)) == (1, ["payer_count_7d"])
    assert found.alerts.after_count == 0


CARD = b"""
effective_from = 2026-11-22
source = "a test"
kinds = ["TRANSFER"]
channels = ["app"]
base = 1
[[term]]
feature = "amount_minor"
form = "above"
low = 7000
points = 20
[[band]]
points = 21
outcome = "DECLINE"
reason = "LOOKS_LIKE_FRAUD"
"""


async def test_the_past_by_another_scorecard(bank: SmallBank, payer: Person) -> None:
    since = bank.parts.clock.now()
    for amount, verdict in ((7_005, FRAUD), (903, HONEST)):
        await pay(bank, payer, amount)
        await case_about(bank, payer, verdict)
    before = bank.contents()
    nothing = stops("amount_minor == 1")
    _, as_it_is = await backtest(bank, nothing, from_time=since)
    assert as_it_is.alerts.after_count == 0
    _, found = await backtest(bank, nothing, from_time=since, scorecard=CARD)
    cells = {(one.before, one.after, one.verdict): one.decision_count for one in found.cells}
    assert cells == {(ALLOW, DECLINE, FRAUD): 1, (ALLOW, ALLOW, HONEST): 1}
    assert [one.reason for one in found.newly_refused] == ["LOOKS_LIKE_FRAUD"]
    assert (found.caught.before_count, found.caught.after_count) == (0, 1)
    assert found.unscored_count == 0
    lacking = CARD.replace(b"amount_minor", b"payer_count_7d")
    _, left = await backtest(bank, nothing, from_time=since, scorecard=lacking)
    assert (left.unscored_count, list(left.missing_features)) == (2, ["payer_count_7d"])
    assert (left.decision_count, left.alerts.after_count) == (2, 0)
    assert bank.contents() == before, "nothing is written"


async def test_one_backtest_at_a_time(bank: SmallBank, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms: list[BacktestRoom] = []
    take = BacktestRoom.taken

    def taken(room: BacktestRoom) -> Any:
        rooms.append(room)
        return take(room)

    monkeypatch.setattr(BacktestRoom, "taken", taken)
    await backtest(bank, rule(), decision_count=1)
    method = BY_NAME["RulesService/BacktestRules"]
    with take(rooms[0]):
        told = await bank.refused(method, method.request_class(rules=[rule()]), SERVICE)
    assert (told.reason, told.metadata) == ("OVERLOADED", {"class": "BACKTEST"})
    await backtest(bank, rule(), decision_count=1)


async def test_what_blocks_too_much_in_the_past_takes_two_people(
    bank: SmallBank, payer: Person
) -> None:
    await pay(bank, payer, 821)
    disaster = stops("amount_minor > 0")
    _, found = await backtest(bank, disaster)
    assert found.blocks_too_much
    made = await draft(bank, disaster)
    method = BY_NAME["RulesService/PromoteRuleSet"]
    for token, reason in (
        (SERVICE, "RULE_SET_NOT_TRIED"),
        (bank.token_of("staff", "ines"), "APPROVAL_REQUIRED"),
    ):
        request: Any = method.request_class(
            request_id=bank.new_request_id(),
            rule_set_id=made.rule_set_id,
            revision=1,
            state=3,
        )
        told = await bank.refused(method, request, token)
        assert told.reason == reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"rule_set_id": f"rset_{NOBODY}"}, "RULE_SET_NOT_FOUND"),
        ({"rules": [rule(expression="amount >")]}, "RULE_SET_INVALID"),
        ({"cursor": "nonsense"}, "INVALID_CURSOR"),
        ({"book": 77}, "UNKNOWN_BOOK"),
        ({"scorecard": CARD.replace(b"amount_minor", b"shoe_size")}, "SCORECARD_INVALID"),
        ({"scorecard": b"\xff"}, "SCORECARD_INVALID"),
    ],
    ids=["no set", "no rule", "no cursor", "no book", "no feature", "no text"],
)
async def test_what_cannot_be_tried(bank: SmallBank, fields: dict[str, Any], reason: str) -> None:
    method = BY_NAME["RulesService/BacktestRules"]
    told = await bank.refused(method, method.request_class(**fields), SERVICE)
    assert told.reason == reason
    if fields.get("scorecard", b"").startswith(b"\neff"):
        assert told.metadata == {"problem": "feature = 'shoe_size': there is no such number"}
