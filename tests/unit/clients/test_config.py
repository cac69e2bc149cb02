"""Configurations that cannot work or are not safe are refused when they are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from longmen_client import CallOptions, Config, ConfigError, Tls
from longmen_client.contract import service_config_json, services

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "fields",
    [
        {"target": ""},
        {"connections": 0},
        {"deadline_ms": 0},
        {"keepalive_ms": 1_000},
        {"maximum_reply_bytes": 0},
        {"target": "bank.example:443", "token": "t"},
        {"target": "dns:///bank.example:443", "token": lambda: "t"},
        {"target": "10.0.0.5:50051", "token": "t"},
    ],
    ids=lambda fields: "-".join(fields) + str(fields.get("target", "")),
)
def test_what_cannot_work_or_is_not_safe_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Config(**fields)


@pytest.mark.parametrize(
    "target",
    ["127.0.0.1:50051", "localhost:1", "[::1]:50051", "unix:///tmp/s", "dns:///localhost:1"],
)
def test_a_token_stays_on_this_machine(target: str) -> None:
    assert Config(target=target, token="t").target == target


def test_a_token_may_travel_encrypted_or_when_allowed() -> None:
    assert Config(target="bank.example:443", token="t", tls=Tls()).tls is not None
    allowed = Config(target="bank.internal:1", token="t", plaintext_token_allowed=True)
    assert allowed.tls is None


def test_half_a_client_certificate_is_refused() -> None:
    with pytest.raises(ConfigError):
        Tls(certificate_pem=b"c")


def test_secrets_are_not_shown() -> None:
    config = Config(token="secret", tls=Tls(certificate_pem=b"c", private_key_pem=b"secret"))

    assert "secret" not in repr(config)


def test_a_calls_deadline_is_above_zero() -> None:
    with pytest.raises(ConfigError):
        CallOptions(deadline_ms=0)


def test_the_service_config_has_a_row_for_each_method() -> None:
    config = json.loads(service_config_json())
    rows = {
        f"{row['name'][0]['service']}/{row['name'][0]['method']}": row
        for row in config["methodConfig"]
    }

    assert len(rows) == len(config["methodConfig"])
    assert rows.keys() == {
        f"{service.full_name}/{method.name}" for service in services() for method in service.methods
    }
    assert rows["longmen.ledger.v1.LedgerService/CreateTransfers"]["timeout"] == "30s"
    retries = [row["retryPolicy"] for row in rows.values() if "retryPolicy" in row]
    assert {tuple(retry["retryableStatusCodes"]) for retry in retries} == {("UNAVAILABLE",)}
    streams = {name for name, row in rows.items() if "retryPolicy" not in row}
    assert streams == {
        "longmen.accounts.v1.AccountsService/WatchBalance",
        "longmen.admin.v1.AdminService/VerifyLedger",
        "longmen.events.v1.EventsService/WatchEvents",
        "longmen.fx.v1.RatesService/StreamRates",
        "longmen.audit.v1.AuditService/ExportAudit",
        "longmen.identity.v1.ProfileService/ExportMyData",
        "longmen.payments.v1.PayerCodesService/WatchPayerCode",
        "longmen.merchants.v1.SettlementsService/DownloadBill",
        "longmen.payments.v1.PaymentsService/WatchOrder",
        "longmen.ledger.v1.LedgerService/ExportJournal",
        "longmen.risk.v1.RulesService/BacktestRules",
    }


def test_the_committed_service_config_is_the_clients_own() -> None:
    committed = json.loads((ROOT / "clients" / "service_config.json").read_text("utf-8"))

    assert committed == json.loads(service_config_json())
