"""`longmen messages`: what a server to try out would have sent to its customers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The server's data folder.")
@click.option("--to", "recipient", help="Only messages to this phone number or address.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Latest ones."
)
@click.option("--text", "text_only", is_flag=True, help="Print only the latest message's text.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def messages(
    *, data: Path | None, recipient: str | None, limit: int, text_only: bool, as_json: bool
) -> None:
    """Show the development outbox: codes and notices that no provider was set up for."""
    from longmen_server.config import ConfigError, read_settings
    from longmen_server.messages.outbox import OUTBOX_FILE, read_outbox

    try:
        settings, _ = read_settings(os.environ, data=data)
    except ConfigError as error:
        click.echo(f"longmen: {error}", err=True)
        sys.exit(2)
    found = [
        one
        for one in read_outbox(settings.data / OUTBOX_FILE)
        if recipient in {None, one["recipient"]}
    ][-limit:]
    if text_only:
        if not found:
            click.echo("longmen: no message", err=True)
            sys.exit(1)
        click.echo(found[-1]["text"])
    elif as_json:
        for one in found:
            click.echo(json.dumps(one, ensure_ascii=False))
    else:
        table = Table("time", "channel", "to", "text", box=None)
        for one in found:
            table.add_row(one["time"], one["channel"], one["recipient"], one["text"])
        Console().print(table)
