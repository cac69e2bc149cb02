"""`longmen demo-shop`: a market day, from taking merchants in to proving the books."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console.demo import bars, reachable
from longmen_server.console.failure import EXIT_CODES, FINDINGS, UNAVAILABLE, fail
from longmen_server.console.session import make_console

if TYPE_CHECKING:
    from longmen_client import Config
    from longmen_server.demo.shop.plan import ShopPlan
    from longmen_server.demo.story import Outcome

TOKEN_S = 3_600
"""Seconds that the tokens of customers and of staff last."""


@click.command("demo-shop", epilog=EXIT_CODES)
@click.option("--target", envvar="LONGMEN_TARGET", help="Server, host:port.")
@click.option("--token", envvar="LONGMEN_TOKEN", help="Bearer token of a service.")
@click.option("--serve", is_flag=True, help="Start a server of its own when none runs.")
@click.option("--small", is_flag=True, help="A market of 4 stalls and 14 customers.")
@click.option("--merchants", type=click.IntRange(4, 500), help="Stalls.")
@click.option("--customers", type=click.IntRange(12), help="Customers without a PIN.")
@click.option("--concurrency", type=click.IntRange(1, 512), help="Customers served at once.")
@click.option("--seed", type=int, help="Another seed plays another day.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def demo_shop(
    target: str | None,
    token: str | None,
    *,
    serve: bool,
    small: bool,
    as_json: bool,
    **sizes: int | None,
) -> None:
    """Play a market day against a running server, and prove its books.

    Merchants are taken in, customers scan tills and tills scan customers, larger amounts wait for a
    PIN, money goes back, tills are lost and stalls are offline for half an hour. In the evening
    webhooks, bills, settlement and every balance are compared with what the tills wrote down, and
    the server verifies its ledger. Ends with an exit code other than 0 when anything is not as it
    should be. The server has to be one to try out: its clock is moved on by a day or two.
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


def chosen_plan(*, small: bool, **sizes: int | None) -> ShopPlan:
    """The plan that the options ask for."""
    import dataclasses

    from longmen_server.demo.shop.plan import SMALL_MARKET, ShopPlan

    given = {name: value for name, value in sizes.items() if value is not None}
    return dataclasses.replace(SMALL_MARKET if small else ShopPlan(), **given)


def run(config: Config, plan: ShopPlan, *, as_json: bool) -> Outcome:
    """Play the day, with progress bars for people."""
    import dataclasses

    from longmen_client import RetryPolicy
    from longmen_server.config import read_settings
    from longmen_server.demo.shop.story import play
    from longmen_server.development import DevelopmentError, development_issuer, scopes_for
    from longmen_server.messages.outbox import OUTBOX_FILE
    from longmen_server.platform.ids import CUSTOMER

    settings, _ = read_settings(os.environ)
    try:
        issuer = development_issuer(settings)
    except DevelopmentError as error:
        fail(str(error), UNAVAILABLE)
    scopes = scopes_for("customer")

    def customer_token(customer_id: str) -> str:
        return issuer.mint(
            kind="customer",
            subject=customer_id,
            scopes=scopes,
            customer_id=CUSTOMER.decode(customer_id),
            lifetime_seconds=TOKEN_S,
        )

    config = dataclasses.replace(
        config,
        connections=plan.connections,
        application="longmen-demo",
        deadline_ms=30_000,
        retry=RetryPolicy(budget_tokens=4 * plan.concurrency),
    )
    staff_token = issuer.mint(
        kind="staff",
        subject="market-office",
        scopes=scopes_for("staff"),
        customer_id=None,
        lifetime_seconds=TOKEN_S,
    )
    with bars(shown=not as_json) as begin:
        return asyncio.run(
            play(
                config,
                plan,
                staff_token=staff_token,
                customer_token=customer_token,
                outbox=settings.data / OUTBOX_FILE,
                begin=begin,
            )
        )


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print what came of the day."""
    from longmen_server.demo.shop import report

    if as_json:
        click.echo(json.dumps(report.as_mapping(outcome), ensure_ascii=False, indent=2))
    else:
        make_console().print(report.as_tables(outcome))
