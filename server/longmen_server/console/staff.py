"""`longmen staff`: accounts of staff, and the session of the member of staff at this machine.

The machine's key and the session are files of mode 0600 in a folder of their own. The first two
administrators are made on the server's machine, straight into its database.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES, WRONG_USAGE, exit_code, fail, one_line
from longmen_server.console.session import (
    Session,
    client_config,
    connected,
    make_console,
    print_json_line,
)
from longmen_server.console.staff_session import StaffMachine, folder_option

if TYPE_CHECKING:
    from collections.abc import Callable

ROLES = ("teller", "operations", "risk_officer", "auditor", "admin")


@click.group(epilog=EXIT_CODES)
def staff() -> None:
    """Who works at the bank, and as what."""


@staff.command()
@click.option("--dsn", help="Postgres of the server, instead of the one of the data folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and data.")
@click.argument("admins", nargs=2, metavar="LOGIN=PERSON LOGIN=PERSON")
def bootstrap(*, dsn: str | None, data: Path | None, admins: tuple[str, str]) -> None:
    """Make the first two administrators of a server, on its machine; refuses when there is one.

    LOGIN is the name to sign in by, PERSON the employee's number. Their one-time secrets are shown
    here, once: each enrols with `longmen staff enrol LOGIN` and the secret.
    """
    from longmen_server import bootstrapping, cli

    settings = cli.settings_from(dsn=dsn, data=data)
    pairs = [text.partition("=")[::2] for text in admins]
    made = cli.answered(lambda: bootstrapping.bootstrap(settings, pairs, cli.announce))
    for login, secret in made.items():
        click.echo(f"{login} {secret}")


# -- the session of this machine


def on_machine(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the key and the session of this machine."""

    @click.option("--target", envvar="LONGMEN_TARGET", help="Server, host:port.")
    @folder_option
    @functools.wraps(function)
    def command(*, target: str | None, folder: Path, **more: Any) -> None:
        from longmen_client import ConfigError, LongmenError

        try:
            config = client_config(target, "-")
        except ConfigError as error:
            fail(str(error), WRONG_USAGE)
        try:
            function(StaffMachine.open(folder), config, **more)
        except LongmenError as error:
            fail(one_line(error, config.target), exit_code(error))
        except (OSError, ValueError, LookupError) as error:
            fail(str(error), WRONG_USAGE)

    return command


@staff.command()
@folder_option
def key(folder: Path) -> None:
    """Show the thumbprint of this machine's key, for whoever makes your account."""
    try:
        click.echo(StaffMachine.open(folder).key.thumbprint)
    except (OSError, ValueError) as error:
        fail(str(error), WRONG_USAGE)


@staff.command()
@on_machine
@click.argument("login")
@click.option("--secret", is_flag=True, help="Ask for the secret that `bootstrap` has shown.")
@click.password_option(help="To set; asked for when it is not given.")
@click.option("--code", help="Code of the authenticator app; asked for when it is not given.")
def enrol(
    machine: StaffMachine, config: Any, login: str, *, secret: bool, password: str, code: str | None
) -> None:
    """Set a new account up: password and authenticator app. It signs in, too."""
    shown = click.prompt("Secret", hide_input=True) if secret else ""
    with machine.door(config) as door:
        begun = machine.begin(door, login)
        made = machine.enrol(door, begun, password=password, secret=shown)
        click.echo(f"seed {made.seed}")
        click.echo(made.uri)
        code = code or click.prompt("Code of the authenticator app")
        session = machine.confirm(door, begun, code=code)
    make_console().print(f"enrolled and signed in {session.staff.staff_id}", highlight=False)


@staff.command("sign-in")
@on_machine
@click.argument("login")
@click.option("--password", prompt=True, hide_input=True, help="Asked for when it is not given.")
@click.option("--code", help="Code of the authenticator app; asked for when it is not given.")
def sign_in(
    machine: StaffMachine, config: Any, login: str, password: str, code: str | None
) -> None:
    """Sign in at this machine. Other commands then act for you until you sign out."""
    with machine.door(config) as door:
        begun = machine.begin(door, login)
        code = code or click.prompt("Code of the authenticator app")
        session = machine.complete(door, begun, password=password, code=code)
    make_console().print(
        f"signed in {session.staff.staff_id} until {session.end_time.ToJsonString()}",
        highlight=False,
    )


@staff.command("sign-out")
@on_machine
def sign_out(machine: StaffMachine, config: Any) -> None:
    """End the session of this machine."""
    with machine.bank(config) as bank:
        bank.staff_sessions.sign_out_staff()
    machine.forget()
    make_console().print("signed out")


# -- accounts


@staff.command("list")
@click.option("--login", default="", help="Only the account of a login.")
@connected
def list_(session: Session, login: str) -> None:
    """List the accounts of staff."""
    found = list(session.bank.staff_accounts.list_staff(login=login))
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    columns = ["staff", "login", "person", "roles", "branch", "state"]
    rows = [
        [
            one.staff_id,
            one.login,
            one.person_id,
            " ".join(role_word(role) for role in one.roles),
            one.branch,
            state_word(one),
        ]
        for one in found
    ]
    session.console.print(views.table("Staff", columns, rows))


def roles_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of roles and branch."""
    role = click.option(
        "--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="Role."
    )
    branch = click.option("--branch", default="", help="Branch; the whole bank if omitted.")
    return role(branch(function))


@staff.command()
@click.argument("login")
@click.option("--person", required=True, help="Number of the employee.")
@click.option("--key", "thumbprint", required=True, help="What `longmen staff key` shows them.")
@roles_options
@connected
def create(
    session: Session,
    login: str,
    person: str,
    thumbprint: str,
    roles: tuple[str, ...],
    branch: str,
) -> None:
    """Propose a new account; another administrator approves it."""
    from longmen.staff.v1 import staff_accounts_service_pb2 as pb
    from longmen_client.ids import new_request_id

    request = pb.CreateStaffRequest(
        request_id=new_request_id(),
        login=login,
        person_id=person,
        roles=role_numbers(roles),
        branch=branch,
        key_thumbprint=thumbprint,
    )
    propose(session, create_staff=request)


@staff.command()
@click.argument("staff_id")
@roles_options
@connected
def grant(session: Session, staff_id: str, roles: tuple[str, ...], branch: str) -> None:
    """Propose all the roles that an account is to have; another administrator approves it."""
    from longmen.staff.v1 import staff_accounts_service_pb2 as pb
    from longmen_client.ids import new_request_id

    request = pb.GrantStaffRequest(
        request_id=new_request_id(), staff_id=staff_id, roles=role_numbers(roles), branch=branch
    )
    propose(session, grant_staff=request)


@staff.command()
@click.argument("staff_id")
@click.option("--key", "thumbprint", required=True, help="What `longmen staff key` shows them.")
@connected
def reset(session: Session, staff_id: str, thumbprint: str) -> None:
    """Propose that an account's owner enrols anew; another administrator approves it."""
    from longmen.staff.v1 import staff_accounts_service_pb2 as pb
    from longmen_client.ids import new_request_id

    request = pb.ResetStaffRequest(
        request_id=new_request_id(), staff_id=staff_id, key_thumbprint=thumbprint
    )
    propose(session, reset_staff=request)


@staff.command()
@click.argument("staff_id")
@connected
def suspend(session: Session, staff_id: str) -> None:
    """Shut an account at once."""
    reply = session.bank.staff_accounts.suspend_staff(staff_id=staff_id)
    found = reply.message.staff
    session.show(found, lambda: f"suspended {found.login}")


@staff.command("assign-branch")
@click.argument("customer_id")
@click.argument("branch")
@connected
def assign_branch(session: Session, customer_id: str, branch: str) -> None:
    """Say which branch a customer is of; "" for none."""
    session.bank.staff.assign_branch(customer_id=customer_id, branch=branch)
    session.say(f"{customer_id} is of {branch or 'no branch'}")


def propose(session: Session, **command: Any) -> None:
    """Propose a command and say how it is approved."""
    from longmen.staff.v1 import approval_pb2

    reply = session.bank.approvals.propose_approval(command=approval_pb2.ProposedCommand(**command))
    made = reply.message.approval
    session.show(made, lambda: f"proposed {made.approval_id}; another one approves it")


def role_numbers(roles: tuple[str, ...]) -> list[Any]:
    """Roles as the contract has them."""
    from longmen.type.v1 import policy_pb2

    return [policy_pb2.StaffRole.Value(f"STAFF_ROLE_{role.upper()}") for role in roles]


def role_word(role: Any) -> str:
    """A role's name without its prefix."""
    from longmen.type.v1 import policy_pb2

    return policy_pb2.StaffRole.Name(role).removeprefix("STAFF_ROLE_").lower()


def state_word(one: Any) -> str:
    """The state's name without its prefix."""
    from longmen.staff.v1 import staff_pb2

    return staff_pb2.StaffState.Name(one.state).removeprefix("STAFF_STATE_").lower()
