"""`longmen demo-risk`: a wallet taken over and a ring of mules."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from longmen_client import Config
    from longmen_server.demo.identity import Step


STAFF_TOKEN_S = 600
"""Seconds that the tokens of the two members of staff last."""


@click.command("demo-risk", epilog=EXIT_CODES)
@click.option("--target", envvar="LONGMEN_TARGET", help="Server, host:port.")
@click.option("--token", envvar="LONGMEN_TOKEN", help="Bearer token of a service.")
@click.option("--serve", is_flag=True, help="Start a server of its own when none runs.")
def demo_risk(target: str | None, token: str | None, *, serve: bool) -> None:
    """Play two frauds against a running server, and say each step.

    A wallet is tried out, taken over and nearly emptied: what is asked is stepped up, delayed,
    stopped and frozen, the owner is told, appeals, and is let free by two members of staff. A ring
    of mules collects and passes on, is caught, and what was held comes back. Limits are explained
    before and after an identification, and in the end everything is judged again and verified. The
    server has to be one to try out: its clock is moved on by two weeks, and codes are read from its
    development outbox.
    """
    from longmen_server.demo.server import ServerDidNotStartError

    with ExitStack() as stack:
        try:
            config = reachable(stack, target, token, serve=serve)
        except ServerDidNotStartError as error:
            fail(f"the demo's own server did not start: {error}", UNAVAILABLE)
        play(config)


def play(config: Config) -> None:
    """Play it, telling each step as it is done."""
    from longmen_client import LongmenError
    from longmen_server.config import read_settings
    from longmen_server.demo.fraud.story import play as play_story
    from longmen_server.demo.identity import StoryError
    from longmen_server.development import mint

    console = make_console()
    settings, _ = read_settings(os.environ)

    def tell(step: Step) -> None:
        console.print(f"[green]✓[/] [bold]{step.title}[/]: ", end="")
        console.print(step.result, markup=False, highlight=False)

    try:
        steps = play_story(
            config,
            staff=lambda subject: mint(
                settings,
                kind="staff",
                subject=subject,
                scopes=(),
                customer=None,
                lifetime_seconds=STAFF_TOKEN_S,
            ),
            outbox=settings.data,
            tell=tell,
        )
    except StoryError as error:
        fail(str(error), FINDINGS)
    except LongmenError as error:
        fail(one_line(error, config.target), exit_code(error))
    console.print(f"[bold]{len(steps)} steps, each as it has to be.")
