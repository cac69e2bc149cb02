"""The `longmen` command.

Commands are imported when they are used, so that `longmen --help` and the client commands start
fast.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import rich_click as click

from longmen_server.console.lazy import CLIENT_COMMANDS, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen_server.config import Settings

__all__ = ["main"]

TOKEN_SECONDS: Final = 24 * 3600
"""How long a development token lasts unless told otherwise."""


@click.group(
    cls=LazyGroup,
    lazy=CLIENT_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="longmen-server", prog_name="longmen")
def cli() -> None:
    """Core banking behind a digital wallet.

    Settings are environment variables LONGMEN_*; docs/operations.md lists them all.
    """


@cli.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="TCP port; 0 lets the system choose.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and data.")
@click.option("--workers", type=int, help="Worker processes.")
@click.option("--migrate/--no-migrate", default=None, help="Bring the schema up to date first.")
@click.option(
    "--tls-development",
    is_flag=True,
    default=None,
    help="Serve TLS with an authority of its own, made in the data folder.",
)
def serve(**options: Any) -> None:
    """Serve gRPC, with an embedded Postgres unless LONGMEN_DSN names one."""
    from longmen_server import supervisor

    settings = settings_from(**options)
    console = output()
    answered(
        lambda: supervisor.serve(
            settings, announce=announce, on_ready=lambda server: welcome(console, server)
        )
    )


@cli.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and data.")
@click.option("--check", is_flag=True, help="Only say whether the schema is up to date.")
@click.option("--sql", is_flag=True, help="Only print the whole schema as SQL.")
def migrate(*, data: Path | None, check: bool, sql: bool) -> None:
    """Bring the database's schema to the version this server needs."""
    from longmen_server import migrate as schema
    from longmen_server import personal_keys, supervisor

    if sql:
        schema.print_sql(sys.stdout)
        return
    settings = settings_from(data=data)

    def run() -> None:
        with supervisor.owned_database(settings, announce) as dsn:
            if check:
                schema.check_schema(dsn)
            keys = personal_keys.key_file(settings)
            before, after = (None, None) if check else schema.upgrade(dsn, personal_keys=keys)
        if before != after:
            announce(f"migrated the schema from {before or 'nothing'} to {after}")
        else:
            announce("the schema is up to date")

    answered(run)


@cli.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the server's key.")
@click.option(
    "--kind",
    type=click.Choice(["service", "customer", "staff", "merchant"]),
    default="service",
    show_default=True,
    help="Sort of principal.",
)
@click.option("--subject", default="developer", show_default=True, help="Who it speaks for.")
@click.option("--scope", "scopes", multiple=True, help="Scope; all the kind may use if omitted.")
@click.option("--customer", help="Customer id (cust_...); needed for customers.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["teller", "operations", "risk_officer", "auditor", "admin"]),
    help="Role of staff; held to no role if omitted.",
)
@click.option("--branch", default="", help="Branch of staff.")
@click.option(
    "--lifetime",
    type=click.IntRange(1, 366 * 24 * 3600),
    default=TOKEN_SECONDS,
    show_default=True,
    help="Seconds it lasts.",
)
def token(
    *,
    data: Path | None,
    kind: str,
    subject: str,
    scopes: tuple[str, ...],
    customer: str | None,
    lifetime: int,
    roles: tuple[str, ...],
    branch: str,
) -> None:
    """Mint a development token for the server of this data folder, which need not run."""
    from longmen_server import development

    settings = settings_from(data=data)
    minted = answered(
        lambda: development.mint(
            settings,
            kind=kind,
            subject=subject,
            scopes=scopes,
            customer=customer,
            lifetime_seconds=lifetime,
            roles=roles,
            branch=branch,
        )
    )
    click.echo(minted)


def settings_from(**options: object) -> Settings:
    """The settings of environment and command line; wrong ones end the program, status 2."""
    from longmen_server.config import ConfigError, read_settings

    try:
        settings, warnings = read_settings(os.environ, **options)
    except ConfigError as error:
        fail(str(error), status=2)
    for warning in warnings:
        announce(warning)
    return settings


def answered(run: Callable[[], Any]) -> Any:
    """What a command gives; a failure that the operator can mend becomes one line and status 1."""
    from longmen_server.failures import OPERATORS_FAILURES

    try:
        return run()
    except OPERATORS_FAILURES as error:
        fail(str(error), status=1)


def fail(message: str, *, status: int) -> NoReturn:
    """End the program with one line."""
    announce(" ".join(message.split()))
    sys.exit(status)


def announce(message: str) -> None:
    """One line for the operator, beside the output."""
    click.echo(f"longmen: {message}", err=True)


def output() -> Any:
    """Where a person reads."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def welcome(console: Any, server: Any) -> None:
    """Say where the server listens and what to try."""
    from longmen_server.welcome import show

    show(console, server)


def main() -> None:
    """Run the command line."""
    cli(prog_name="longmen")
