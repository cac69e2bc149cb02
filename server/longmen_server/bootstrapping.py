"""The first administrators, written into a server's database on its own machine.

It goes through the engine like every change, so that journal and audit trail have it, whether the
server runs or not.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import psycopg

from longmen_server import migrate
from longmen_server.audit.witness import witness
from longmen_server.engine.engine import Engine
from longmen_server.engine.failpoints import Failpoints
from longmen_server.platform.database import complete_dsn
from longmen_server.platform.ids import StaffId, new_id
from longmen_server.platform.postgres import APP_ROLE
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.server_check import StorageError, one_line
from longmen_server.staff.account_commands import Bootstrap
from longmen_server.staff.build import limits_of, new_account
from longmen_server.staff.model import Enrolment, Role, enrolment_of
from longmen_server.supervisor import StartError
from longmen_server.verifying import clock_of, readable_database

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from longmen_server.config import Settings

__all__ = ["bootstrap"]

SECRET_BYTES: Final = 32
LOCK: Final = 0x4C4F4E47535446
"""Advisory lock of bootstrapping, so that it happens once: the letters LONGSTF."""
SECONDS: Final = 20.0

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,63}")
_PERSON = re.compile(r"[A-Za-z0-9._-]{1,64}")


def bootstrap(
    settings: Settings, admins: Sequence[Sequence[str]], announce: Callable[[str], None]
) -> Mapping[str, str]:
    """Make the first administrators; return their one-time secrets by login.

    Args:
        settings: of the server.
        admins: login and person of each.
        announce: told of what takes its time.

    Raises:
        StartError: they make no sense, or there are administrators already.
        LaunchError, StorageError, SchemaError: the database cannot be used.
    """
    for login, person in admins:
        if not _LOGIN.fullmatch(login) or not _PERSON.fullmatch(person):
            raise StartError(f"{login}={person} is not LOGIN=PERSON, such as ann.chen=E-1042")
    if len({login for login, _ in admins}) < len(admins) or len({p for _, p in admins}) < 2:
        raise StartError("two persons are wanted, with a login each")
    with readable_database(settings, announce, role=APP_ROLE) as dsn:
        migrate.check_schema(dsn)
        parameters = complete_dsn(dsn, application_name="longmen bootstrap", settings={})
        try:
            with psycopg.connect(parameters, autocommit=True) as connection:
                connection.execute("select pg_advisory_lock(%s)", [LOCK])
                return asyncio.run(_make(settings, dsn, admins))
        except psycopg.OperationalError as error:
            raise StorageError(f"cannot reach the database: {one_line(error)}") from error
        except Refusal as refusal:
            raise StartError(refusal.message) from refusal


async def _make(settings: Settings, dsn: str, admins: Sequence[Sequence[str]]) -> Mapping[str, str]:
    clock = clock_of(settings)
    book = settings.books[0]
    made = {login: secrets.token_urlsafe(SECRET_BYTES) for login, _ in admins}
    fresh = [
        new_account(
            StaffId(new_id(book, clock)),
            login=login,
            person=person,
            branch="",
            roles=[Role.ADMIN],
            enrolment=enrolment_of(Enrolment.SECRET, sha256(made[login].encode()).digest()),
            lifetime_us=limits_of(settings.staff).enrolment_us,
        )
        for login, person in admins
    ]
    engine = Engine(
        dsn=dsn,
        books=(book,),
        clock=clock,
        failpoints=Failpoints(""),
        limits=settings.writer,
        witness=witness,
    )
    await engine.start()
    try:
        await engine.submit(Bootstrap(book, fresh=fresh), deadline=clock.monotonic() + SECONDS)
    finally:
        await engine.stop()
    return made
