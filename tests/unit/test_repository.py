"""The repository's own promises: pins, vendored files, one door."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

VALIDATE_PROTO_SHA256 = "817951eab518442950f1982be24b2c3154b214b40e42f49b915cbf5181e6ee80"


def test_vendored_validation_rules_are_unchanged() -> None:
    vendored = (ROOT / "third_party/buf/validate/validate.proto").read_bytes()
    assert hashlib.sha256(vendored).hexdigest() == VALIDATE_PROTO_SHA256


def test_vendored_files_carry_their_licence() -> None:
    for folder in (ROOT / "third_party").iterdir():
        assert "Apache License" in (folder / "LICENSE").read_text("utf-8")


def test_lock_file_names_only_the_public_index() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    registries = {
        package["source"]["registry"]
        for package in lock["package"]
        if "registry" in package["source"]
    }
    assert registries == {"https://pypi.org/simple"}


def test_every_make_target_explains_itself() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = next(line for line in text.splitlines() if line.startswith(".PHONY:"))
    documented = {
        line.split(":")[0] for line in text.splitlines() if ": ##" in line or " ## " in line
    }
    assert set(phony.removeprefix(".PHONY:").split()) <= documented
