"""Both acts, and what can be said of them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_client import Client
from longmen_server.demo.fraud.cast import Stage
from longmen_server.demo.fraud.ring import Ring
from longmen_server.demo.fraud.takeover import Takeover

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from longmen.risk.v1 import backtest_pb2
    from longmen_client import Config
    from longmen_server.demo.identity import Step

__all__ = ["play"]


def play(
    config: Config,
    *,
    staff: Callable[[str], str],
    outbox: Path,
    tell: Callable[[Step], None],
) -> list[Step]:
    """Play both acts against a running server, and prove what came of them.

    Args:
        config: how to reach the server as a service of the bank.
        staff: mints the token of a member of staff.
        outbox: the server's data folder, where the development outbox is.
        tell: told of each step as it is done.

    Raises:
        StoryError: a step came out otherwise than it has to.
        LongmenError: the server refused what it must not refuse.
    """
    with Client(config) as bank:
        stage = Stage(config=config, bank=bank, staff=staff, outbox=outbox, tell=tell)
        began = stage.now()
        takeover = Takeover(stage)
        takeover.play()
        Ring(stage).play()
        _replay(stage, takeover.reference)
        _judge_again(stage, began)
        _verify(stage)
    return stage.steps


def _replay(stage: Stage, reference: str) -> None:
    """The freeze comes out the same from its record alone."""
    replayed = stage.bank.risk.replay_decision(decision_id=reference)
    stage.check(replayed.same, "a decision comes out otherwise from its record")
    stage.done("replay the freeze", "the same from the record alone")


def _judge_again(stage: Stage, began: dt.datetime) -> None:
    """All decisions of both acts by the rules in force: none comes out otherwise."""
    result: backtest_pb2.BacktestResult | None = None
    with stage.bank.rules.backtest_rules(from_time=began) as messages:
        for message in messages:
            if message.HasField("result"):
                result = message.result
    assert result is not None, "a stream of progress ends with a result"
    stage.check(not result.next_cursor, "two acts have more decisions than a backtest")
    other = sum(one.decision_count for one in result.cells if one.before != one.after)
    stage.check(other == 0, f"{other} decisions come out otherwise by the same rules")
    stage.check(result.caught.after_count >= 2, "the frauds of both acts are not counted as caught")
    stage.done(
        "backtest both acts",
        f"{result.decision_count} decisions, {result.alerts.after_count} alerts,"
        f" {result.caught.after_count} frauds caught, {result.missed.after_count} missed",
    )


def _verify(stage: Stage) -> None:
    postings = 0
    with stage.bank.admin.verify_ledger() as messages:
        for message in messages:
            if message.HasField("finding"):
                finding = message.finding
                stage.check(holds=False, problem=f"verify found {finding.kind}: {finding.detail}")
            if message.HasField("summary"):
                postings = message.summary.posting_count
    stage.done("longmen verify", f"nothing to find in {postings:,} postings")
