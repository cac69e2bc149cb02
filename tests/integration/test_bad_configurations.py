"""Every configuration that must not serve: `longmen serve` says why in one line, and ends."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen_server.platform.clock import SystemClock
from longmen_server.platform.server_check import (
    StorageError,
    check_server,
    demand_little_power,
    demand_verified_link,
)
from longmen_server.platform.tokens import DevelopmentIssuer
from tests.support.certificates import weak_rsa, write_certificate
from tests.support.server import longmen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.postgres import Database, SharedPostgres

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
FUTURE = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)

Environment = dict[str, str]


def production(folder: Path) -> Environment:
    """What a production server needs, as far as files go."""
    (folder / "webhook.secret").write_text("s" * 32)
    return {
        "LONGMEN_PRODUCTION": "yes",
        "LONGMEN_TOKENS_JWKS": str(folder / "jwks.json"),
        "LONGMEN_TOKENS_ISSUER": "https://login.bank.example",
        "LONGMEN_CLEARING_FOLDER": str(folder),
        "LONGMEN_REFLECTION": "no",
        "LONGMEN_MESSAGES_WEBHOOK_URL": "https://gateway.bank.example/messages",
        "LONGMEN_MESSAGES_WEBHOOK_SECRET": str(folder / "webhook.secret"),
    }


def changed(**changes: str) -> Callable[[Path], Environment]:
    """Production, but for something."""
    return lambda folder: {**production(folder), **changes}


def plain(**environment: str) -> Callable[[Path], Environment]:
    """A server to try out, with something said."""
    return lambda _: environment


def served_with(**how: object) -> Callable[[Path], Environment]:
    """A server with a certificate made in some way."""

    def prepare(folder: Path) -> Environment:
        certificate, key = write_certificate(folder, **how)  # type: ignore[arg-type]
        return {"LONGMEN_TLS_CERTIFICATE": str(certificate), "LONGMEN_TLS_KEY": str(key)}

    return prepare


def spoiled(spoil: Callable[[Path, Path], object]) -> Callable[[Path], Environment]:
    """A server with a good certificate whose files are then spoiled."""

    def prepare(folder: Path) -> Environment:
        certificate, key = write_certificate(folder)
        spoil(certificate, key)
        return {"LONGMEN_TLS_CERTIFICATE": str(certificate), "LONGMEN_TLS_KEY": str(key)}

    return prepare


def with_authorities(folder: Path) -> Environment:
    """A server that demands client certificates of what is no authority."""
    certificate, key = write_certificate(folder)
    leaf, _ = write_certificate(folder, "leaf", authority=False)
    return {
        "LONGMEN_TLS_CERTIFICATE": str(certificate),
        "LONGMEN_TLS_KEY": str(key),
        "LONGMEN_TLS_CLIENT_AUTHORITIES": str(leaf),
    }


def with_development_key(folder: Path) -> Environment:
    """A production server that trusts the key of development tokens under another name."""
    (folder / "data").mkdir()
    issuer = DevelopmentIssuer(
        folder / "data", issuer="bank", audience="longmen", clock=SystemClock()
    )
    return {**changed()(folder), "LONGMEN_TOKENS_JWKS": str(issuer.jwks)}


BAD: dict[str, tuple[Callable[[Path], Environment], str]] = {
    "plaintext outside": (plain(LONGMEN_HOST="0.0.0.0"), "LONGMEN_TLS_CERTIFICATE: needed except"),
    "plaintext in production": (changed(LONGMEN_HOST="0.0.0.0"), "needed in production"),
    "no token keys": (changed(LONGMEN_TOKENS_JWKS=""), "LONGMEN_TOKENS_JWKS: needed"),
    "missing token keys": (changed(), "jwks.json: No such file"),
    "development issuer": (changed(LONGMEN_TOKENS_ISSUER=""), "LONGMEN_TOKENS_ISSUER: name"),
    "development key": (with_development_key, "has a development key: not in production"),
    "reflection": (changed(LONGMEN_REFLECTION="yes"), "LONGMEN_REFLECTION: not in production"),
    "failpoints": (changed(LONGMEN_FAILPOINTS="loaded=error"), "LONGMEN_FAILPOINTS: not in"),
    "no clearing": (changed(LONGMEN_CLEARING_FOLDER=""), "LONGMEN_CLEARING_FOLDER: needed"),
    "debug logs": (changed(LONGMEN_LOG_LEVEL="debug"), "LONGMEN_LOG_LEVEL: not debug"),
    "development TLS": (changed(LONGMEN_TLS_DEVELOPMENT="1"), "LONGMEN_TLS_DEVELOPMENT: not in"),
    "leeway of an hour": (plain(LONGMEN_TOKENS_LEEWAY_S="3600"), "LONGMEN_TOKENS_LEEWAY_S: 3600"),
    "no rate": (plain(LONGMEN_RATES="customer.payment=fast"), "LONGMEN_RATES: 'customer.payment"),
    "rate of nobody": (plain(LONGMEN_RATES="king.payment=1/1"), "choose a kind of"),
    "no truth value": (plain(LONGMEN_PRODUCTION="maybe"), "LONGMEN_PRODUCTION: 'maybe'"),
    "certificate alone": (plain(LONGMEN_TLS_CERTIFICATE="a.pem"), "belong together"),
    "authorities alone": (plain(LONGMEN_TLS_CLIENT_AUTHORITIES="a.pem"), "needs a server"),
    "systems without authorities": (
        plain(LONGMEN_SYSTEMS_PORT="50052"),
        "LONGMEN_SYSTEMS_PORT: needs LONGMEN_TLS_CLIENT_AUTHORITIES",
    ),
    "two certificates": (
        plain(LONGMEN_TLS_CERTIFICATE="a", LONGMEN_TLS_KEY="b", LONGMEN_TLS_DEVELOPMENT="1"),
        "LONGMEN_TLS_DEVELOPMENT: not beside",
    ),
    "missing certificate": (
        plain(LONGMEN_TLS_CERTIFICATE="/nowhere.pem", LONGMEN_TLS_KEY="/nowhere.key"),
        "/nowhere.pem: No such file",
    ),
    "expired": (
        served_with(begin=PAST, end=PAST + dt.timedelta(days=9)),
        "server.pem: has expired on 2020-01-10",
    ),
    "not valid yet": (
        served_with(begin=FUTURE, end=FUTURE + dt.timedelta(days=9)),
        "server.pem: is not valid before 2200-01-01",
    ),
    "short RSA key": (served_with(key=weak_rsa()), "1024 bits is too weak"),
    "no name": (served_with(names=False), "has no subject alternative name"),
    "no certificate": (spoiled(lambda file, _: file.write_text("x")), "is not a certificate"),
    "no key": (spoiled(lambda _, key: key.write_text("x")), "is not a private key in PEM"),
    "open key": (spoiled(lambda _, key: key.chmod(0o644)), "others can read this private key"),
    "another's key": (
        spoiled(lambda file, key: write_certificate(file.parent, "other")[1].replace(key)),
        "is not the key of",
    ),
    "authority that is none": (with_authorities, "is no authority's"),
    "database nobody has": (plain(LONGMEN_DSN="host=/nowhere"), "cannot reach the database"),
    "database in other words": (plain(LONGMEN_DSN="=secret="), "LONGMEN_DSN is not a connection"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_configuration_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    prepare, message = BAD[name]
    environment = {"LONGMEN_DATA": str(tmp_path / "data"), "LONGMEN_PORT": "0", **prepare(tmp_path)}
    done = longmen("serve", **environment)
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("longmen: ")
    assert message in line
    assert "secret=" not in line


@pytest.fixture(scope="module")
def postgres(durable_postgres: SharedPostgres) -> SharedPostgres:
    """Databases that a server agrees to start on."""
    return durable_postgres


# -- The database's role and link in production.


def test_production_does_not_serve_as_a_superuser(database: Database) -> None:
    check_server(database.admin_dsn)
    with pytest.raises(StorageError, match="is a superuser"):
        check_server(database.admin_dsn, production=True)
    check_server(database.app_dsn, production=True)


@pytest.mark.parametrize(
    ("power", "told"),
    [
        ("createrole", "may create roles"),
        ("bypassrls", "bypasses row security"),
        ("replication", "may replicate"),
    ],
)
def test_production_does_not_serve_as_a_role_with_powers(
    postgres: SharedPostgres, power: str, told: str
) -> None:
    role = f"powerful_{power}"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"create role {role} {power}".encode())
        try:
            connection.execute(f"set role {role}".encode())
            with pytest.raises(StorageError, match=told):
                demand_little_power(connection)
        finally:
            connection.execute("reset role")
            connection.execute(f"drop role {role}".encode())


class Link:
    """A connection to a host, as far as it is asked about."""

    def __init__(self, **parameters: str) -> None:
        self.info = self
        self.host = parameters["host"]
        self._parameters = parameters

    def get_parameters(self) -> dict[str, str]:
        return self._parameters


@pytest.mark.parametrize("mode", ["", "disable", "prefer", "require", "verify-ca"])
def test_production_demands_a_verified_link_to_another_machine(mode: str) -> None:
    given = {"host": "db.bank.example", **({"sslmode": mode} if mode else {})}
    with pytest.raises(StorageError, match="verify-full"):
        demand_verified_link(Link(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["/run/postgresql", "localhost", "127.0.0.1", "::1"])
def test_a_link_within_the_machine_may_be_plain(host: str) -> None:
    demand_verified_link(Link(host=host))  # type: ignore[arg-type]
    demand_verified_link(Link(host="db.bank.example", sslmode="verify-full"))  # type: ignore[arg-type]
