"""The command line: what it says and what it ends with."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from longmen_server.cli import cli
from longmen_server.development import scopes_for
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.tokens import Claims, TokenVerifier
from tests.support.server import longmen

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMER = "cust_0198f2a4111171118111111111110001"


def run(*words: str, **variables: str) -> Result:
    """A command in this process, which is quicker than one of its own."""
    cleared = {name: None for name in os.environ if name.startswith("LONGMEN_")}
    return CliRunner().invoke(cli, words, env={**cleared, **variables}, prog_name="longmen")


def verify(folder: Path, token: str) -> Claims:
    return TokenVerifier(
        folder / "keys" / "development.jwks.json",
        issuer="longmen-development",
        audience="longmen",
        leeway_seconds=0,
        clock=SystemClock(),
    ).verify(token)


def test_help_names_the_commands_and_where_settings_are() -> None:
    done = longmen("--help")
    assert done.returncode == 0
    for word in ("serve", "migrate", "token", "LONGMEN_", "docs/operations.md"):
        assert word in done.stdout


def test_the_version_is_the_packages() -> None:
    done = run("--version")
    assert done.exit_code == 0
    assert "0.1.0" in done.stdout


def test_an_unknown_command_is_refused() -> None:
    assert run("frobnicate").exit_code == 2


def test_a_failure_is_one_line_for_a_program_too() -> None:
    done = longmen("token", LONGMEN_DATA="/dev/null/x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "longmen: /dev/null/x/keys: Not a directory\n"


def test_a_token_for_a_service_may_do_all_a_service_may(tmp_path: Path) -> None:
    done = run("token", LONGMEN_DATA=str(tmp_path))
    assert done.exit_code == 0, done.stderr
    claims = verify(tmp_path, done.stdout.strip())
    assert (claims.kind, claims.subject) == ("service", "developer")
    assert claims.scopes == scopes_for("service")
    assert "ledger.write" in claims.scopes


def test_a_token_says_what_was_asked_for(tmp_path: Path) -> None:
    words = ["--kind", "customer", "--subject", "alice", "--customer", CUSTOMER]
    scopes = ["--scope", "accounts.read", "--scope", "transfers.read"]
    done = run("token", *words, *scopes, "--lifetime", "60", LONGMEN_DATA=str(tmp_path))
    assert done.exit_code == 0, done.stderr
    claims = verify(tmp_path, done.stdout.strip())
    assert (claims.kind, claims.subject) == ("customer", "alice")
    assert claims.scopes == {"accounts.read", "transfers.read"}
    assert claims.customer_id is not None
    assert claims.expires_at_us - SystemClock().now_us() <= 60_000_000


@pytest.mark.parametrize(
    ("words", "variables", "message", "status"),
    [
        (["--scope", "everything"], {}, "no method that a service may call", 1),
        (["--kind", "customer"], {}, "a token has a customer id exactly when", 1),
        (["--customer", CUSTOMER], {}, "a token has a customer id exactly when", 1),
        (["--kind", "customer", "--customer", "bob"], {}, "bob is not an id", 1),
        ([], {"LONGMEN_TOKENS_JWKS": "/keys.json"}, "trusts the keys of /keys.json", 1),
        (
            [],
            {
                "LONGMEN_PRODUCTION": "1",
                "LONGMEN_TOKENS_JWKS": "/keys.json",
                "LONGMEN_TOKENS_ISSUER": "https://login.bank.example",
                "LONGMEN_REFLECTION": "no",
                "LONGMEN_CLEARING_FOLDER": "/clearing",
                "LONGMEN_MESSAGES_WEBHOOK_URL": "https://gateway.bank.example/messages",
                "LONGMEN_MESSAGES_WEBHOOK_SECRET": "/webhook.secret",
            },
            "a production server takes no development tokens",
            1,
        ),
        ([], {"LONGMEN_DATA": "/dev/null/x"}, "/dev/null/x", 1),
        ([], {"LONGMEN_PORT": "x"}, "LONGMEN_PORT: 'x' is not a whole number", 2),
    ],
)
def test_a_token_that_makes_no_sense_is_one_line(
    tmp_path: Path, words: list[str], variables: dict[str, str], message: str, status: int
) -> None:
    done = run("token", *words, **{"LONGMEN_DATA": str(tmp_path), **variables})
    assert (done.exit_code, done.stdout) == (status, "")
    assert done.stderr.startswith("longmen: ")
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr


def test_a_slip_in_a_variable_is_warned_of(tmp_path: Path) -> None:
    done = run("token", LONGMEN_DATA=str(tmp_path), LONGMEN_DATTA="x")
    assert done.exit_code == 0
    assert done.stderr == "longmen: LONGMEN_DATTA is not a setting; did you mean LONGMEN_DATA?\n"


def test_the_public_key_file_has_no_private_part(tmp_path: Path) -> None:
    run("token", LONGMEN_DATA=str(tmp_path))
    (key,) = json.loads((tmp_path / "keys/development.jwks.json").read_text("utf-8"))["keys"]
    assert "d" not in key
