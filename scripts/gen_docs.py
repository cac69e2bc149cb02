#!/usr/bin/env python3
"""Write the tables of docs/operations.md, settings and findings, from the code itself.

scripts/gen_docs.py            write it
scripts/gen_docs.py --check    only compare; exit 1 when it is out of date
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from longmen_server.config import Settings, describe
from longmen_server.ledger.verification.report import KINDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operations.md"


def settings_table() -> str:
    """The settings as a Markdown table."""
    lines = ["| variable | default | unit | what it is for |", "|---|---|---|---|"]
    for setting in describe(Settings()):
        default = f"`{setting.default}`" if setting.default else ""
        reason = setting.reason.replace("|", "\\|")
        lines.append(f"| `{setting.name}` | {default} | {setting.unit} | {reason} |")
    return "\n".join(lines) + "\n"


def findings_table() -> str:
    """The kinds of finding of a verification as a Markdown table."""
    lines = ["| kind | what is wrong | what to do first |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind.meaning} | {kind.action} |" for name, kind in KINDS.items()]
    return "\n".join(lines) + "\n"


TABLES = {"settings": settings_table, "findings": findings_table}
"""Tables by the name in their marks."""


def with_tables(text: str) -> str:
    """A page with its tables replaced."""
    for name, table in TABLES.items():
        begin = f"<!-- {name}: written by scripts/gen_docs.py -->\n"
        end = f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"docs/operations.md: the marks of the table of {name} are missing")
        text = f"{before}{begin}{table()}{end}{after}"
    return text


def main() -> int:
    """Parse the command line, then write or compare."""
    parser = argparse.ArgumentParser(description="Write the tables of docs.")
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when stale")
    arguments = parser.parse_args()
    text = PAGE.read_text("utf-8")
    fresh = with_tables(text)
    if not arguments.check:
        PAGE.write_text(fresh, "utf-8")
        return 0
    if text != fresh:
        print("docs/operations.md: a table is out of date: run `make gen`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
