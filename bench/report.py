"""What the bench says in the end: bars met or missed, on screen and in bench/out/report.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import psutil
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

ROOT: Final = Path(__file__).resolve().parent.parent
DEFAULT_PATH: Final = ROOT / "bench" / "out" / "report.json"

LIBRARIES: Final = ("grpcio", "protobuf", "protovalidate", "psycopg", "uvloop", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured figure beside what it has to reach."""

    id: str
    title: str
    value: float
    bar: float
    comparison: Literal[">=", "<="]
    unit: str = ""
    """Empty for a ratio."""
    parts: dict[str, Any] = field(default_factory=dict)
    """What the value was made from."""

    @property
    def ok(self) -> bool:
        """Whether the bar is met."""
        return self.value >= self.bar if self.comparison == ">=" else self.value <= self.bar


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "cpus": os.cpu_count(),
        "cpu": cpu_model(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def busy(seconds: float = 1.0) -> float:
    """Share, 0 to 1, of the processors' time that somebody else uses, seen while we wait."""
    return psutil.cpu_percent(interval=seconds) / 100


def cpu_model() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> dict[str, Any]:
    """The commit that was measured, and whether files differed from it."""
    try:
        return {
            "id": _git("rev-parse", "HEAD"),
            "modified": bool(_git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.CalledProcessError):
        return {"id": None, "modified": None}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed
    return done.stdout.strip()


def write(path: Path, bars: list[Bar], details: dict[str, Any]) -> None:
    """Write the report as JSON, whole or not at all."""
    document = {
        "bars": [asdict(bar) | {"ok": bar.ok} for bar in bars],
        "machine": machine(),
        "commit": commit(),
        **details,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(path)


def show(console: Console, bars: list[Bar]) -> None:
    """Print the bars as a table."""
    table = Table(title="Longmen against its bars")
    table.add_column("", no_wrap=True)
    table.add_column("what", min_width=24)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("bar", justify="right", no_wrap=True)
    table.add_column("from", min_width=16)
    for bar in bars:
        style = "green" if bar.ok else "red"
        table.add_row(
            bar.id,
            bar.title,
            f"[{style}]{bar.value:.3g} {bar.unit}".rstrip(),
            f"{bar.comparison} {bar.bar:g} {bar.unit}".rstrip(),
            ", ".join(f"{name} {number(value)}" for name, value in bar.parts.items()),
        )
    console.print(table)


def number(value: Any) -> str:
    """A figure as people read it."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
