"""Failures that an operator can mend: each is shown as one line, without a traceback."""

from __future__ import annotations

from typing import Final

from longmen_server.config import ConfigError
from longmen_server.crew import CrewError
from longmen_server.development import DevelopmentError
from longmen_server.migrate import SchemaError
from longmen_server.personal_keys import PersonalKeysError
from longmen_server.platform.certificates import CertificateError
from longmen_server.platform.postgres import LaunchError
from longmen_server.platform.server_check import StorageError
from longmen_server.platform.tokens import KeyFileError
from longmen_server.supervisor import StartError

__all__ = ["OPERATORS_FAILURES"]

OPERATORS_FAILURES: Final = (
    CertificateError,
    ConfigError,
    CrewError,
    DevelopmentError,
    KeyFileError,
    LaunchError,
    PersonalKeysError,
    SchemaError,
    StartError,
    StorageError,
)
