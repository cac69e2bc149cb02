"""`longmen factor` and `longmen challenge`: what a customer proves with, and approves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import rich_click as click
from rich.table import Table

from longmen.identity.v1 import challenge_pb2, factor_pb2
from longmen.identity.v1 import challenge_service_pb2 as pb
from longmen_client import errors
from longmen_client.ids import new_request_id
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from longmen_client import Reply

T = TypeVar("T", bound="Message")

DEVICE = click.option(
    "--device",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("passkeys.json"),
    show_default=True,
    help="File of a passkey device in software, for trying out.",
)


@click.group(epilog=EXIT_CODES)
def factor() -> None:
    """What a customer proves to be one with. Takes the token of a customer."""


@click.group(epilog=EXIT_CODES)
def challenge() -> None:
    """What a customer is asked to approve. Takes the token of a customer."""


@factor.command("list")
@connected
def list_factors(session: Session) -> None:
    """Show what is set up."""
    reply = session.bank.factors.list_factors()

    def table() -> Table:
        shown = Table("id", "kind", "label", "codes left", "", box=None)
        for one in reply.factors:
            left = str(one.codes_left) if one.kind == factor_pb2.FACTOR_KIND_BACKUP_CODES else ""
            kind = _name(factor_pb2.FactorKind.Name(one.kind), "FACTOR_KIND_")
            note = "blocked" if one.HasField("blocked_until") else "flagged" * one.flagged
            shown.add_row(one.factor_id, kind, one.label, left, note)
        return shown

    session.show(reply, table)


@factor.command("set-pin")
@click.password_option("--pin", prompt="New payment PIN", help="Six digits; asked for if omitted.")
@connected
def set_pin(session: Session, *, pin: str) -> None:
    """Set or replace the payment PIN; a replacement is approved with the present one."""
    request_id = new_request_id()
    _approved(session, lambda: session.bank.factors.set_payment_pin(pin=pin, request_id=request_id))
    session.say("The payment PIN is set.")


@factor.command("set-totp")
@connected
def set_totp(session: Session) -> None:
    """Set an authenticator app up."""
    request_id = new_request_id()
    started = _approved(session, lambda: session.bank.factors.start_totp(request_id=request_id))
    click.echo(f"Enter into the app: {started.message.seed}\nor scan: {started.message.uri}")
    session.bank.factors.confirm_totp(code=click.prompt("Code that the app shows"))
    session.say("The authenticator app is in use.")


@factor.command("add-passkey")
@click.option("--label", default="", help="What to call it.")
@DEVICE
@connected
def add_passkey(session: Session, *, label: str, device: Path) -> None:
    """Make a passkey on a device in software."""
    from longmen_app.authenticator import SoftwareAuthenticator

    request_id = new_request_id()
    authenticator = SoftwareAuthenticator.load(device)
    started = _approved(session, lambda: session.bank.factors.start_passkey(request_id=request_id))
    credential = authenticator.create(started.message.options_json)
    session.bank.factors.confirm_passkey(credential_json=credential, label=label)
    authenticator.save(device)
    session.say(f"The passkey is in {device}.")


@factor.command("backup-codes")
@connected
def backup_codes(session: Session) -> None:
    """Make ten backup codes, shown this once."""
    request_id = new_request_id()
    reply = _approved(
        session, lambda: session.bank.factors.create_backup_codes(request_id=request_id)
    )
    session.show(reply.message, lambda: "\n".join(reply.message.codes))


@factor.command("remove")
@click.argument("factor_id")
@connected
def remove(session: Session, factor_id: str) -> None:
    """Take a factor away."""
    request_id = new_request_id()
    _approved(
        session,
        lambda: session.bank.factors.remove_factor(factor_id=factor_id, request_id=request_id),
    )
    session.say("The factor is removed.")


@challenge.command("show")
@click.argument("challenge_id")
@connected
def show(session: Session, challenge_id: str) -> None:
    """Show what is to be approved, and how."""
    reply = session.bank.challenges.get_challenge(challenge_id=challenge_id)
    session.show(reply, lambda: _told(reply.challenge))


@challenge.command("approve")
@click.argument("challenge_id")
@click.option("--pin", help="Payment PIN; asked for if nothing is given.")
@click.option("--totp", help="Code of the authenticator app.")
@click.option("--code", help="Code that `send-code` has sent.")
@click.option("--passkey", is_flag=True, help="Sign with the device in software.")
@DEVICE
@connected
def approve(
    session: Session,
    challenge_id: str,
    *,
    pin: str | None,
    totp: str | None,
    code: str | None,
    passkey: bool,
    device: Path,
) -> None:
    """Approve with one factor."""
    if passkey:
        found = session.bank.challenges.get_challenge(challenge_id=challenge_id).challenge
        proof = _signed(found, device)
    elif totp:
        proof = factor_pb2.FactorProof(totp_code=totp)
    elif code:
        proof = factor_pb2.FactorProof(message_code=code)
    else:
        chosen = pin or click.prompt("Payment PIN", hide_input=True)
        proof = factor_pb2.FactorProof(payment_pin=chosen)
    reply = session.bank.challenges.approve_challenge(challenge_id=challenge_id, proof=proof)
    session.show(reply.message, lambda: _told(reply.message.challenge))


@challenge.command("send-code")
@click.argument("challenge_id")
@click.option("--email", is_flag=True, help="To the proven e-mail address instead of the phone.")
@connected
def send_code(session: Session, challenge_id: str, *, email: bool) -> None:
    """Have a code sent that approves a small payment."""
    channel = pb.CODE_CHANNEL_EMAIL if email else pb.CODE_CHANNEL_SMS
    reply = session.bank.challenges.send_challenge_code(challenge_id=challenge_id, channel=channel)
    session.show(reply.message, lambda: f"A code goes to {reply.message.recipient}.")


@challenge.command("decline")
@click.argument("challenge_id")
@connected
def decline(session: Session, challenge_id: str) -> None:
    """Turn the request down."""
    reply = session.bank.challenges.decline_challenge(challenge_id=challenge_id)
    session.show(reply.message, lambda: _told(reply.message.challenge))


def _signed(found: challenge_pb2.Challenge, device: Path) -> factor_pb2.FactorProof:
    """Return a challenge signed by the device in software, which counts its signatures."""
    from longmen_app.authenticator import SoftwareAuthenticator

    authenticator = SoftwareAuthenticator.load(device)
    try:
        assertion = authenticator.get(found.passkey_options_json or '{"allowCredentials": []}')
    except LookupError as error:
        raise click.ClickException(str(error)) from error
    authenticator.save(device)
    return factor_pb2.FactorProof(passkey_assertion_json=assertion)


def _approved(session: Session, call: Callable[[], Reply[T]]) -> Reply[T]:
    """Make a call; where it has to be approved, ask for the PIN and make it again."""
    try:
        return call()
    except errors.NeedsAuth as needed:
        challenge_id = needed.metadata["challenge_id"]
        found = session.bank.challenges.get_challenge(challenge_id=challenge_id).challenge
        click.echo(found.text, err=True)
        pin = click.prompt("Present payment PIN", hide_input=True, err=True)
        session.bank.challenges.approve_challenge(
            challenge_id=challenge_id, proof=factor_pb2.FactorProof(payment_pin=pin)
        )
        return call()


def _told(one: challenge_pb2.Challenge) -> str:
    state = _name(challenge_pb2.ChallengeState.Name(one.state), "CHALLENGE_STATE_")
    methods = (_name(factor_pb2.FactorKind.Name(m), "FACTOR_KIND_") for m in one.methods)
    return f"{one.text}\n{state}; needs {one.factors_needed} of: {', '.join(methods)}"


def _name(value: str, prefix: str) -> str:
    return value.removeprefix(prefix).lower().replace("_", " ")
