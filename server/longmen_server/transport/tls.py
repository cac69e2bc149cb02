"""The server's side of TLS: versions, suites, and certificates that change while it runs.

gRPC's core speaks TLS 1.2 and 1.3 only. Which suites it takes for 1.2 is the process's environment
to say; the ones named here have forward secrecy and authenticated encryption. The certificate's
files are looked at with every handshake, at most once a second, so that a renewed certificate is
served without a restart; a half-written one is not: the last good pair stays.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import grpc

if TYPE_CHECKING:
    from pathlib import Path

    from longmen_server.transport.settings import EdgeSettings

__all__ = ["Certificates", "credentials"]

SUITES: Final = (
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    ":ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    ":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
)
"""The suites that are taken, in the names of OpenSSL."""

SUITES_VARIABLE: Final = "GRPC_SSL_CIPHER_SUITES"

LOOK_SECONDS: Final = 1.0
"""How often the files are looked at, at most."""

Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """The certificate as it stands in its files at present."""

    def __init__(self, certificate: Path, key: Path, authorities: Path | None) -> None:
        """Read the files; raise OSError if one cannot be read."""
        self._files = (key, certificate, *(() if authorities is None else (authorities,)))
        self._stamp = self._stamp_of_files()
        self._looked_at = time.monotonic()
        self.current = self._read()
        """The latest good certificate."""

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return a new certificate if there is one; called by gRPC with every handshake."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return None
        self._looked_at = now
        try:
            stamp = self._stamp_of_files()
            if stamp == self._stamp:
                return None
            self.current = self._read()
        except (OSError, ValueError):
            return None  # being replaced at this moment, or broken: looked at again
        self._stamp = stamp
        return self.current

    def _read(self) -> grpc.ServerCertificateConfiguration:
        """Read the files, and raise ValueError unless key and certificate belong together."""
        key, certificate, *authorities = (path.read_bytes() for path in self._files)
        _demand_pair(certificate, key)
        return grpc.ssl_server_certificate_configuration(
            [(key, certificate)], root_certificates=authorities[0] if authorities else None
        )

    def _stamp_of_files(self) -> Stamp:
        """What changes when a file is replaced."""
        found = (path.stat() for path in self._files)
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)


def _demand_pair(certificate: bytes, key: bytes) -> None:
    """Raise ValueError unless a key is that of a certificate: gRPC would serve the two as they are.

    The library is loaded where TLS is served, and nowhere else.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    mine = load_pem_private_key(key, password=None).public_key()
    if mine != x509.load_pem_x509_certificate(certificate).public_key():
        raise ValueError("the key is not the certificate's")


def credentials(settings: EdgeSettings, *, demands: bool) -> grpc.ServerCredentials | None:
    """Return the server's TLS credentials; None when no certificate is given.

    Args:
        settings: with the files.
        demands: whether callers have to show a client certificate, if there are authorities.

    Raises:
        ValueError: only one of certificate and key is given, or they do not belong together.
        OSError: a file cannot be read.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ValueError("TLS takes both a certificate and its key")
    # Read by gRPC's core when it first makes credentials.
    os.environ[SUITES_VARIABLE] = SUITES
    authorities = settings.tls_client_authorities if demands else None
    held = Certificates(certificate, key, authorities)
    # None keeps the present certificate, by gRPC's own words; its types lack that.
    return grpc.dynamic_ssl_server_credentials(
        held.current,
        held.changed,  # type: ignore[arg-type]
        require_client_authentication=authorities is not None,
    )
