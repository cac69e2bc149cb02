"""The one place that lets a movement of money pass its limits, or refuses it. Pure.

Commands that move a customer's money name the rows that limits need together with their accounts,
and call :func:`reserve` with the movement after they have found out what it is to be, and before
they ask for approval and book. It checks every cap that binds, and counts: what moves at once as
used, what is held as reserved, until the hold ends (see holds.py). Accounts that are not of wallets
have no limits. Withdrawals to a bank account, refunds and what comes back are no payments: they are
never refused for a cap on payments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from longmen_server.challenges.model import NOTHING
from longmen_server.engine.command import RowKey
from longmen_server.engine.family import STAGE_ACCOUNT
from longmen_server.factors.model import FactorKind, bit
from longmen_server.factors.tables import SECURITY
from longmen_server.kyc.standing import pack_at
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.limits import holds as _holds  # noqa: F401 - holds are watched from here on
from longmen_server.limits.model import (
    CounterKey,
    CounterRow,
    EntryRow,
    OwnKey,
    Period,
    Track,
    balance_limit_exceeded,
    mask_of,
)
from longmen_server.limits.rules import (
    Finding,
    Way,
    base_amount,
    binding_caps,
    findings,
    today_of,
    told,
    ways_of,
)
from longmen_server.limits.tables import COUNTER, ENTRY, FACTS, OWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.challenges.model import Decision
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.kyc.model import Pack
    from longmen_server.ledger.model import AccountRow
    from longmen_server.limits.model import AccountFacts, Cap
    from longmen_server.limits.movement import Movement
    from longmen_server.limits.rules import Today
    from longmen_server.platform.ids import AccountId, CustomerId
    from longmen_server.platform.refusal import Refusal

__all__ = ["Assessment", "assess", "check", "check_single", "keys", "most", "reserve"]

_PASSKEY = bit(FactorKind.PASSKEY)
_SPEND = mask_of(Track.SPEND)
_ACCOUNT = mask_of(Track.ACCOUNT)


def keys(
    stage: int, *, payer_id: AccountId | None = None, payee_id: AccountId | None = None
) -> Iterable[RowKey]:
    """Name what :func:`reserve` needs of the accounts of a movement, besides the accounts."""
    if stage == STAGE_ACCOUNT:
        if payer_id is not None:
            yield RowKey(FACTS, payer_id)
            yield RowKey(OWN, payer_id)
            yield RowKey(COUNTER, payer_id)
        if payee_id is not None:
            yield RowKey(FACTS, payee_id)


class Assessment(NamedTuple):
    """What limits say of a movement that a wallet pays."""

    facts: AccountFacts
    today: Today
    pack: Pack
    base: int | None
    """What it counts; None in a currency without an equivalent."""
    way: Way
    """How it can be made; the last way there is, if it cannot."""
    findings: list[Finding]
    """The caps of that way."""
    failed: Finding | None
    """The cap that refuses it."""

    @property
    def binding(self) -> Finding | None:
        """The cap that refuses it, or else the one that leaves least; None when none binds."""
        amounts = [one for one in self.findings if one.cap.amount is not None]
        return self.failed or min(amounts, key=lambda one: one.left, default=None)


def reserve(working_set: WorkingSet, movement: Movement) -> Decision:
    """Let a movement pass, and count it where it is counted; return what has to approve it.

    What has to be approved first is rolled back by who asks for the approval, and counted when it
    comes again.

    Raises:
        Refusal: as :func:`check`.
    """
    found = assess(working_set, movement)
    _check_receipt(working_set, movement)
    if found is None:
        return NOTHING
    if found.failed is not None:
        raise _refusal(found, movement)
    if found.base is not None and found.way.mask:
        _count(working_set, movement, found)
    return found.way.demand


def check(working_set: WorkingSet, movement: Movement) -> Decision:
    """Refuse a movement that its limits do not let, and count nothing.

    The accounts of the movement are loaded and there. What is returned is the least that limits
    demand to approve it, beside what the policy of step-up does.

    Raises:
        Refusal: SINGLE_LIMIT_EXCEEDED, LIMIT_EXCEEDED, BALANCE_LIMIT_EXCEEDED.
    """
    found = assess(working_set, movement)
    _check_receipt(working_set, movement)
    if found is None:
        return NOTHING
    if found.failed is not None:
        raise _refusal(found, movement)
    return found.way.demand


def assess(working_set: WorkingSet, movement: Movement) -> Assessment | None:
    """Return what the limits of who pays say of a movement; None where no wallet pays."""
    if movement.payer_id is None:
        return None
    facts = working_set.get(FACTS, movement.payer_id)
    if facts is None:
        return None
    ways = ways_of(movement)
    if not ways:
        return None
    now_us = working_set.now_us
    today = today_of(now_us)
    pack = pack_at(today.date)
    caps = _caps(working_set, facts, today, pack)
    base = base_amount(pack, movement.amount, movement.currency_code)
    whole = base
    if movement.together:
        whole = base_amount(pack, movement.together, movement.currency_code)
    taken: Assessment | None = None
    for way in ways:
        if taken is not None and not _can_approve(working_set, way, facts.customer_id):
            break
        mask = way.mask
        if facts.account_type and mask & _SPEND:
            mask |= _ACCOUNT
        table = list(
            findings(
                caps,
                mask,
                facts,
                lambda key: working_set.get(COUNTER, key),
                day=today.day,
                base=base,
                whole=whole,
            )
        )
        failed = next((one for one in table if one.exceeded), None)
        taken = Assessment(facts, today, pack, base, way._replace(mask=mask), table, failed)
        if failed is None or not failed.cap.by_approval:
            break
    return taken


def _caps(
    working_set: WorkingSet, facts: AccountFacts, today: Today, pack: Pack
) -> tuple[Cap, ...]:
    own = ()
    table = working_set.tables.get(OWN)
    if table is not None and table.rows:
        own = tuple(
            row
            for period in Period
            if (row := table.rows.get(OwnKey(facts.customer_id, period))) is not None
        )
    return binding_caps(today, pack, facts, own, working_set.now_us)


def _can_approve(working_set: WorkingSet, way: Way, customer_id: CustomerId) -> bool:
    """Whether a customer has what a way takes: without a passkey nobody signs by a key."""
    if way.demand.methods != _PASSKEY:
        return True
    security = working_set.get(SECURITY, customer_id)
    return security is not None and bool(security.kinds & _PASSKEY)


def _refusal(found: Assessment, movement: Movement) -> Refusal:
    assert found.failed is not None, "the caller asks for what is refused"
    return told(found.failed, found.pack, movement.currency_code, found.today.day)


def _count(working_set: WorkingSet, movement: Movement, found: Assessment) -> None:
    """Count a movement, and keep what it counts."""
    facts, base = found.facts, found.base
    assert base is not None, "what has no equivalent is not counted"
    held = movement.is_held
    entry = EntryRow(
        transaction_id=movement.transaction_id,
        customer_id=facts.customer_id,
        account_id=facts.account_id,
        kind=movement.kind,
        tracks=found.way.mask,
        day=found.today.day,
        currency_code=movement.currency_code,
        amount=movement.amount,
        base=base,
        used=0 if held else base,
        reserved=base if held else 0,
        restored=0,
        updated_at_us=working_set.now_us,
    )
    rows = [_counter(working_set, key, entry.day) for key in entry.counters]
    # Clocks of two processes may lie on two sides of midnight: the later day holds for all.
    entry.day = max(row.day for row in rows)
    for row in rows:
        row.roll(entry.day)
        row.shift(entry.day, used=entry.used, reserved=entry.reserved, count=1)
    working_set.insert(ENTRY, entry.transaction_id, entry)


def _counter(working_set: WorkingSet, key: CounterKey, day: int) -> CounterRow:
    """Return a counter to change, begun if the track was never used."""
    if working_set.get(COUNTER, key) is None:
        working_set.insert(COUNTER, key, CounterRow(*key, day, 0, 0, 0, 0, 0, 0, 0))
    row = working_set.edit(COUNTER, key)
    row.roll(day)
    return row


def check_single(working_set: WorkingSet, payer: AccountRow, amount: int) -> None:
    """Refuse a cap on later payments that is larger than one payment may be.

    Raises:
        Refusal: SINGLE_LIMIT_EXCEEDED.
    """
    facts = working_set.get(FACTS, payer.account_id)
    if facts is None:
        return
    today = today_of(working_set.now_us)
    pack = pack_at(today.date)
    whole = base_amount(pack, amount, payer.currency_code)
    for cap in _caps(working_set, facts, today, pack):
        if cap.period != Period.SINGLE or Track.SPEND not in cap.tracks or cap.amount is None:
            continue
        if whole is None or whole > cap.amount:
            raise told(Finding(cap, 0, 0, True), pack, payer.currency_code, today.day)


def _check_receipt(working_set: WorkingSet, movement: Movement) -> None:
    """Refuse money that would make a balance larger than the payee may have.

    What is on its way to the account counts, so that a delayed payment that was let in can also
    arrive. How well somebody else is known to the bank, the payer is not told.

    Raises:
        Refusal: BALANCE_LIMIT_EXCEEDED.
    """
    if movement.payee_id is None:
        return
    facts = working_set.get(FACTS, movement.payee_id)
    payee = working_set.get(ACCOUNT, movement.payee_id)
    if facts is None or payee is None:
        return
    pack = pack_at(today_of(working_set.now_us).date)
    limit, metadata = most(working_set, pack, facts, payee.currency_code)
    amount = movement.amount if movement.payee_amount is None else movement.payee_amount
    if limit is not None and payee.posted + payee.credits_pending + amount > limit:
        raise balance_limit_exceeded(metadata if movement.is_own else {})


def most(
    working_set: WorkingSet, pack: Pack, facts: AccountFacts, currency_code: str
) -> tuple[int | None, dict[str, str]]:
    """Return the most that an account may hold in its currency, and what is told of it."""
    rules = pack.classes.get(facts.identification_class)
    limit = None if rules is None else pack.amount(rules.balance, currency_code)
    name = "CLASS_BALANCE"
    if facts.account_type:
        types = today_of(working_set.now_us).packs.get("ACCOUNT_TYPE")
        of_type = None if types is None else types.balances.get(facts.account_type)
        typed = pack.amount(of_type, currency_code)
        if typed is not None and (limit is None or typed < limit):
            limit, name = typed, f"ACCOUNT_TYPE_{facts.account_type}_BALANCE"
    metadata = {
        "limit": name,
        "limit_minor_units": str(limit),
        "currency_code": currency_code,
        "identification_class": str(facts.identification_class),
    }
    return limit, metadata
