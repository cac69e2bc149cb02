"""Runs ghz on one of the configurations and judges the replies, which ghz itself does not do."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIGS: Final = ROOT / "bench" / "ghz"

MARGIN_SECONDS: Final = 60.0
"""How much longer than its load ghz may take to connect, drain and report."""


class GhzError(Exception):
    """ghz did not run."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What ghz reports."""

    rate: float
    """Replies per second."""
    statuses: dict[str, int]
    """Replies by status code."""
    errors: dict[str, int]
    """Replies other than OK by message."""

    @property
    def all_ok(self) -> bool:
        """Whether there was at least one reply and none but OK."""
        return set(self.statuses) == {"OK"} and not self.errors


def find_ghz() -> Path | None:
    """The ghz of `make tools`, or one on PATH."""
    local = ROOT / ".tools" / "bin" / "ghz"
    found = str(local) if local.exists() else shutil.which("ghz")
    return None if found is None else Path(found)


def read_config(path: Path) -> dict[str, Any]:
    """A configuration."""
    config = json.loads(path.read_text("utf-8"))
    assert isinstance(config, dict)
    return config


def template_of(config: dict[str, Any]) -> str:
    """The template of a configuration's requests."""
    if "data-file" in config:
        return (ROOT / str(config["data-file"])).read_text("utf-8")
    return json.dumps(config["data"])


def run_ghz(
    program: Path, config: Path, *, address: str, seconds: float, folder: Path, metadata: Path
) -> Summary:
    """Run ghz and read its report.

    Args:
        program: ghz.
        config: which configuration.
        address: host:port of the server.
        seconds: length of the load.
        folder: where to run it; the paths in the configuration are relative to it.
        metadata: JSON file with the metadata of the calls.

    Raises:
        GhzError: it failed, or reports nothing readable.
    """
    options = [f"--config={config}", f"--duration={seconds}s", "--format=json"]
    try:
        done = subprocess.run(  # noqa: S603 - our configuration
            [str(program), *options, f"--metadata-file={metadata}", address],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + MARGIN_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GhzError(str(error)) from error
    try:
        report = json.loads(done.stdout)
    except ValueError as error:
        raise GhzError(f"{done.stdout[-1000:]}{done.stderr[-1000:]}") from error
    return Summary(
        rate=float(report["rps"]),
        statuses=report["statusCodeDistribution"] or {},
        errors=report["errorDistribution"] or {},
    )
