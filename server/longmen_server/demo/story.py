"""The whole day from morning to evening."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longmen_client import AsyncClient, LongmenError
from longmen_server.demo import business, day, evening
from longmen_server.demo.day import PHONE_NUMBERS, Day
from longmen_server.demo.shadow import Shadow
from longmen_server.demo.tally import CalledOffError, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen.admin.v1 import verification_pb2
    from longmen.ledger.v1 import ledger_service_pb2
    from longmen_client import Config
    from longmen_server.demo.plan import Plan
    from longmen_server.demo.shop.plan import ShopPlan


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the day."""

    plan: Plan | ShopPlan
    tally: Tally
    seconds: float
    trial_balance: ledger_service_pb2.GetTrialBalanceResponse | None
    """None when the day was called off before the evening."""
    summary: verification_pb2.VerificationSummary | None

    @property
    def proven(self) -> bool:
        """Whether everything was as it should be, to the end."""
        return not self.tally.problems and self.summary is not None


async def play(
    config: Config, plan: Plan, begin: Callable[[str, int], Callable[[], None]]
) -> Outcome:
    """Play the day and judge it.

    Args:
        config: how to reach the server.
        plan: how much of everything.
        begin: told of each part and its number of steps; gives what to call at each step.
    """
    began = time.perf_counter()
    async with AsyncClient(config) as bank:
        today = Day(
            bank=bank,
            plan=plan,
            shadow=Shadow(),
            tally=Tally(),
            first_number=secrets.randbelow(PHONE_NUMBERS),
            begin=begin,
        )
        trial_balance = summary = None
        try:
            await _work(today)
            trial_balance = await evening.trial_balance(today)
            summary = await evening.verify_ledger(today)
        except CalledOffError:
            today.tally.problems.append("the day was called off")
        except LongmenError as error:
            today.tally.problems.append(f"the day was called off: {error.details.method}: {error}")
    seconds = time.perf_counter() - began
    return Outcome(plan, today.tally, seconds, trial_balance, summary)


async def _work(today: Day) -> None:
    """Everything before the last two proofs."""
    await day.open_wallets(today)
    await day.top_up(today)
    await day.pay(today)
    await day.revocable(today)
    await business.hold_and_capture(today)
    await business.pay_wages(today)
    await business.reverse(today)
    await business.withdraw(today)
    await evening.settle_withdrawals(today)
    await evening.compare_balances(today)
    await evening.check_statements(today)
    await evening.walk_history(today)
    await evening.verify_receipts(today)
