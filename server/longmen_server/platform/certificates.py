"""Certificates of the server: what is demanded of an operator's, and how development ones are made.

An operator's certificate is examined before anything is started, because TLS itself would fail with
every caller and say why to none. A development authority is made once in the data folder, and a
certificate of it whenever there is none that lasts for another month; callers trust the authority.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from longmen_server.platform.tokens import write_private

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificatePublicKeyTypes,
        PrivateKeyTypes,
    )

__all__ = ["CertificateError", "DevelopmentTls", "check_certificate", "development_tls"]

RSA_BITS_MIN: Final = 2_048
WEAK_HASHES: Final = (hashes.MD5, hashes.SHA1)  # noqa: S303 - to refuse them
CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

AUTHORITY_DAYS: Final = 3_650
SERVER_DAYS: Final = 90
RENEWED_DAYS: Final = 30
"""Days before its end at which a development certificate is made anew, when a server starts."""

FOLDER: Final = "keys"


class CertificateError(Exception):
    """A certificate cannot be served with; the message is one line that names the file."""


def check_certificate(
    certificate: Path, key: Path, authorities: Path | None, *, now: datetime
) -> None:
    """Refuse a certificate that callers would not, or should not, believe.

    Args:
        certificate: PEM file with the server's chain, its own certificate first.
        key: PEM file with its private key.
        authorities: PEM file with the authorities of client certificates, if those are demanded.
        now: the trusted time.

    Raises:
        CertificateError: a file is unreadable or no PEM; the certificate has expired, is not valid
            yet, has no subject alternative name or is signed with a weak hash; the key is weak, is
            that of another certificate, or can be read by others; an authority has expired or is
            none.
    """
    chain = _read_chain(certificate)
    for one in chain:
        _check_time(certificate, one, now)
    _check_strength(certificate, chain[0])
    private = _read_key(key)
    if _bytes_of(private.public_key()) != _bytes_of(chain[0].public_key()):
        raise CertificateError(f"{key}: is not the key of {certificate}")
    for authority in _read_chain(authorities) if authorities is not None else ():
        assert authorities is not None
        _check_time(authorities, authority, now)
        if not _is_authority(authority):
            raise CertificateError(f"{authorities}: a certificate in it is no authority's")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from error


def _read_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise CertificateError(f"{path}: is not a certificate in PEM") from error


def _read_key(path: Path) -> PrivateKeyTypes:
    content = _read(path)
    if path.stat().st_mode & 0o077:
        raise CertificateError(f"{path}: others can read this private key; chmod 600 it")
    try:
        return serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"{path}: is not a private key in PEM without password") from error


def _check_time(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    if now >= certificate.not_valid_after_utc:
        ended = certificate.not_valid_after_utc.date()
        raise CertificateError(f"{path}: has expired on {ended}")
    if now < certificate.not_valid_before_utc:
        begins = certificate.not_valid_before_utc.date()
        raise CertificateError(f"{path}: is not valid before {begins}")


def _check_strength(path: Path, certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < RSA_BITS_MIN:
            raise CertificateError(f"{path}: an RSA key of {key.key_size} bits is too weak")
    elif not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES)):
        raise CertificateError(f"{path}: its key is neither RSA nor of a NIST curve")
    if isinstance(certificate.signature_hash_algorithm, WEAK_HASHES):
        raise CertificateError(f"{path}: is signed with a weak hash")
    try:
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound as error:
        raise CertificateError(f"{path}: has no subject alternative name") from error


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def _bytes_of(key: CertificatePublicKeyTypes | object) -> bytes:
    assert isinstance(
        key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    ), "other keys are refused before"
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentTls:
    """The files of a development certificate."""

    certificate: Path
    key: Path
    authority: Path
    """What callers have to trust."""


def development_tls(data: Path, host: str, *, now: datetime) -> DevelopmentTls:
    """Make what is missing of a development authority and its certificate; P-256 and SHA-256.

    Args:
        data: the server's data folder.
        host: the address that is listened on, which the certificate names beside the usual ones.
        now: the trusted time.

    Raises:
        CertificateError: a file cannot be read or written.
    """
    folder = data / FOLDER
    files = DevelopmentTls(
        certificate=folder / "tls.pem",
        key=folder / "tls.key",
        authority=folder / "tls-authority.pem",
    )
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        authority_key = folder / "tls-authority.key"
        if not (files.authority.exists() and authority_key.exists()):
            _make_authority(files.authority, authority_key, now)
            files.certificate.unlink(missing_ok=True)
        if not _lasts(files.certificate, host, now):
            _make_server(files, authority_key, host, now)
    except OSError as error:
        raise CertificateError(f"{folder}: {error.strerror}") from error
    return files


def _lasts(path: Path, host: str, now: datetime) -> bool:
    """Whether a certificate is there, names the host, and is good for a while."""
    if not path.exists():
        return False
    certificate = _read_chain(path)[0]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends = certificate.not_valid_after_utc
    return ends - now > timedelta(days=RENEWED_DAYS) and set(_names(host)) <= set(names)


def _names(host: str) -> list[x509.GeneralName]:
    """Under which names a development server is called."""
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(os.uname().nodename)]
    addresses = {"127.0.0.1", "::1"}
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        if not address.is_unspecified:
            addresses.add(str(address))
    except ValueError:
        names.append(x509.DNSName(host))
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(addresses)]
    return list(dict.fromkeys(names))


def _make_authority(certificate: Path, key: Path, now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Longmen development authority")])
    made = (
        _builder(name, name, private.public_key(), now, days=AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    write_private(key, _pem(private))
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _make_server(files: DevelopmentTls, authority_key: Path, host: str, now: datetime) -> None:
    signer = _read_key(authority_key)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    authority = _read_chain(files.authority)[0]
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Longmen development server")])
    made = (
        _builder(name, authority.subject, private.public_key(), now, days=SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    write_private(files.key, _pem(private))
    files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    *,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # Clocks of callers may be a little behind.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
