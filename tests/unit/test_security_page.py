"""The security page names tests that exist and versions that are kept."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from google.protobuf.internal import api_implementation

from longmen_server.config import Settings, describe

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
FLOORS = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", PAGE, re.MULTILINE))


def locked() -> dict[str, str]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    return {each["name"]: each["version"] for each in lock["package"]}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


REQUIRED = {
    "V2": "1.1 1.2 1.3 2.1 2.2 2.3 3.1 3.2 3.3 3.4 4.1",
    "V6": (
        "1.1 1.2 1.3 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 3.1 3.2 3.3 3.4 4.1 4.2 4.3"
        " 4.4 5.1 5.2 5.3 5.4 5.5 6.1 6.2 6.3 8.1 8.2 8.3 8.4"
    ),
    "V7": "1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 4.1 4.2 4.3 4.4 4.5 5.1 5.2 6.1 6.2",
    "V8": "1.1 1.2 2.1 2.2 2.3 3.1 4.1",
    "V9": "1.1 1.2 1.3 2.1 2.2 2.3 2.4",
    "V11": "1.1 1.2 2.1 2.2 2.3 3.1 3.2 3.3 4.1 4.2 4.3 4.4 5.1 6.1",
    "V12": "1.1 1.2 1.3 2.1 2.2 3.1 3.2 3.3 3.4",
    "V13": "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 4.1 4.2 4.3 4.4 4.5",
    "V14": "1.1 1.2 2.1 2.2 2.3 2.4 3.1 3.2 3.3",
    "V15": "1.1 1.2 1.3 2.1 2.2 2.3 3.1 3.2 3.3 3.4 3.5 3.6 3.7",
    "V16": "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3",
}
"""Requirements of levels 1 and 2 of ASVS 5.0.0, by the chapters that apply."""

ROWS = re.findall(r"^\| (V\d+(?:\.\d+\.\d+)?)[^|]*\|[^|]*\| (.+) \|$", PAGE, re.MULTILINE)
HEADINGS = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))


def test_every_test_it_names_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", PAGE))
    assert len(named) >= 100
    absent = []
    for name in named:
        path, _, test = name.partition("::")
        file = ROOT / path
        if not file.is_file() or (test and f"def {test}(" not in file.read_text("utf-8")):
            absent.append(name)
    assert absent == []


def test_every_requirement_is_there_once_and_shown() -> None:
    wanted = [f"{chapter}.{one}" for chapter, all_ in REQUIRED.items() for one in all_.split()]
    found = [name for name, _ in ROWS if "." in name]
    assert sorted(found) == sorted(wanted)
    chapters = {name for name, _ in ROWS if "." not in name}
    assert chapters | REQUIRED.keys() == {f"V{number}" for number in range(1, 18)}
    for name, shown in ROWS:
        assert shown.startswith(("`tests/", "reason: ", "page: ")), name
        for page in re.findall(r"page: ([^;|]+)", shown):
            place = page.strip().partition(" (")[0]
            known = place in HEADINGS or (ROOT / place).is_file() or place == "the contract"
            assert known, (name, page)


def test_the_limits_are_those_of_the_settings() -> None:
    rows = re.findall(r"^\|[^|]+\| (\d+) \| `(LONGMEN_[A-Z_]+)` \|$", PAGE, re.MULTILINE)
    told = {name: value for value, name in rows}
    defaults = {setting.name: setting.default for setting in describe(Settings())}
    assert len(told) >= 14
    assert {name: defaults[name] for name in told} == told


SOURCES = sorted(
    path
    for folder in ("server/longmen_server", "clients/python")
    for path in (ROOT / folder).rglob("*.py")
    if not path.name.endswith(("_pb2.py", "_pb2_grpc.py"))
)

JITTER = {
    *("transport/interceptors/telemetry.py", "transport/status.py"),
    *("demo/plan.py", "demo/shop/plan.py"),
}
"""Where chance need not be secret: which calls are traced, when to come back, a demonstration."""

PRIMITIVES = {
    *("AESGCM", "AESGCMSIV", "HKDF", "SHA256", "Ed25519PrivateKey", "Ed25519PublicKey"),
    *("ECDSA", "SECP256R1", "hashes", "serialization", "ec", "ed25519", "rsa"),
    *("decode_dss_signature", "encode_dss_signature"),
}
"""What is imported of cryptography's primitives; RSA only to judge certificates."""


def names_imported(path: Path, module: str) -> set[str]:
    """What a file imports from a module or from below it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names if each.name.split(".")[0] == module}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(module):
            found |= {each.name for each in node.names}
    return found


def test_randomness_is_the_systems() -> None:
    using = {path for path in SOURCES if names_imported(path, "random")}
    assert {path.relative_to(ROOT / "server/longmen_server").as_posix() for path in using} == JITTER


def test_hashes_and_ciphers_are_approved_ones() -> None:
    hashes, primitives = set(), set()
    for path in SOURCES:
        hashes |= names_imported(path, "hashlib")
        hashes |= set(re.findall(r"hashlib\.([a-z0-9_]+)", path.read_text("utf-8")))
        primitives |= names_imported(path, "cryptography.hazmat.primitives")
    assert hashes - {"hashlib"} <= {"sha256", "blake2b"}
    types = {name for name in primitives if name.endswith("Types") or name[0].islower()}
    assert primitives - types - PRIMITIVES <= {
        "Encoding",
        "NoEncryption",
        "PrivateFormat",
        "PublicFormat",
    }


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_locked_versions_are_not_below_their_floors(package: str) -> None:
    assert numbers(locked()[package]) >= numbers(FLOORS[package])


def test_the_floors_are_there_and_messages_are_parsed_by_upb() -> None:
    assert {"grpcio", "protobuf", "cryptography", "tink"} <= FLOORS.keys()
    assert numbers(FLOORS["grpcio"]) >= (1, 85, 1)
    assert numbers(FLOORS["protobuf"]) >= (6, 33, 5)
    assert api_implementation.Type() == "upb"


def test_the_bill_of_materials_has_every_package_of_the_server(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    subprocess.run(
        ["make", "--silent", "sbom", f"SBOM={target}"], cwd=ROOT, check=True, capture_output=True
    )
    document = json.loads(target.read_text("utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    listed = {each["name"]: each.get("version") for each in document["components"]}
    for package in FLOORS:
        assert listed[package] == locked()[package]
