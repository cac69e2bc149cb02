"""The ghz scenarios against a server as `make run` starts it: every reply is OK."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections import Counter
from typing import TYPE_CHECKING

import grpc
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf import json_format

from bench.ghz import CONFIGS, ROOT, find_ghz, read_config, run_ghz, template_of
from bench.go_template import render
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_server.platform.postgres import SUPERUSER, EmbeddedPostgres
from longmen_server.platform.postgres_home import find_home
from longmen_server.samples import CALL_METADATA_FILE
from tests.support.server import Server, data_folder, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENARIOS = ("uniform", "hot", "batch", "read", "replay")
SECONDS = 1.0
"""Of each scenario; five of them make the smoke."""
CALLS_WITHOUT_GHZ = 20


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with data_folder() as data, running(data, {"LONGMEN_WORKERS": "2"}) as started:
        yield started


def metadata(server: Server) -> tuple[tuple[str, str], ...]:
    text = (server.data / CALL_METADATA_FILE).read_text("utf-8")
    return tuple(json.loads(text).items())


def call(channel: grpc.Channel, scenario: str, server: Server, number: int) -> bytes:
    """One call as a configuration describes it."""
    config = read_config(CONFIGS / f"{scenario}.json")
    service, _, method = config["call"].rpartition(".")
    request = getattr(pb, f"{method}Request")()
    json_format.Parse(render(template_of(config), {"RequestNumber": number}), request)
    stub: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{service}/{method}")
    return stub(request.SerializeToString(), metadata=metadata(server), timeout=10)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_call_of_a_scenario_does_what_it_asks_for(server: Server, scenario: str) -> None:
    with grpc.insecure_channel(server.address) as channel:
        replies = [call(channel, scenario, server, n) for n in range(CALLS_WITHOUT_GHZ)]
    if scenario == "read":
        assert all(pb.GetAccountResponse.FromString(r).account.account_id for r in replies)
        return
    outcomes = Counter(
        result.outcome
        for reply in replies
        for result in pb.CreateTransfersResponse.FromString(reply).results
    )
    transfers = 1_000 if scenario == "batch" else 1
    assert outcomes == {1: CALLS_WITHOUT_GHZ * transfers}


def test_ghz_sees_nothing_but_ok(server: Server) -> None:
    program = find_ghz()
    for scenario in SCENARIOS if program is not None else ():
        assert program is not None
        summary = run_ghz(
            program,
            CONFIGS / f"{scenario}.json",
            address=server.address,
            seconds=SECONDS,
            folder=ROOT,
            metadata=server.data / CALL_METADATA_FILE,
        )
        assert summary.all_ok, (scenario, summary)


def test_replays_make_sixteen_transfers_however_often_they_come(server: Server) -> None:
    with grpc.insecure_channel(server.address) as channel:
        replies = {call(channel, "replay", server, number) for number in range(200)}
    assert len(replies) == 16


def test_the_samples_are_opened_once(server: Server) -> None:
    postgres = EmbeddedPostgres(server.data, print)
    postgres._home = find_home(server.data)
    with psycopg.connect(postgres.dsn(role=SUPERUSER)) as connection:
        row = connection.execute("select count(*) from ledger_account").fetchone()
    assert row == (257,)


def test_the_tls_variant_over_tls() -> None:
    with data_folder() as data:
        authority, files = make_certificates(data)
        with running(data, files) as started:
            credentials = grpc.ssl_channel_credentials(authority.read_bytes())
            with grpc.secure_channel(started.address, credentials) as channel:
                assert call(channel, "hot", started, 0)
            program = find_ghz()
            if program is not None:
                # The paths in the configuration lead from a folder laid out like the repository.
                place = data / "place"
                place.mkdir()
                (place / "clients").symlink_to(ROOT / "clients")
                (place / ".longmen").symlink_to(data)
                summary = run_ghz(
                    program,
                    CONFIGS / "tls" / "hot.json",
                    address=started.address,
                    seconds=SECONDS,
                    folder=place,
                    metadata=data / CALL_METADATA_FILE,
                )
                assert summary.all_ok, summary


def make_certificates(data: Path) -> tuple[Path, dict[str, str]]:
    """An authority, a certificate for 127.0.0.1 signed by it, and the settings that use it."""
    folder = data / "tls"
    folder.mkdir(parents=True)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Longmen test authority")])
    begins = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    ends = dt.datetime(2120, 1, 1, tzinfo=dt.UTC)

    def builder(public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .issuer_name(name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )

    authority = (
        builder(authority_key.public_key())
        .subject_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        builder(key.public_key())
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName([local]), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    (folder / "server.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "server.key").chmod(0o600)
    return folder / "ca.pem", {
        "LONGMEN_TLS_CERTIFICATE": str(folder / "server.pem"),
        "LONGMEN_TLS_KEY": str(folder / "server.key"),
    }
