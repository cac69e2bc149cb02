"""The security page names tests that exist and versions that are kept."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from google.protobuf.internal import api_implementation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
FLOORS = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", PAGE, re.MULTILINE))


def locked() -> dict[str, str]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    return {each["name"]: each["version"] for each in lock["package"]}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_every_test_it_names_exists() -> None:
    named = re.findall(r"`(tests/[^`]+)`", PAGE)
    assert len(named) >= 15
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_chapter_has_a_test_or_a_reason() -> None:
    rows = re.findall(r"^\| (V\d+)[^|]*\|[^|]*\| (.+) \|$", PAGE, re.MULTILINE)
    assert {chapter for chapter, _ in rows} == {f"V{number}" for number in range(1, 18)}
    assert all(shown.startswith(("`tests/", "reason: ")) for _, shown in rows)


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
