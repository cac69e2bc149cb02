"""Work by numbers: what request number n asks for, and what it must have left in the books."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from longmen_server.platform.ids import TransactionId, new_id
from tests.support import booking
from tests.support.booking import account, capture, hold, move

if TYPE_CHECKING:
    from longmen_server.engine.command import Command
    from longmen_server.ledger.model import PostingIntent
    from longmen_server.platform.clock import Clock
    from tests.support.audit import Books

BANK: Final = 1
WALLETS: Final = range(2, 12)
POOR: Final = 12
"""A wallet with a floor and next to nothing on it."""
OPENING: Final = 0
"""The request that opens and funds the accounts."""
CHOSEN_FROM: Final = 1_000_000

#: Postings that a request leaves when it is not refused, by its number modulo ten.
POSTINGS: Final = (1, 1, 1, 1, 1, 1, 1, 2, 2, 2)


def opening(clock: Clock) -> list[Command]:
    """Commands that make the accounts, to be asked one after another, as often as one likes."""
    rows = [account(BANK, chart_code=booking.CLEARING), account(POOR, floor=0)]
    rows += [account(number) for number in WALLETS]
    return [booking.open_accounts(*rows, request=booking.request_key(OPENING))]


def command_of(number: int, clock: Clock) -> Command:
    """What a request asks for. Ids the server makes differ from try to try, as they do in life."""
    random_ = random.Random(number)
    debit, credit = random_.sample([*WALLETS, BANK], 2)
    amount = random_.randint(1, 1000)
    key = booking.request_key(number)

    def made() -> TransactionId:
        return TransactionId(new_id(1, clock))

    kind = number % 10
    tagged = f"r{number}"
    plain = replace(move(made(), debit, credit, amount), reference=tagged)
    if kind == 5:
        poor = replace(plain, debit_account_id=booking.account_id(POOR))
        return booking.transfers(poor, request=key)
    if kind == 6:
        chosen = replace(plain, transaction_id=booking.transaction_id(CHOSEN_FROM + number))
        return booking.transfers(chosen, request=key, chosen=True)
    if kind == 7:
        back = replace(move(made(), credit, debit, 1), reference=tagged)
        return booking.transfers(plain, back, request=key, linked=[0])
    if kind == 8:
        return _several(number, plain, clock)
    if kind == 9:
        return _held(number, debit, credit, amount)
    return booking.transfers(plain, request=key)


def _several(number: int, plain: PostingIntent, clock: Clock) -> Command:
    key = TransactionId(new_id(1, clock))
    return booking.transaction(
        key,
        plain,
        replace(plain, amount=1),
        request=booking.request_key(number),
        chosen=False,
    )


def _held(number: int, debit: int, credit: int, amount: int) -> Command:
    address = CHOSEN_FROM + 2_000_000 + number
    taken = capture(CHOSEN_FROM + 4_000_000 + number, address)
    return booking.transfers(
        replace(hold(address, debit, credit, amount), reference=f"r{number}"),
        replace(taken, reference=f"r{number}"),
        request=booking.request_key(number),
        chosen=True,
    )


def check_effects(books: Books, done: dict[int, str]) -> None:
    """Every request that was answered left what it says, once; nothing else is there."""
    found: dict[str, set[bytes]] = defaultdict(set)
    counts = Counter[str]()
    for posting in books.postings:
        found[posting.reference].add(posting.transaction_id)
        counts[posting.reference] += 1
    expected = {
        f"r{number}": POSTINGS[number % 10]
        for number, verdict in done.items()
        if verdict == "CREATED"
    }
    assert dict(counts) == expected, "a request was lost, doubled, or half done"
    for number, verdict in done.items():
        if verdict == "CREATED" and number % 10 not in {7, 9}:
            assert len(found[f"r{number}"]) == 1, "a request took effect under two ids"
    requests = {row.request_key for row in books.requests}
    asked = {booking.request_key(number).digest for number in done}
    assert asked <= requests
