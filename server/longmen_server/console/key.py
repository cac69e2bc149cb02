"""`longmen key`: API keys of merchants and of the bank's own systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES, WRONG_USAGE, fail
from longmen_server.console.parameters import book_option
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from longmen.credentials.v1 import credentials_service_pb2
    from longmen.staff.v1 import approval_pb2


@click.group(epilog=EXIT_CODES)
def key() -> None:
    """API keys of merchants and services."""


@key.command()
@click.argument("owner")
@click.option("--merchant", is_flag=True, help="The owner is a merchant, not a service.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What the key may do.")
@click.option("--network", "networks", multiple=True, help="CIDR it can be used from.")
@click.option("--label", default="", help="For people.")
@click.option("--days", "lifetime_days", type=click.IntRange(1, 730), default=365)
@request_id_option
@connected
def create(
    session: Session,
    owner: str,
    *,
    merchant: bool,
    scopes: tuple[str, ...],
    networks: tuple[str, ...],
    label: str,
    lifetime_days: int,
    request_id: str | None,
) -> None:
    """Make a key and print it, with its secret, this once: to try a server out, by one person."""
    from longmen.credentials.v1 import credentials_service_pb2 as pb

    kind = pb.KEY_OWNER_KIND_MERCHANT if merchant else pb.KEY_OWNER_KIND_SERVICE
    reply = session.bank.credentials.create_key(
        owner_kind=kind,
        owner=owner,
        scopes=scopes,
        label=label,
        networks=networks,
        lifetime_days=lifetime_days,
        request_id=request_id,
    ).message
    session.show(reply, lambda: f"{reply.key.key_id}.{reply.secret}")


@key.command()
@click.argument("owner")
@click.argument("public_key_pem", type=click.File("rb"))
@click.option("--merchant", is_flag=True, help="The owner is a merchant, not a service.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What the key may do.")
@click.option("--network", "networks", multiple=True, help="CIDR it can be used from.")
@click.option("--label", default="", help="For people.")
@click.option("--days", "lifetime_days", type=click.IntRange(1, 730), default=365)
@connected
def propose(
    session: Session,
    owner: str,
    public_key_pem: Any,
    *,
    merchant: bool,
    scopes: tuple[str, ...],
    networks: tuple[str, ...],
    label: str,
    lifetime_days: int,
) -> None:
    """Propose a key for whoever has the private half of PUBLIC_KEY_PEM, and will claim it."""
    from longmen.credentials.v1 import credentials_service_pb2 as pb
    from longmen.staff.v1 import approval_pb2
    from longmen_client.ids import new_request_id

    kind = pb.KEY_OWNER_KIND_MERCHANT if merchant else pb.KEY_OWNER_KIND_SERVICE
    request = pb.CreateKeyRequest(
        request_id=new_request_id(),
        owner_kind=kind,
        owner=owner,
        label=label,
        scopes=scopes,
        networks=networks,
        lifetime_days=lifetime_days,
        claim_key=der_of(public_key_pem.read()),
    )
    show_proposal(session, approval_pb2.ProposedCommand(create_key=request))


@key.command()
@click.argument("key_id")
@click.argument("private_key_pem", type=click.File("rb"))
@request_id_option
@connected
def claim(session: Session, key_id: str, private_key_pem: Any, request_id: str | None) -> None:
    """Claim the secret of a key with your private key, and print both this once."""
    from longmen_client.signing import claim_text, signer_from_pem

    signature = signer_from_pem(private_key_pem.read())(claim_text(key_id))
    reply = session.bank.credentials.claim_key(
        key_id=key_id, signature=signature, request_id=request_id
    ).message
    session.show(reply, lambda: f"{reply.key.key_id}.{reply.secret}")


@key.command()
@click.argument("public_key_pem", type=click.File("rb"))
def fingerprint(public_key_pem: Any) -> None:
    """Show the SHA-256 of a public key, as whoever approves a proposal sees it."""
    from hashlib import sha256

    try:
        click.echo(sha256(der_of(public_key_pem.read())).hexdigest())
    except ValueError as error:
        fail(str(error), WRONG_USAGE)


@key.command()
@click.argument("owner")
@click.argument("identity")
@click.option("--merchant", is_flag=True, help="The owner is a merchant, not a service.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What its calls may do.")
@click.option("--network", "networks", multiple=True, help="CIDR it can be used from.")
@click.option("--label", default="", help="For people.")
@click.option("--days", "lifetime_days", type=click.IntRange(1, 730), default=365)
@connected
def certificate(
    session: Session,
    owner: str,
    identity: str,
    *,
    merchant: bool,
    scopes: tuple[str, ...],
    networks: tuple[str, ...],
    label: str,
    lifetime_days: int,
) -> None:
    """Propose that a system calls by its certificate: spiffe://..., or dns: and a host's name."""
    from longmen.credentials.v1 import credentials_service_pb2 as pb
    from longmen.staff.v1 import approval_pb2
    from longmen_client.ids import new_request_id

    kind = pb.KEY_OWNER_KIND_MERCHANT if merchant else pb.KEY_OWNER_KIND_SERVICE
    request = pb.RegisterCertificateRequest(
        request_id=new_request_id(),
        owner_kind=kind,
        owner=owner,
        label=label,
        scopes=scopes,
        networks=networks,
        lifetime_days=lifetime_days,
        identity=identity,
    )
    show_proposal(session, approval_pb2.ProposedCommand(register_certificate=request))


@key.command("list")
@book_option
@click.option("--owner", default="", help="Only the keys of one owner.")
@connected
def list_(session: Session, book: int, owner: str) -> None:
    """List keys, the oldest first, without their secrets."""
    found = list(session.bank.credentials.list_keys(book=book, owner=owner))
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    columns = [
        "key",
        "owner",
        "label",
        "scopes",
        "networks",
        "signs",
        "claim",
        "expires",
        "revoked",
    ]
    rows = [
        [
            one.key_id,
            one.owner,
            one.label,
            " ".join(one.scopes),
            " ".join(one.networks),
            "yes" if one.signs else "no",
            views.moment(one.claim_expiry_time),
            views.moment(one.expiry_time),
            views.moment(one.revoked_time),
        ]
        for one in found
    ]
    session.console.print(views.table("Keys", columns, rows))


@key.command()
@click.argument("key_id")
@request_id_option
@connected
def revoke(session: Session, key_id: str, request_id: str | None) -> None:
    """End a key for ever."""
    reply = session.bank.credentials.revoke_key(key_id=key_id, request_id=request_id).message
    session.show(reply.key, lambda: card(reply.key))


@key.command()
@click.argument("key_id")
@click.option("--overlap", "overlap_hours", type=click.IntRange(1, 720), default=24)
@request_id_option
@connected
def rotate(session: Session, key_id: str, overlap_hours: int, request_id: str | None) -> None:
    """Make a key that takes over from another one; its owner claims it with the signing key."""
    reply = session.bank.credentials.rotate_key(
        key_id=key_id, overlap_hours=overlap_hours, request_id=request_id
    ).message
    shown = f"{reply.key.key_id}.{reply.secret}" if reply.secret else f"claim {reply.key.key_id}"
    session.show(reply, lambda: shown)


@key.command()
@click.argument("key_id")
@click.argument("public_key_pem", type=click.File("rb"))
@click.option("--propose", is_flag=True, help="Let another person approve it.")
@request_id_option
@connected
def sign(
    session: Session, key_id: str, public_key_pem: Any, *, propose: bool, request_id: str | None
) -> None:
    """Register the public key, a PEM file, that signed calls are verified with."""
    from longmen.credentials.v1 import credentials_service_pb2 as pb
    from longmen.staff.v1 import approval_pb2
    from longmen_client.ids import new_request_id

    der = der_of(public_key_pem.read())
    if propose:
        request = pb.RegisterSigningKeyRequest(
            request_id=request_id or new_request_id(), key_id=key_id, public_key=der
        )
        show_proposal(session, approval_pb2.ProposedCommand(register_signing_key=request))
        return
    reply = session.bank.credentials.register_signing_key(
        key_id=key_id, public_key=der, request_id=request_id
    ).message
    session.show(reply.key, lambda: card(reply.key))


def der_of(pem: bytes) -> bytes:
    """A public key as DER.

    Raises:
        ValueError: the PEM is none.
    """
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_public_key(pem).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def show_proposal(session: Session, command: approval_pb2.ProposedCommand) -> None:
    """Propose a command and say what another person has to approve."""
    made = session.bank.approvals.propose_approval(command=command).message.approval
    session.show(made, lambda: f"proposed {made.approval_id}; another one approves it")


def card(one: credentials_service_pb2.ApiKey) -> Any:
    """A key for people."""
    return views.card(
        "Key",
        [
            ("key", one.key_id),
            ("owner", one.owner),
            ("scopes", " ".join(one.scopes)),
            ("signs", "yes" if one.signs else "no"),
            ("to be claimed until", views.moment(one.claim_expiry_time)),
            ("expires", views.moment(one.expiry_time)),
            ("revoked", views.moment(one.revoked_time)),
        ],
    )
