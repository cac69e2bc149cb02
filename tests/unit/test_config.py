from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from longmen_server.config import ConfigError, Settings, describe, read_settings

PRODUCTION = {
    "LONGMEN_PRODUCTION": "yes",
    "LONGMEN_TOKENS_JWKS": "keys.json",
    "LONGMEN_TOKENS_ISSUER": "https://login.bank.example",
    "LONGMEN_REFLECTION": "no",
    "LONGMEN_CLEARING_FOLDER": "clearing",
    "LONGMEN_MESSAGES_WEBHOOK_URL": "https://gateway.bank.example/messages",
    "LONGMEN_MESSAGES_WEBHOOK_SECRET": "webhook.secret",
}


def test_nothing_said_gives_the_defaults() -> None:
    assert read_settings({}) == (Settings(), ())


def test_the_environment_is_read_by_type() -> None:
    settings, warnings = read_settings(
        {
            "LONGMEN_PORT": " 6000 ",
            "LONGMEN_DATA": "/somewhere",
            "LONGMEN_MIGRATE": "off",
            "LONGMEN_BOOKS": "3, 1,2",
            "LONGMEN_TRACE_RATIO": "0.25",
            "LONGMEN_OTLP_ENDPOINT": "http://127.0.0.1:4317",
            "LONGMEN_HOST": "",
        }
    )
    assert settings == dataclasses.replace(
        Settings(),
        port=6000,
        data=Path("/somewhere"),
        migrate=False,
        books=(3, 1, 2),
        trace_ratio=0.25,
        otlp_endpoint="http://127.0.0.1:4317",
    )
    assert warnings == ()


def test_the_command_line_wins() -> None:
    settings, _ = read_settings({"LONGMEN_PORT": "6000"}, port=7000, data=None)
    assert settings.port == 7000


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"LONGMEN_PORT": "abc"}, "LONGMEN_PORT: 'abc' is not a whole number"),
        ({"LONGMEN_PORT": "65536"}, "LONGMEN_PORT: 65536 is outside 0 to 65535"),
        ({"LONGMEN_WORKERS": "0"}, "LONGMEN_WORKERS: 0 is outside 1 to 64"),
        ({"LONGMEN_MIGRATE": "maybe"}, "LONGMEN_MIGRATE: 'maybe' is neither yes nor no"),
        ({"LONGMEN_BOOKS": "1,x"}, "LONGMEN_BOOKS: 'x' is not a whole number"),
        ({"LONGMEN_BOOKS": "0"}, "LONGMEN_BOOKS: books are numbers from 1 to 32767"),
        ({"LONGMEN_BOOKS": "1,1"}, "LONGMEN_BOOKS: a book is named twice"),
        ({"LONGMEN_TRACE_RATIO": "2"}, "LONGMEN_TRACE_RATIO: 2.0 is outside 0 to 1"),
        ({"LONGMEN_LOG_LEVEL": "loud"}, "LONGMEN_LOG_LEVEL: choose one of"),
        ({"LONGMEN_READERS_MIN": "9"}, "LONGMEN_READERS_MIN: above LONGMEN_READERS_MAX"),
        ({"LONGMEN_TLS_KEY": "k.pem"}, "LONGMEN_TLS_CERTIFICATE and LONGMEN_TLS_KEY belong"),
        ({"LONGMEN_TLS_CLIENT_AUTHORITIES": "a.pem"}, "needs a server certificate"),
        ({**PRODUCTION, "LONGMEN_TOKENS_JWKS": ""}, "LONGMEN_TOKENS_JWKS: needed in production"),
        ({**PRODUCTION, "LONGMEN_CLEARING_FOLDER": ""}, "LONGMEN_CLEARING_FOLDER: needed in"),
        ({**PRODUCTION, "LONGMEN_FAILPOINTS": "loaded=error"}, "LONGMEN_FAILPOINTS: not in"),
        ({**PRODUCTION, "LONGMEN_REFLECTION": "yes"}, "LONGMEN_REFLECTION: not in production"),
        ({**PRODUCTION, "LONGMEN_TOKENS_ISSUER": ""}, "LONGMEN_TOKENS_ISSUER: name the issuer"),
        ({**PRODUCTION, "LONGMEN_TLS_DEVELOPMENT": "1"}, "LONGMEN_TLS_DEVELOPMENT: not in"),
        ({**PRODUCTION, "LONGMEN_LOG_LEVEL": "debug"}, "LONGMEN_LOG_LEVEL: not debug in"),
        ({"LONGMEN_HOST": "0.0.0.0"}, "LONGMEN_TLS_CERTIFICATE: needed except on loopback"),
        ({"LONGMEN_RATES": "customer.payment=1"}, "LONGMEN_RATES: 'customer.payment=1' is not"),
        (
            {**PRODUCTION, "LONGMEN_HOST": "0.0.0.0"},
            "LONGMEN_TLS_CERTIFICATE: needed in production, except on loopback",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_name(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(environment)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost"])
def test_production_on_loopback_may_be_plaintext(host: str) -> None:
    settings, _ = read_settings({**PRODUCTION, "LONGMEN_HOST": host})
    assert settings.production


def test_a_slip_of_the_pen_is_noticed() -> None:
    _, warnings = read_settings({"LONGMEN_PROT": "1", "LONGMEN_TOKEN": "mine", "OTHER": "x"})
    assert warnings == ("LONGMEN_PROT is not a setting; did you mean LONGMEN_PORT?",)


def test_every_setting_has_a_reason() -> None:
    for described in describe(Settings()):
        assert len(described.reason.split()) >= 3, described.name
        assert described.reason.endswith("."), described.name


def test_secrets_are_neither_described_nor_printed() -> None:
    settings = dataclasses.replace(Settings(), dsn="password=hidden", migrate_dsn="p=hidden")
    assert "hidden" not in repr(settings)
    values = {described.name: described.value for described in describe(settings)}
    assert values["LONGMEN_DSN"] == values["LONGMEN_MIGRATE_DSN"] == "(redacted)"
    assert values["LONGMEN_PORT"] == "50051"


def test_units_come_from_names() -> None:
    units = {described.name: described.unit for described in describe(Settings())}
    assert units["LONGMEN_READERS_WAIT_MS"] == "ms"
    assert units["LONGMEN_TOKENS_LEEWAY_S"] == "s"
    assert units["LONGMEN_PORT"] == ""
