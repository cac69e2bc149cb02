"""What every command starts with: where the server is, who asks, and how to show the answer."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from longmen_server.console.failure import (
    BROKEN,
    INTERRUPTED,
    WRONG_USAGE,
    exit_code,
    fail,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message
    from rich.console import Console, RenderableType

    from longmen_client import Client, Config

T = TypeVar("T")

WIDE = 240
"""Columns of tables that go into a file or a pipe, so that no id is cut."""

TOKEN_LIFETIME_S = 3_600
"""How long a token made from the development key of a local server holds, in seconds."""


@dataclass(frozen=True)
class Session:
    """One run of a command against one server."""

    bank: Client
    target: str
    as_json: bool
    console: Console

    def show(self, message: Message, render: Callable[[], RenderableType]) -> None:
        """Print a message: as protobuf's JSON, or as people like to read it."""
        if self.as_json:
            print_json(message)
        else:
            self.console.print(render())

    def say(self, text: str) -> None:
        """Print a line for people; not among JSON."""
        if not self.as_json:
            self.console.print(text, highlight=False)


def connected(function: Callable[..., T]) -> Callable[..., T]:
    """Give a command its session and the options for it, and turn errors into one line."""

    @click.option(
        "--target",
        envvar="LONGMEN_TARGET",
        help="Server, host:port; by default the one on this machine.",
    )
    @click.option("--token", envvar="LONGMEN_TOKEN", help="Bearer token of the caller.")
    @click.option("--tls/--plaintext", "tls", default=None, help="Encrypt; default unless local.")
    @click.option("--json", "as_json", is_flag=True, help="Print the contract's JSON.")
    @functools.wraps(function)
    def command(
        *args: Any,
        target: str | None,
        token: str | None,
        tls: bool | None,
        as_json: bool,
        **more: Any,
    ) -> T:
        from longmen_client import Client, ConfigError, LongmenError

        try:
            config = of_staff(client_config(target, token, tls=tls), token)
        except (ConfigError, ValueError) as error:
            fail(str(error), WRONG_USAGE)
        except LongmenError as error:
            fail(one_line(error, target or local_target()), exit_code(error))
        with Client(config) as bank:
            session = Session(bank, config.target, as_json, make_console())
            try:
                return function(session, *args, **more)
            except LongmenError as error:
                fail(one_line(error, config.target), exit_code(error))
            except BrokenPipeError:
                raise  # The reader of our output has seen enough; click ends quietly.
            except KeyboardInterrupt:
                raise SystemExit(INTERRUPTED) from None
            except (ValueError, LookupError) as error:
                fail(str(error), WRONG_USAGE)
            except OSError as error:
                fail(f"{error.filename}: {error.strerror}", BROKEN)

    return command


def client_config(target: str | None, token: str | None, *, tls: bool | None = None) -> Config:
    """How to reach the server that the options, the environment or this machine name.

    Raises:
        ConfigError: a token would travel unencrypted to another machine.
    """
    from longmen_client import Config, Tls, is_local

    where = target or local_target()
    local = is_local(where)
    encrypted = not local if tls is None else tls
    return Config(
        target=where,
        token=token or (local_token() if local else None),
        tls=Tls() if encrypted else None,
        # Whoever says --plaintext means it.
        plaintext_token_allowed=tls is False,
        application="longmen-cli",
    )


def of_staff(config: Config, token: str | None) -> Config:
    """The configuration of the member of staff who has signed in at this machine, if one has.

    A token that is given goes first. The session is that of the folder LONGMEN_STAFF.

    Raises:
        LongmenError: the session cannot be renewed.
        OSError, ValueError: its files cannot be read.
    """
    from longmen_server.console.staff_session import DEFAULT_FOLDER, SESSION_FILE, StaffMachine

    folder = Path(os.environ.get("LONGMEN_STAFF") or DEFAULT_FOLDER)
    if token is not None or not (folder / SESSION_FILE).exists():
        return config
    return StaffMachine.open(folder).configured(config)


def local_target() -> str:
    """Where the server of this machine listens, by its own environment variables."""
    return f"127.0.0.1:{os.environ.get('LONGMEN_PORT') or 50051}"


def local_token() -> str | None:
    """A token of a service for the server whose data folder is on this machine, if there is one."""
    from longmen_server.config import ConfigError, read_settings
    from longmen_server.development import DevelopmentError, mint
    from longmen_server.platform.tokens import KEYS_FOLDER, PRIVATE_KEY, KeyFileError

    try:
        settings, _ = read_settings(os.environ)
        # Minting would make a key where there is none, in whatever folder this is.
        if not (settings.data / KEYS_FOLDER / PRIVATE_KEY).is_file():
            return None
        return mint(
            settings,
            kind="service",
            subject="longmen-cli",
            scopes=(),
            customer=None,
            lifetime_seconds=TOKEN_LIFETIME_S,
        )
    except (ConfigError, DevelopmentError, KeyFileError, OSError):
        return None


def make_console() -> Console:
    """Where answers go: in colour on a terminal, and wide enough for every id elsewhere."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def print_json(message: Message) -> None:
    """Print a message as protobuf's JSON, indented."""
    from google.protobuf.json_format import MessageToJson

    click.echo(MessageToJson(message, ensure_ascii=False))


def print_json_line(message: Message) -> None:
    """Print a message of a stream as one line of protobuf's JSON."""
    from google.protobuf.json_format import MessageToJson

    click.echo(MessageToJson(message, ensure_ascii=False, indent=None))


def request_id_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option of every command that changes something."""
    return click.option(
        "--request-id",
        metavar="UUID",
        help="Id of the request: give the one of a run whose outcome is not known.",
    )(function)
