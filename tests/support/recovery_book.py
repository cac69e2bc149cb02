"""What protects wallets, in a book: freezes of owners and of the bank, branches, resets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.factors.commands import Owner, SetPaymentPin
from longmen_server.factors.model import FactorKind, bit
from longmen_server.platform.ids import FactorId, new_id
from longmen_server.recovery.commands import EffectReset, ResetFactors
from longmen_server.recovery.model import Evidence, ResetRow, ResetState
from longmen_server.staff.commands import AssignBranch
from tests.support.ledger import BOOK

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.wallets import Person, Wallets

SECOND_US = 1_000_000


async def fill_recovery(wallets: Wallets, clock: SettableClock) -> None:
    """Three customers: one frozen by oneself, one by the bank, two reset, all of branches."""
    own, banks, lost = [await wallets.person(funds=100) for _ in range(3)]
    await wallets.ask("FreezeAccount", own.principal, account_id=own.account)
    await wallets.ask("FreezeAccount", account_id=banks.account, reason_text="court")
    for person, branch in ((own, "sh-01"), (own, "sh-02"), (banks, "sh-01"), (lost, "")):
        await wallets.submit(
            AssignBranch(BOOK, None, customer_id=person.customer_id, branch=branch)
        )
    for person, cooling_us in ((lost, SECOND_US), (own, 3600 * SECOND_US)):
        await _reset(wallets, clock, person, cooling_us)
    clock.advance(2)
    await wallets.submit(EffectReset(BOOK, None, customer_id=lost.customer_id))


async def _reset(wallets: Wallets, clock: SettableClock, person: Person, cooling_us: int) -> None:
    owner = Owner(person.customer_id)
    factor_id = FactorId(new_id(BOOK, clock))
    await wallets.submit(SetPaymentPin(BOOK, None, owner=owner, factor_id=factor_id, phc=""))
    row = ResetRow(
        customer_id=person.customer_id,
        state=ResetState.COOLING,
        kinds=bit(FactorKind.PAYMENT_PIN),
        evidence=Evidence.IN_PERSON,
        evidence_reference="SH-01/1",
        thumbprint="k" * 43,
        approved_at_us=0,
        effective_at_us=cooling_us,
        changed_at_us=0,
    )
    await wallets.submit(ResetFactors(BOOK, None, row=row))
