#!/usr/bin/env python3
"""Write the table of settings in docs/operations.md from the settings themselves.

scripts/gen_docs.py            write it
scripts/gen_docs.py --check    only compare; exit 1 when it is out of date
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from longmen_server.config import Settings, describe

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operations.md"
BEGIN = "<!-- settings: written by scripts/gen_docs.py -->\n"
END = "<!-- end of settings -->\n"


def table() -> str:
    """The settings as a Markdown table."""
    lines = ["| variable | default | unit | what it is for |", "|---|---|---|---|"]
    for setting in describe(Settings()):
        default = f"`{setting.default}`" if setting.default else ""
        reason = setting.reason.replace("|", "\\|")
        lines.append(f"| `{setting.name}` | {default} | {setting.unit} | {reason} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """A page with its table replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def main() -> int:
    """Parse the command line, then write or compare."""
    parser = argparse.ArgumentParser(description="Write the table of settings.")
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when stale")
    arguments = parser.parse_args()
    text = PAGE.read_text("utf-8")
    fresh = with_table(text)
    if not arguments.check:
        PAGE.write_text(fresh, "utf-8")
        return 0
    if text != fresh:
        print("docs/operations.md: the table of settings is out of date: run `make gen`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
