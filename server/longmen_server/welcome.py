"""What a server prints once it serves: where it listens and what to try."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from longmen_server.development import scopes_for
from longmen_server.samples import write_call_metadata

if TYPE_CHECKING:
    from rich.console import Console

    from longmen_server.config import Settings
    from longmen_server.supervisor import Server

__all__ = ["show"]

TOKEN_SECONDS: Final = 24 * 3600
"""How long the printed token lasts: a day of trying things out."""


def show(console: Console, server: Server) -> None:
    """Print the address and, where tokens are our own, one of them and three commands."""
    settings = server.settings
    console.print(Panel(facts(server), title="龙门 Longmen serves", expand=False, padding=(1, 2)))
    if server.issuer is None:
        return
    token = server.issuer.mint(
        kind="service",
        subject="developer",
        scopes=scopes_for("service"),
        lifetime_seconds=TOKEN_SECONDS,
    )
    if settings.samples:
        write_call_metadata(settings.data, token)
    console.print("A development token, good for a day (`longmen token` makes others):\n")
    console.print(f"export LONGMEN_TOKEN={token}", style="green")
    console.print("\nTo try:\n")
    for command in commands(settings):
        console.print(Text(f"  {command}", style="cyan"))
    console.print("\nCtrl-C stops the server; its data stays.")


def facts(server: Server) -> Table:
    """The server in a few words."""
    settings = server.settings
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "gRPC", f"{address(settings)} ({'TLS' if settings.tls_certificate else 'plaintext'})"
    )
    if settings.tls_development:
        table.add_row("authority", authority(settings))
    table.add_row("Postgres", "embedded" if server.embedded else "by LONGMEN_DSN")
    table.add_row("data", str(settings.data))
    table.add_row("workers", str(settings.workers))
    table.add_row("books", ", ".join(str(book) for book in settings.books))
    return table


def commands(settings: Settings) -> tuple[str, str, str]:
    """Three commands that work as printed."""
    flag = "-insecure" if settings.tls_certificate else "-plaintext"
    where = address(settings)
    bearer = '-H "authorization: Bearer $LONGMEN_TOKEN"'
    page = "-d '{\"page_size\": 5}'"
    tls = " --tls" if settings.tls_certificate else ""
    trust = ""
    if settings.tls_development:
        flag = f"-cacert {authority(settings)}"
        trust = f"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={authority(settings)} "
    return (
        f"grpcurl {flag} {where} list",
        f"grpcurl {flag} {bearer} {page} {where} longmen.ledger.v1.LedgerService/ListAccounts",
        f"{trust}{program()} ledger trial-balance --target {where}{tls}",
    )


def program() -> str:
    """How the command line is called from here."""
    if shutil.which("longmen") is not None:
        return "longmen"
    called = Path(sys.argv[0])
    return str(called) if called.name == "longmen" else "python -m longmen_server"


def authority(settings: Settings) -> str:
    """The file of the development authority, which callers have to trust."""
    return str(settings.data / "keys" / "tls-authority.pem")


def address(settings: Settings) -> str:
    """Where to call."""
    return f"{settings.host}:{settings.port}"
