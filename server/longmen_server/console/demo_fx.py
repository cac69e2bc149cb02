"""`longmen demo-fx`: a traveller's day in five currencies."""

from __future__ import annotations

from contextlib import ExitStack

import rich_click as click

from longmen_server.console.demo import reachable
from longmen_server.console.failure import (
    EXIT_CODES,
    FINDINGS,
    UNAVAILABLE,
    exit_code,
    fail,
    one_line,
)
from longmen_server.console.session import make_console


@click.command("demo-fx", epilog=EXIT_CODES)
@click.option("--target", envvar="LONGMEN_TARGET", help="Server, host:port.")
@click.option("--token", envvar="LONGMEN_TOKEN", help="Bearer token of a service.")
@click.option("--serve", is_flag=True, help="Start a server of its own when none runs.")
def demo_fx(target: str | None, token: str | None, *, serve: bool) -> None:
    """Play a traveller's day against a running server, and say each step.

    The European Central Bank's history is imported, money goes through five currencies, a limit
    order is filled when its rate comes, old rates and damaged feeds are refused, the day is closed,
    and positions, ledger and verification agree. The server has to be one to try out: a rate is
    set by hand.
    """
    from longmen_client import LongmenError
    from longmen_server.demo.exchange import FxStory
    from longmen_server.demo.identity import Step, StoryError
    from longmen_server.demo.server import ServerDidNotStartError

    console = make_console()

    def tell(step: Step) -> None:
        console.print(f"[green]✓[/] [bold]{step.title}[/]: ", end="")
        console.print(step.result, markup=False, highlight=False)

    with ExitStack() as stack:
        try:
            config = reachable(stack, target, token, serve=serve)
        except ServerDidNotStartError as error:
            fail(f"the demo's own server did not start: {error}", UNAVAILABLE)
        try:
            steps = FxStory(config=config, tell=tell).play()
        except StoryError as error:
            fail(str(error), FINDINGS)
        except LongmenError as error:
            fail(one_line(error, config.target), exit_code(error))
    console.print(f"[bold]{len(steps)} steps, each as it has to be.")
