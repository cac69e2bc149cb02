"""Certificates, good and bad, for tests of TLS."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = BEGIN + dt.timedelta(days=36_500)


def write_certificate(
    folder: Path,
    name: str = "server",
    *,
    key: Any = None,
    begin: dt.datetime = BEGIN,
    end: dt.datetime = END,
    names: bool = True,
    authority: bool = True,
) -> tuple[Path, Path]:
    """Write a self-signed certificate for localhost; give its file and its key's."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        builder = builder.add_extension(alternative, critical=False)
    made = builder.sign(key, hashes.SHA256())
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files[1].chmod(0o600)
    return files


class Authority:
    """An authority that issues certificates to systems."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.file, self._key_file = write_certificate(folder, name)
        self._key: Any = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        self._name = x509.load_pem_x509_certificate(self.file.read_bytes()).subject

    def issue(
        self, *names: str, begin: dt.datetime = BEGIN, end: dt.datetime = END
    ) -> tuple[bytes, bytes]:
        """Certificate and key in PEM; names with a scheme are URIs, the others DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName(
            x509.UniformResourceIdentifier(name) if "://" in name else x509.DNSName(name)
            for name in names
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "system")]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(alternative, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def weak_rsa() -> Any:
    """An RSA key that is too short."""
    return rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - to be refused
