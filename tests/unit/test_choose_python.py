"""Which Python the environment is built with."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "choose_python.py"


@pytest.fixture
def script() -> Any:
    spec = importlib.util.spec_from_file_location("choose_python", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, *, takes_s: float | None, will_do: bool = True) -> None:
    """Put an interpreter into a folder: what it says of itself, and how fast it is."""
    told = 'echo "$0"' if will_do else "exit 1"
    ran = "exit 1" if takes_s is None else f"echo {takes_s}"
    path = folder / name
    path.write_text(f'#!/bin/sh\ncase "$3" in *perf_counter*) {ran};; *) {told};; esac\n')
    path.chmod(0o755)


def chosen(script: Any, capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    code = script.main(list(given))
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize(
    ("others", "best"),
    [
        ({}, "python3"),
        ({"python3.12": 0.95}, "python3"),
        ({"python3.12": 0.8}, "python3.12"),
        ({"python3.12": 0.8, "python3.13": 0.6}, "python3.13"),
        ({"python3.13": None}, "python3"),
    ],
    ids=["alone", "hardly-faster", "faster", "fastest", "does-not-run"],
)
def test_python3_is_taken_unless_another_is_clearly_faster(
    script: Any,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    others: dict[str, float | None],
    best: str,
) -> None:
    install(folder, "python3", takes_s=1.0)
    for name, takes_s in others.items():
        install(folder, name, takes_s=takes_s)
    install(folder, "python3.14", takes_s=0.1, will_do=False)
    assert chosen(script, capsys) == (0, f"{folder / best}\n", "")


def test_the_one_given_is_taken_however_slow(
    script: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(folder, "python3", takes_s=0.1)
    install(folder, "mine", takes_s=9.0)
    assert chosen(script, capsys, str(folder / "mine")) == (0, f"{folder / 'mine'}\n", "")


def test_without_any_it_says_what_is_missing(
    script: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(folder, "python3", takes_s=1.0, will_do=False)
    for given in ((), (str(folder / "python3"),), (str(folder / "none"),)):
        code, out, err = chosen(script, capsys, *given)
        assert (code, out) == (1, "")
        assert "CPython 3.11 or newer with venv" in err


def test_what_is_asked_of_an_interpreter_runs(script: Any) -> None:
    base = script.answer(sys.executable, script.ASKED)
    assert base is not None
    assert script.answer(base, script.ASKED) == base
    assert script.answer(base, "import sys; print(sys.prefix == sys.base_prefix)") == "True"
    assert float(script.answer(base, script.TRIED)) > 0
    assert script.answer(sys.executable, "raise SystemExit(3)") is None
