"""`longmen identity`: a device that registers, signs in, and shows sessions and devices.

The device's key and the session are files of mode 0600 in a folder of their own.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from longmen_server.console.failure import WRONG_USAGE, exit_code, fail, one_line
from longmen_server.console.session import client_config, make_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from longmen.identity.v1.factor_pb2 import FactorProof
    from longmen_app import Pending, Session

KEY_FILE, SESSION_FILE = "device.pem", "session"
DEFAULT_FOLDER = Path(".longmen-device")
TYPED: dict[str, tuple[str, str]] = {
    "PASSWORD": ("password", "Password"),
    "TOTP": ("totp_code", "Code of the authenticator app"),
    "PAYMENT_PIN": ("payment_pin", "Payment PIN"),
    "BACKUP_CODES": ("backup_code", "Backup code"),
}
"""Methods that can be typed, with the field of the proof and what to ask for."""


@click.group()
def identity() -> None:
    """A device of a customer's: register, sign in, devices, sessions."""


def on_device(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the device of a folder, and keep its session there afterwards."""

    @click.option("--target", envvar="LONGMEN_TARGET", help="Server, host:port.")
    @click.option(
        "--device",
        "folder",
        type=click.Path(path_type=Path),
        default=DEFAULT_FOLDER,
        show_default=True,
        help="Folder of the device's key and session.",
    )
    @functools.wraps(function)
    def command(*, target: str | None, folder: Path, **more: Any) -> None:
        from longmen_app import Session
        from longmen_client import LongmenError
        from longmen_client.device_key import DeviceKey

        config = client_config(target, None)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = DeviceKey.load_or_make(folder / KEY_FILE)
            with Session(config, key, device_name=os.uname().nodename[:64]) as session:
                saved = folder / SESSION_FILE
                if saved.exists():
                    session.restore(saved.read_bytes())
                try:
                    function(session, **more)
                finally:
                    saved.touch(mode=0o600)
                    saved.write_bytes(session.save())
        except LongmenError as error:
            fail(one_line(error, config.target), exit_code(error))
        except (OSError, ValueError) as error:
            fail(str(error), WRONG_USAGE)

    return command


def ask_code(pending: Pending, code: str | None) -> str:
    """The code of a verification: the one given, or what is typed."""
    if not pending.code_required:
        return ""
    return code or click.prompt(f"Code sent to {pending.phone_number}", type=str)


def ask_proof(methods: list[str]) -> FactorProof:
    """The proof of a factor, typed; the first of the methods that can be typed is asked for."""
    from longmen.identity.v1.factor_pb2 import FactorProof

    for method, (field, label) in TYPED.items():
        if method in methods:
            return FactorProof(**{field: click.prompt(label, type=str, hide_input=True)})
    raise ValueError("only a passkey signs this customer in, which a shell has not")


@identity.command()
@click.option(
    "--device",
    "folder",
    type=click.Path(path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder of the device's key and session.",
)
def key(folder: Path) -> None:
    """Show the thumbprint of this device's key, for a bank that lets its owner back in."""
    from longmen_client.device_key import DeviceKey

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        click.echo(DeviceKey.load_or_make(folder / KEY_FILE).thumbprint)
    except (OSError, ValueError) as error:
        fail(str(error), WRONG_USAGE)


@identity.command()
@on_device
@click.argument("phone_number")
@click.option("--name", required=True, help="Display name of the customer.")
@click.option("--currency", default="CNY", show_default=True, help="Of the first account.")
@click.option("--code", help="Code that was sent; asked for when it is not given.")
def register(
    session: Session, phone_number: str, name: str, currency: str, code: str | None
) -> None:
    """Open a wallet with nothing but a phone number."""
    pending = session.start_registration(phone_number)
    session.complete_registration(
        pending, code=ask_code(pending, code), display_name=name, currency_code=currency
    )
    make_console().print(f"registered {session.customer_id}", highlight=False)


@identity.command()
@on_device
@click.argument("phone_number")
@click.option("--code", help="Code that was sent; asked for when it is not given.")
def login(session: Session, phone_number: str, code: str | None) -> None:
    """Sign this device in, and enrol it if it is new."""
    from longmen_client.errors import FactorRequired

    pending = session.start_login(phone_number)
    typed = ask_code(pending, code)
    try:
        session.complete_login(pending, code=typed)
    except FactorRequired as needed:
        proof = ask_proof(needed.metadata["methods"].split(","))
        session.complete_login(pending, code=typed, proof=proof)
    make_console().print(f"signed in {session.customer_id}", highlight=False)


@identity.command()
@on_device
def sessions(session: Session) -> None:
    """List the customer's sessions."""
    from rich.table import Table

    table = Table("session", "device", "began", "last seen", "", box=None)
    for one in session.bank.sessions.list_sessions():
        table.add_row(
            one.session_id,
            one.device_id,
            one.create_time.ToJsonString(),
            one.last_seen_time.ToJsonString(),
            "this one" if one.current else "",
        )
    make_console().print(table)


@identity.command()
@on_device
def devices(session: Session) -> None:
    """List the customer's devices."""
    from rich.table import Table

    from longmen.identity.v1 import identity_pb2

    table = Table("device", "name", "state", "enrolled", "", box=None)
    for one in session.bank.devices.list_devices():
        state = identity_pb2.DeviceState.Name(one.state).removeprefix("DEVICE_STATE_")
        cooling = "cooling off" if one.cooling else ""
        table.add_row(one.device_id, one.name, state, one.enrol_time.ToJsonString(), cooling)
    make_console().print(table)


@identity.command("prove-email")
@on_device
@click.argument("address")
@click.option("--code", help="Code that was sent; asked for when it is not given.")
def prove_email(session: Session, address: str, code: str | None) -> None:
    """Have codes and notices go to an e-mail address as well."""
    session.bank.profile.update_profile(email=address)
    begun = session.bank.emails.start_email_proof().message
    typed = code or click.prompt(f"Code sent to {address}", type=str)
    session.bank.emails.confirm_email(verification_id=begun.verification_id, code=typed)
    make_console().print(f"proven {address}", highlight=False)


@identity.command()
@on_device
def logout(session: Session) -> None:
    """End this device's session."""
    session.sign_out()
    make_console().print("signed out")


@identity.group()
def kyc() -> None:
    """How well the bank knows the customer: the class, its limits, and the way to a better one."""


@kyc.command("show")
@on_device
def show_kyc(session: Session) -> None:
    """Show the class, what it permits, what is on file and what better classes need."""
    from longmen_server.console.kyc import show

    show(session.bank.kyc.get_kyc().identification)


@kyc.command("upgrade")
@on_device
@click.argument("identification_class", type=click.IntRange(1, 3))
@click.option(
    "--kind",
    type=click.Choice(["resident-id", "passport", "travel-permit"]),
    default="resident-id",
    show_default=True,
    help="Kind of the identity document.",
)
@click.option("--name", help="Name in the document; asked for when it is needed.")
@click.option("--number", help="Number of the document; asked for when it is needed.")
@click.option("--birth-date", default="", help="YYYY-MM-DD; a resident id tells it itself.")
@click.option("--country", default="", help="That issued a passport, three letters.")
@click.option("--bank-account", help="Asked for when it is needed.")
def upgrade_kyc(session: Session, identification_class: int, **given: Any) -> None:
    """Submit what the class needs and is not on file yet, then rise to it."""
    from longmen_server.console.kyc import show, submit_missing

    submit_missing(session.bank.kyc, identification_class, given)
    session.bank.kyc.upgrade_kyc(identification_class=identification_class)
    show(session.bank.kyc.get_kyc().identification)
