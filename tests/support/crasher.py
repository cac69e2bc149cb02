"""An engine in a process of its own that ends, as by kill -9, at a failpoint.

`python -m tests.support.crasher POINT`, with the task as one line of JSON on standard input: it
submits one transfer, and exits with 0 if it lives to see the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys

from longmen_server.engine.command import RequestKey
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.ledger.commands import CreateTransfers
from longmen_server.ledger.model import PostingIntent
from longmen_server.platform.clock import Clock, SystemClock
from longmen_server.platform.ids import AccountId, TransactionId, new_id


def command(task: dict[str, str], clock: Clock) -> CreateTransfers:
    """The transfer that a task asks for; every attempt has a transaction id of its own."""
    intent = PostingIntent(
        transaction_id=TransactionId(new_id(1, clock)),
        debit_account_id=AccountId(bytes.fromhex(task["debit"])),
        credit_account_id=AccountId(bytes.fromhex(task["credit"])),
        currency_code="CNY",
        amount=11,
    )
    request = RequestKey(bytes.fromhex(task["digest"]), bytes.fromhex(task["content"]))
    return CreateTransfers(1, request, [intent], chosen=[False], linked=[False])


async def crash(point: str, task: dict[str, str]) -> None:
    clock = SystemClock()
    engine = Engine(dsn=task["dsn"], books=[1], clock=clock, failpoints=Failpoints(f"{point}=kill"))
    await engine.start()
    await engine.submit(command(task, clock), deadline=clock.monotonic() + 30)
    await engine.stop()


if __name__ == "__main__":
    asyncio.run(crash(sys.argv[1], json.loads(sys.stdin.readline())))
