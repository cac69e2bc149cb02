"""The repository's own promises: pins, vendored files, one door."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
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


def our_python() -> list[Path]:
    """Every Python file of the repository that people write."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "scripts/gen"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    generated = re.compile(r"^clients/python/(longmen|buf)/|_generated/|/_sync/")
    return [ROOT / name for name in listed.stdout.split() if not generated.search(name)]


def test_files_and_functions_can_be_read_at_one_sitting() -> None:
    for path in our_python():
        text = path.read_text("utf-8")
        is_test = path.relative_to(ROOT).parts[0] == "tests"
        assert is_test or text.count("\n") <= 600, f"{path} is too long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= 70, f"{path}: {node.name} has {lines} lines"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=; ]", each)[0] for each in wanted}
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    reasons = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", page, re.MULTILINE))
    del reasons["package"]
    assert names == set(reasons)
    assert all(reason.endswith(".") for reason in reasons.values())


def test_the_documented_settings_are_the_settings() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/gen_docs.py", "--check"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_only_clock_and_ids_ask_the_machine() -> None:
    """The linter bans the calls; this bans silencing it elsewhere."""
    allowed = {
        "clients/python/longmen_app/_async/session.py",  # a client has no other clock
        "clients/python/longmen_app/payer_code.py",  # a device has its own
        "clients/python/longmen_merchant/journal.py",
        "clients/python/longmen_merchant/offline.py",  # a till has its own
        "clients/python/longmen_client/device_key.py",  # the same
        "clients/python/longmen_client/ids.py",  # clients make request ids by themselves
        "clients/python/longmen_client/signing.py",  # and sign the time of each attempt
        "server/longmen_server/platform/clock.py",
        "tests/unit/test_clock.py",
    }
    silenced = {
        path.relative_to(ROOT).as_posix()
        for path in our_python()
        if re.search(r"noqa:.*TID251", path.read_text("utf-8"))
    }
    assert silenced - {"tests/unit/test_repository.py"} <= allowed
