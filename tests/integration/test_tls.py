"""TLS as callers see it: versions, suites, a certificate replaced under load, development TLS."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import runpy
import ssl
import warnings
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from longmen_server.platform.certificates import check_certificate, development_tls
from longmen_server.platform.clock import SystemClock
from tests.support.certificates import write_certificate
from tests.support.edge import LEDGER, Edge, running_edge, transfers
from tests.support.server import data_folder, running

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
AEAD = {"GCM", "CHACHA20"}


def shake_hands(
    port: int,
    version: ssl.TLSVersion,
    *,
    ciphers: str = "ALL:@SECLEVEL=0",
    trusted: bytes | None = None,
) -> tuple[str, str, bytes]:
    """Version, suite and certificate that a server agrees on; ssl.SSLError when on none."""
    import socket

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = trusted is not None
    context.verify_mode = ssl.CERT_NONE if trusted is None else ssl.CERT_REQUIRED
    if trusted is not None:
        context.load_verify_locations(cadata=trusted.decode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        suite = secure.cipher()
        certificate = secure.getpeercert(binary_form=True)
        assert suite is not None
        assert certificate is not None
        return secure.version() or "", suite[0], certificate


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_old_versions_are_refused(tmp_path: Path, version: str) -> None:
    file, key = write_certificate(tmp_path)
    async with running_edge(tls_certificate=file, tls_key=key) as edge:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(shake_hands, edge.server.port, ssl.TLSVersion[version])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_new_versions_agree_on_authenticated_encryption(tmp_path: Path, version: str) -> None:
    file, key = write_certificate(tmp_path)
    async with running_edge(tls_certificate=file, tls_key=key) as edge:
        _, suite, _ = await asyncio.to_thread(
            shake_hands, edge.server.port, ssl.TLSVersion[version]
        )
        assert any(mode in suite for mode in AEAD)


async def test_of_all_suites_of_tls_12_only_authenticated_ones_with_forward_secrecy(
    tmp_path: Path,
) -> None:
    file, key = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    names = {str(c["name"]) for c in context.get_ciphers() if c["protocol"] != "TLSv1.3"}
    taken = set()
    async with running_edge(tls_certificate=file, tls_key=key) as edge:
        for name in sorted(names):
            try:
                _, suite, _ = await asyncio.to_thread(
                    shake_hands,
                    edge.server.port,
                    ssl.TLSVersion.TLSv1_2,
                    ciphers=f"{name}:@SECLEVEL=0",
                )
            except (ssl.SSLError, ConnectionError):
                continue
            taken.add(suite)
    assert len(names) > 30
    assert taken == {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}


async def call_over(edge: Edge, channel: grpc.aio.Channel) -> None:
    unary: Any = channel.unary_unary(f"/{LEDGER}/CreateTransfers")
    await unary(
        transfers(1).SerializeToString(),
        metadata=(("authorization", "Bearer good"),),
        timeout=10,
    )


def secure_channel(edge: Edge, pem: bytes) -> grpc.aio.Channel:
    return grpc.aio.secure_channel(
        f"localhost:{edge.server.port}",
        grpc.ssl_channel_credentials(pem),
        options=[("grpc.use_local_subchannel_pool", 1)],
    )


async def test_a_renewed_certificate_is_served_under_load_without_a_failed_call(
    tmp_path: Path,
) -> None:
    file, key = write_certificate(tmp_path)
    new, new_key = write_certificate(tmp_path, "renewed")
    both = file.read_bytes() + new.read_bytes()
    renewed = asyncio.Event()
    async with running_edge(tls_certificate=file, tls_key=key) as edge:
        calls = 0

        async def keep_calling() -> None:
            nonlocal calls
            while not renewed.is_set():
                async with secure_channel(edge, both) as channel:  # a handshake each
                    for _ in range(3):
                        await call_over(edge, channel)
                        calls += 1

        callers = [asyncio.ensure_future(keep_calling()) for _ in range(4)]
        wanted = ssl.PEM_cert_to_DER_cert(new.read_text())
        # One file after the other, as renewal programs do: the two do not fit for a moment.
        new.replace(file)
        await asyncio.sleep(0)
        new_key.replace(key)
        async with asyncio.timeout(20):
            while True:
                _, _, served = await asyncio.to_thread(
                    shake_hands, edge.server.port, ssl.TLSVersion.TLSv1_3
                )
                if served == wanted:
                    break
        renewed.set()
        await asyncio.gather(*callers)
        assert calls > 0


async def test_a_broken_certificate_leaves_the_last_good_one(tmp_path: Path) -> None:
    file, key = write_certificate(tmp_path)
    pem = file.read_bytes()
    async with running_edge(tls_certificate=file, tls_key=key, doors=1) as edge:
        file.write_text("half of a certi")
        until = asyncio.get_running_loop().time() + 1.5
        while asyncio.get_running_loop().time() < until:
            async with secure_channel(edge, pem) as channel:
                await call_over(edge, channel)


# -- Development certificates.


async def test_a_development_certificate_is_good_and_trusted_by_its_authority(
    tmp_path: Path,
) -> None:
    made = development_tls(tmp_path, "127.0.0.1", now=NOW)
    check_certificate(made.certificate, made.key, None, now=NOW)
    assert made.key.stat().st_mode & 0o077 == 0


def test_a_development_certificate_is_kept_until_it_nears_its_end(tmp_path: Path) -> None:
    made = development_tls(tmp_path, "0.0.0.0", now=NOW)
    first, authority = made.certificate.read_bytes(), made.authority.read_bytes()
    development_tls(tmp_path, "0.0.0.0", now=NOW + dt.timedelta(days=59))
    assert made.certificate.read_bytes() == first
    development_tls(tmp_path, "bank.example", now=NOW)
    assert made.certificate.read_bytes() != first
    second = made.certificate.read_bytes()
    development_tls(tmp_path, "bank.example", now=NOW + dt.timedelta(days=61))
    assert made.certificate.read_bytes() != second
    assert made.authority.read_bytes() == authority


async def test_callers_trust_the_development_authority(tmp_path: Path) -> None:
    made = development_tls(tmp_path, "127.0.0.1", now=SystemClock().now())
    async with (
        running_edge(tls_certificate=made.certificate, tls_key=made.key) as edge,
        secure_channel(edge, made.authority.read_bytes()) as channel,
    ):
        await call_over(edge, channel)


def test_a_server_with_an_authority_of_its_own_speaks_tls_and_nothing_weak() -> None:
    with data_folder() as data, running(data, {"LONGMEN_TLS_DEVELOPMENT": "yes"}) as server:
        port = int(server.address.rpartition(":")[2])
        trusted = (data / "keys" / "tls-authority.pem").read_bytes()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            _, suite, _ = shake_hands(port, version, ciphers="DEFAULT", trusted=trusted)
            assert any(mode in suite for mode in AEAD)
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                shake_hands(port, old)


# -- What the scanners say.


SCAN = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "tls_scan.py"))


def sslscan(protocols: dict[str, str], *suites: tuple[str, str]) -> str:
    """A report of sslscan's, as far as it is read."""
    rows = [
        f'<protocol type="{name[:3]}" version="{name[3:]}" enabled="{on}" />'
        for name, on in protocols.items()
    ]
    rows += [f'<cipher sslversion="{v}" cipher="{suite}" />' for v, suite in suites]
    return f"<document><ssltest>{''.join(rows)}</ssltest></document>"


GOOD = (("TLSv1.3", "TLS_AES_128_GCM_SHA256"), ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"))


@pytest.mark.parametrize(
    ("report", "wrong"),
    [
        (sslscan({"tls1.0": "0", "tls1.2": "1", "tls1.3": "1"}, *GOOD), []),
        (sslscan({"tls1.0": "1"}, *GOOD), ["speaks TLS 1.0"]),
        (sslscan({"ssl3": "1"}, *GOOD), ["speaks SSL 3"]),
        (sslscan({}), ["no suite was found: is it a TLS port?"]),
        (
            sslscan({}, ("TLSv1.2", "ECDHE-RSA-AES128-SHA256"), ("TLSv1.2", "AES128-GCM-SHA256")),
            ["takes ECDHE-RSA-AES128-SHA256 over TLSv1.2", "takes AES128-GCM-SHA256 over TLSv1.2"],
        ),
    ],
    ids=["good", "old TLS", "SSL", "nothing", "weak suites"],
)
def test_a_scan_is_judged(report: str, wrong: list[str]) -> None:
    assert SCAN["judge_sslscan"](report) == wrong


def test_findings_about_the_server_count_and_those_about_a_tried_certificate_do_not() -> None:
    findings = [
        {"id": "cert_trust", "severity": "CRITICAL", "finding": "self-signed"},
        {"id": "TLS1", "severity": "INFO", "finding": "not offered"},
        {"id": "BEAST", "severity": "MEDIUM", "finding": "vulnerable"},
    ]
    assert SCAN["judge_testssl"](json.dumps(findings)) == ["BEAST: vulnerable"]
