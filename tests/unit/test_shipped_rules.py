"""The shipped rules: their own examples, what they leave alone, and twenty ways around them."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from longmen_server.limits.movement import Channel, MovementKind
from longmen_server.risk.model import OutcomeKind
from longmen_server.risk.notices import notices
from longmen_server.risk.rule_content import from_messages, to_message
from longmen_server.risk.rule_files import RuleFileError, read_rules, write_rules
from longmen_server.risk.rules import RuleMode
from longmen_server.risk.rules_lint import features_read, lint, try_examples
from longmen_server.risk.shipped import rules_text, shipped, shipped_content
from tests.support.risk_world import DAY, HOUR, MINUTE, Wallet, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.risk.rules import Rule

RULES = shipped_content().rules


def test_the_shipped_rules_have_no_problem_and_say_what_they_are_for() -> None:
    assert lint(RULES) == []
    for rule in RULES:
        assert rule.intent.endswith(".")
        assert rule.mode == RuleMode.ACTIVE
        assert {example.fires for example in rule.examples} == {True, False}
        assert len(features_read(rule)) >= 1
    assert shipped().version == 0
    assert len(shipped().digest) == 32
    assert all(notice.en and notice.zh for notice in notices().values())


@pytest.mark.parametrize("rule", RULES, ids=[rule.rule_id for rule in RULES])
def test_every_rule_does_what_its_examples_say(rule: Rule) -> None:
    assert [(one.example.name, one.fault) for one in try_examples([rule]) if not one.right] == []


def test_no_rule_on_behaviour_touches_what_the_bank_does_itself() -> None:
    for rule in RULES:
        if "_lists" not in rule.expression:
            assert 'channel == "app"' in rule.expression or 'channel != "bank"' in rule.expression


def test_rules_written_as_a_file_are_read_back_the_same() -> None:
    assert from_messages(read_rules(write_rules(map(to_message, RULES)))) == RULES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule", "Expected"),
        ("rules = 1", "rules stand under"),
        ('[[rule]]\nid = "a"\nwehn = "true"', "rule a: unknown: wehn"),
        ('[[rule]]\nid = "a"\nwhen = "true"', "rule a: outcome and reason and notice"),
        (rules_text().replace('kind = "review"', 'kind = "revue"'), "revue is none of allow, "),
        (rules_text().replace("factors = 2", "factors = 'two'"), "rule takeover_large: "),
        (rules_text().replace("fires = true", "fires = 1"), "fires is true or false"),
    ],
    ids=["toml", "no-rules", "unknown-key", "missing", "outcome", "type", "example"],
)
def test_a_file_that_is_no_rules_says_where(text: str, words: str) -> None:
    with pytest.raises(RuleFileError) as told:
        read_rules(text)
    assert words in str(told.value)


# -- Twenty ways around them. A thief has a victim's wallet, or a mule has one of its own; the rules
# see movements only. What has to be approved, waits or is declined is not got.

SHOP = Wallet("a grocer", kind="merchant")


def stolen(balance: int = 20_000_000, device_days: int = 0) -> Wallet:
    """A wallet of a year, with a past, and the thief's device."""
    wallet = Wallet("the victim", balance=balance)
    wallet.devices = {"thief's telephone": -device_days * DAY - HOUR, **wallet.devices}
    return wallet


def with_past(world: World, wallet: Wallet) -> None:
    """A month of ordinary payments."""
    own = list(wallet.devices)[-1]
    world.wait(-29 * DAY)
    for day in range(28):
        world.move(wallet, SHOP, 3_000 + day * 100, device=own, history=True)
        world.wait(DAY)
    world.wait(DAY)


def strangers(count: int) -> list[Wallet]:
    return [Wallet(f"stranger {number}") for number in range(count)]


def all_at_once(world: World) -> None:
    victim = stolen()
    with_past(world, victim)
    world.move(victim, Wallet("a stranger"), victim.balance)


def in_halves(world: World) -> None:
    victim = stolen()
    for stranger in strangers(6):
        world.move(victim, stranger, victim.balance // 2)
        world.wait(MINUTE)


def in_forty_parts(world: World) -> None:
    victim, (stranger,) = stolen(), strangers(1)
    with_past(world, victim)
    for _ in range(40):
        world.move(victim, stranger, 290_000)
        world.wait(30)


def many_small_to_one_from_an_old_device(world: World) -> None:
    victim, (stranger,) = stolen(device_days=60), strangers(1)
    for _ in range(100):
        world.move(victim, stranger, 199_900)
        world.wait(40)


def scattered_in_minutes(world: World) -> None:
    victim = stolen(device_days=60)
    for stranger in strangers(40):
        world.move(victim, stranger, 200_000)
        world.wait(20)


def scattered_over_a_day(world: World) -> None:
    victim = stolen(device_days=60)
    for stranger in strangers(60):
        world.move(victim, stranger, 300_000)
        world.wait(20 * MINUTE)


def another_currency_each_time(world: World) -> None:
    victim, (stranger,) = stolen(device_days=60), strangers(1)
    amounts = {"CNY": 199_000, "USD": 27_000, "EUR": 25_000, "HKD": 210_000, "JPY": 40_000}
    for _, (currency, amount) in zip(range(60), cycle(amounts.items()), strict=False):
        world.move(victim, stranger, amount, currency=currency)
        world.wait(MINUTE)


def a_currency_that_nobody_knows(world: World) -> None:
    victim, (stranger,) = stolen(), strangers(1)
    for _ in range(20):
        world.move(victim, stranger, 700_000, currency="ISK")
        world.wait(MINUTE)


def another_channel_each_time(world: World) -> None:
    victim, (stranger,) = stolen(), strangers(1)
    ways = (
        (MovementKind.TRANSFER, Channel.CUSTOMER, stranger),
        (MovementKind.PAYER_CODE_PAYMENT, Channel.MERCHANT, SHOP),
        (MovementKind.STATIC_CODE_PAYMENT, Channel.CUSTOMER, SHOP),
        (MovementKind.PAYMENT, Channel.CUSTOMER, SHOP),
        (MovementKind.WITHDRAWAL, Channel.CUSTOMER, stranger),
    )
    for _, (kind, channel, payee) in zip(range(50), cycle(ways), strict=False):
        world.move(victim, payee, 450_000, kind=kind, channel=channel)
        world.wait(10 * MINUTE)


def by_codes_at_shops_alone(world: World) -> None:
    victim = stolen()
    for number in range(40):
        shop = Wallet(f"shop {number % 7}", kind="merchant")
        kind = MovementKind.PAYER_CODE_PAYMENT
        world.move(victim, shop, 480_000, kind=kind, channel=Channel.MERCHANT)
        world.wait(15 * MINUTE)


def cash_for_codes(world: World) -> None:
    wallet = stolen(device_days=60)
    for _ in range(40):
        kind = MovementKind.PAYER_CODE_PAYMENT
        world.move(wallet, SHOP, 490_000, kind=kind, channel=Channel.MERCHANT)
        world.wait(20 * MINUTE)


def a_new_device_for_each(world: World) -> None:
    victim = stolen()
    victim.devices = {f"burner {number}": -30 * DAY for number in range(30)}
    for stranger, device in zip(strangers(30), victim.devices, strict=True):
        world.move(victim, stranger, 490_000, device=device)
        world.wait(30 * MINUTE)


def many_wallets_from_one_address(world: World) -> None:
    (mule,) = strangers(1)
    for number in range(40):
        victim = Wallet(f"victim {number}", balance=600_000)
        victim.devices = {f"emulator {number}": -HOUR}
        world.move(victim, SHOP, 2_000, history=True, address="192.0.2.1")
        world.move(victim, mule, 450_000, address="203.0.113.9")
        world.wait(MINUTE)


def probe_then_hit(world: World) -> None:
    victim, (stranger,) = stolen(device_days=60), strangers(1)
    for _ in range(4):
        world.move(victim, stranger, 1)
        world.wait(MINUTE)
    world.move(victim, stranger, 5_000_000)


def try_until_it_works(world: World) -> None:
    victim = stolen()
    amounts = (15_000_000, 12_000_000, 9_000_000, 6_000_000, 3_000_000, 450_000, 300_000)
    for stranger, amount in zip(strangers(7), amounts, strict=True):
        world.move(victim, stranger, amount)
        world.wait(MINUTE)


def wait_a_day_with_the_new_device(world: World) -> None:
    victim = stolen(device_days=2)
    with_past(world, victim)
    world.move(victim, Wallet("a stranger"), victim.balance)


def at_night_for_a_dormant_wallet(world: World) -> None:
    victim, (stranger,) = stolen(device_days=60), strangers(1)
    world.wait(16 * HOUR)
    world.move(victim, stranger, 19_000_000)


def slow_drip_to_one(world: World) -> None:
    victim, (stranger,) = stolen(device_days=60, balance=10_000_000), strangers(1)
    for _ in range(60):
        world.move(victim, stranger, 160_000)
        world.wait(12 * HOUR)


def slow_drip_to_many(world: World) -> None:
    victim = stolen(device_days=60)
    for stranger in strangers(90):
        world.move(victim, stranger, 220_000)
        world.wait(8 * HOUR)


def mule_ring(world: World) -> None:
    mule = Wallet("the mule", balance=0, opened=-3 * DAY)
    for number in range(15):
        world.move(Wallet(f"victim {number}"), mule, 200_000, history=True)
        world.wait(3 * MINUTE)
    for boss in strangers(10):
        world.move(mule, boss, 280_000)
        world.wait(5 * MINUTE)


EVASIONS: list[tuple[Callable[[World], None], str, float]] = [
    (all_at_once, "takeover_drain", 0.0),
    (in_halves, "takeover_drain takeover_large", 0.0),
    (in_forty_parts, "takeover_in_parts split_one_payee", 0.15),
    (many_small_to_one_from_an_old_device, "split_one_payee", 0.10),
    (scattered_in_minutes, "split_many_payees", 0.20),
    (scattered_over_a_day, "split_day", 0.30),
    (another_currency_each_time, "split_one_payee", 0.15),
    (a_currency_that_nobody_knows, "takeover_large", 0.0),
    (another_channel_each_time, "takeover_in_parts", 0.15),
    (by_codes_at_shops_alone, "takeover_in_parts", 0.15),
    (cash_for_codes, "cash_out_at_merchant", 0.15),
    (a_new_device_for_each, "many_devices", 0.15),
    (many_wallets_from_one_address, "device_farm", 0.30),
    (probe_then_hit, "probe_then_hit", 0.01),
    (try_until_it_works, "takeover_after_refusals", 0.02),
    (wait_a_day_with_the_new_device, "unusual_amount", 0.0),
    (at_night_for_a_dormant_wallet, "night_large", 0.0),
    (slow_drip_to_one, "slow_drip", 0.35),
    (slow_drip_to_many, "slow_scatter", 0.40),
    (mule_ring, "mule_funnel", 0.55),
]
"""Ways, the rule that has to see it, and the share of the money that may be gone before."""


@pytest.mark.parametrize(
    ("script", "rules", "share"), EVASIONS, ids=[script.__name__ for script, _, _ in EVASIONS]
)
def test_evasions_are_caught(script: Callable[[World], None], rules: str, share: float) -> None:
    world = World()
    script(world)
    assert set(rules.split()) & world.fired, world.fired
    assert max(world.outcomes).kind >= OutcomeKind.STEP_UP
    assert world.moved <= share * world.asked, f"{world.moved / world.asked:.0%} was moved"


def test_ordinary_months_are_left_alone() -> None:
    """A student, a family and a shopkeeper: nothing is asked of them that was not before."""
    world = World()
    student, family = Wallet("a student", balance=300_000), Wallet("a family")
    keeper, friends = Wallet("a shopkeeper"), strangers(9)
    for day in range(30):
        for hour, amount in ((1, 1_200), (3, 2_500), (9, 3_800)):
            kind = MovementKind.PAYER_CODE_PAYMENT
            world.move(student, SHOP, amount + day, kind=kind, channel=Channel.MERCHANT)
            world.wait(hour * HOUR)
        world.move(student, friends[day % 9], 5_000 + 700 * day)
        if day % 7 == 0:
            world.move(family, keeper, 350_000)
            world.move(family, friends[day % 9], 88_800)
        if day == 3:
            world.move(family, Wallet("the landlord"), 1_200_000)
        world.wait(11 * HOUR)
    assert {outcome.kind for outcome in world.outcomes} == {OutcomeKind.ALLOW}, world.fired
