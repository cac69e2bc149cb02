"""`longmen keys`: the keys that personal data hangs on."""

from __future__ import annotations

from pathlib import Path

import psycopg
import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from longmen_server import cli, migrate, rotation
from longmen_server.personal_keys import key_file
from longmen_server.platform.postgres import APP_ROLE
from longmen_server.platform.server_check import StorageError, one_line
from longmen_server.verifying import readable_database

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Keys of personal data."""


@keys.command("rotate-pii")
@click.option("--dsn", help="Postgres to change, instead of the one of the data folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and data.")
@click.option(
    "--prepare",
    is_flag=True,
    help="Only put a fresh key into the file, to copy it to the other machines before its use.",
)
@click.option(
    "--destroy-old",
    is_flag=True,
    help="Afterwards destroy the keys before: backups from before are then nobody's to read.",
)
def rotate_pii(*, dsn: str | None, data: Path | None, prepare: bool, destroy_old: bool) -> None:
    """Wrap every customer's data key by a fresh key, while the server runs; or go on with it."""
    settings = cli.settings_from(dsn=dsn, data=data)
    path = key_file(settings)

    def run() -> list[str]:
        # It writes what the server writes, so it comes as the server does.
        with readable_database(settings, cli.announce, role=APP_ROLE) as database:
            migrate.check_schema(database)
            try:
                if prepare:
                    return [f"key {rotation.prepare_key(database, path)} is in {path}, unused yet"]
                return _rotate(database, path, destroy_old=destroy_old)
            except psycopg.OperationalError as error:
                raise StorageError(f"cannot reach the database: {one_line(error)}") from error

    for line in cli.answered(run):
        click.echo(line)


def _rotate(database: str, path: Path, *, destroy_old: bool) -> list[str]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("data keys", total=None)
        done = rotation.rotate(
            database,
            path,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    again = ", going on with an earlier rotation" if done.resumed else ""
    lines = [f"{done.count:,} data keys are wrapped by key {done.key_id}{again}"]
    if destroy_old:
        gone = rotation.destroy_old_keys(database, path)
        lines.append(f"destroyed {len(gone)} older keys")
    return lines
