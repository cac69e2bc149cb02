"""`longmen demo`: a day of a small bank."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console.failure import (
    EXIT_CODES,
    FINDINGS,
    UNAVAILABLE,
    WRONG_USAGE,
    fail,
)
from longmen_server.console.session import client_config, make_console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from longmen_client import Config
    from longmen_server.demo.plan import Plan
    from longmen_server.demo.story import Outcome


@click.command(epilog=EXIT_CODES)
@click.option("--target", envvar="LONGMEN_TARGET", help="Server, host:port.")
@click.option("--token", envvar="LONGMEN_TOKEN", help="Bearer token of a service.")
@click.option("--serve", is_flag=True, help="Start a server of its own when none runs.")
@click.option("--small", is_flag=True, help="A day of 40 wallets and 400 payments.")
@click.option("--wallets", type=click.IntRange(20), help="Customers.")
@click.option("--payments", type=click.IntRange(1), help="Payments of the day.")
@click.option("--concurrency", type=click.IntRange(1, 4_096), help="Calls under way at once.")
@click.option("--seed", type=int, help="Another seed plays another day.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def demo(
    target: str | None,
    token: str | None,
    *,
    serve: bool,
    small: bool,
    as_json: bool,
    **sizes: int | None,
) -> None:
    """Play a day of a small bank against a running server, and prove its books.

    Wallets are opened and filled, a merchant is paid by everybody at once, money is held, captured,
    taken back and withdrawn; requests are replayed, reused and refused. In the evening every
    balance, statement and receipt is compared with what the replies of the day add up to, and the
    server verifies its ledger. Ends with an exit code other than 0 when anything is not as it
    should be.
    """
    from longmen_server.demo.server import ServerDidNotStartError

    plan = chosen_plan(small=small, **sizes)
    with ExitStack() as stack:
        try:
            config = reachable(stack, target, token, serve=serve)
        except ServerDidNotStartError as error:
            fail(f"the demo's own server did not start: {error}", UNAVAILABLE)
        outcome = run(config, plan, as_json=as_json)
    show(outcome, as_json=as_json)
    if not outcome.proven:
        raise SystemExit(FINDINGS)


def chosen_plan(*, small: bool, **sizes: int | None) -> Plan:
    """The plan that the options ask for."""
    import dataclasses

    from longmen_server.demo.plan import SMALL, Plan

    given = {name: value for name, value in sizes.items() if value is not None}
    return dataclasses.replace(SMALL if small else Plan(), **given)


def reachable(stack: ExitStack, target: str | None, token: str | None, *, serve: bool) -> Config:
    """How to reach a server that takes calls: the one that runs, or one of the demo's own."""
    from longmen_client import Client, ConfigError
    from longmen_server.demo.server import own_server

    try:
        config = client_config(target, token)
    except ConfigError as error:
        fail(str(error), WRONG_USAGE)
    with Client(config) as bank:
        if bank.is_serving():
            return config
    if not serve or target is not None:
        fail(
            f"no server answers at {config.target}: start one with `longmen serve` or `make run`, "
            "or let the demo do it with --serve",
            UNAVAILABLE,
        )
    click.echo(f"longmen: no server at {config.target}, starting one for the demo", err=True)
    return config_of(stack.enter_context(own_server()))


def config_of(environment: Mapping[str, str]) -> Config:
    """How to reach the server of an environment."""
    for name in ("LONGMEN_DATA", "LONGMEN_PORT"):
        os.environ[name] = environment[name]
    return client_config(None, None)


def run(config: Config, plan: Plan, *, as_json: bool) -> Outcome:
    """Play the day, with progress bars for people."""
    import dataclasses

    from longmen_client import RetryPolicy
    from longmen_server.demo.story import play

    config = dataclasses.replace(
        config,
        connections=plan.connections,
        application="longmen-demo",
        deadline_ms=30_000,
        # A restarted worker breaks as many calls as are under way: let all of them go again.
        retry=RetryPolicy(budget_tokens=4 * plan.concurrency),
    )
    with bars(shown=not as_json) as begin:
        return asyncio.run(play(config, plan, begin))


@contextlib.contextmanager
def bars(*, shown: bool) -> Iterator[Callable[[str, int], Callable[[], None]]]:
    """Progress bars, one for each part of the day."""
    if not shown:
        yield lambda _title, _count: lambda: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description:20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=make_console()) as progress:

        def begin(title: str, count: int) -> Callable[[], None]:
            task = progress.add_task(title, total=count or None)
            return lambda: progress.advance(task)

        yield begin


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print what came of the day."""
    from longmen_server.demo import report

    if as_json:
        click.echo(json.dumps(report.as_mapping(outcome), ensure_ascii=False, indent=2))
    else:
        make_console().print(report.as_tables(outcome))
