"""Workers killed as by `kill -9` at every boundary of a batch, with much else under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from longmen_server.engine.failpoints import POINTS
from tests.fault.bank import Bank, Teller
from tests.support.poll import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import Database

CALLERS = 24


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_a_boundary_loses_and_doubles_nothing(
    database: Database, tmp_path: Path, point: str
) -> None:
    teller = Teller(database.app_dsn)
    await teller.start()
    bank = Bank([teller], tmp_path / "acknowledged")
    callers = [asyncio.create_task(bank.caller()) for _ in range(CALLERS)]
    await until(lambda: len(bank.done) > 100, "some work is done")
    teller.arm(point, "kill")
    async with asyncio.timeout(30):
        await teller.ended()
    acknowledged = len(bank.done)
    await teller.start()
    await until(lambda: len(bank.done) > acknowledged + 100, "work goes on")
    bank.stopping = True
    await asyncio.gather(*callers)
    await bank.ask_again(share=3)
    await teller.close()
    assert bank.unknown > 0, "nobody was left in doubt: the kill hit nothing"
    bank.check(database.admin_dsn)
