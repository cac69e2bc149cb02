#!/usr/bin/env python3
"""Write the tables of docs, such as settings, findings and roles, from the code itself.

scripts/gen_docs.py            write it
scripts/gen_docs.py --check    only compare; exit 1 when it is out of date
"""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path

from longmen.type.v1 import policy_pb2
from longmen_server.config import Settings, describe
from longmen_server.development import contract_methods
from longmen_server.ledger.verification.report import KINDS
from longmen_server.transport.method import read_method

DOCS = Path(__file__).resolve().parent.parent / "docs"
SERVER = DOCS.parent / "server" / "longmen_server"


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


def roles_table() -> str:
    """What each role of staff may do with each method, as a Markdown table.

    Methods that staff may not call at all have a row as well: the table is the whole contract.
    """
    roles = [name.removeprefix("STAFF_ROLE_").lower() for name in policy_pb2.StaffRole.keys()[1:]]
    lines = [
        f"| method | scope | {' | '.join(role.replace('_', ' ') for role in roles)} |",
        "|---|---|" + "---|" * len(roles),
    ]
    methods = sorted((read_method(one) for one in contract_methods()), key=lambda one: one.path)
    for method in methods:
        may = "proposes" if method.is_proposed else "calls"
        cells = [may if role in method.staff_roles else "" for role in roles]
        lines.append(f"| `{method.path}` | `{method.scope}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def areas_table() -> str:
    """What is in each folder of the server, in its own words."""
    lines = ["| folder | what is there |", "|---|---|"]
    for path in sorted(SERVER.glob("*/__init__.py")):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        lines.append(f"| `{path.parent.name}/` | {said.partition(chr(10))[0]} |")
    return "\n".join(lines) + "\n"


PAGES = {
    "architecture.md": {"areas": areas_table},
    "operations.md": {"settings": settings_table, "findings": findings_table},
    "roles.md": {"roles": roles_table},
}
"""Tables of each page by the name in their marks."""


def with_tables(page: str, text: str) -> str:
    """A page with its tables replaced."""
    for name, table in PAGES[page].items():
        begin = f"<!-- {name}: written by scripts/gen_docs.py -->\n"
        end = f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"docs/{page}: the marks of the table of {name} are missing")
        text = f"{before}{begin}{table()}{end}{after}"
    return text


def main() -> int:
    """Parse the command line, then write or compare."""
    parser = argparse.ArgumentParser(description="Write the tables of docs.")
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when stale")
    arguments = parser.parse_args()
    stale = False
    for page in PAGES:
        text = (DOCS / page).read_text("utf-8")
        fresh = with_tables(page, text)
        if not arguments.check:
            (DOCS / page).write_text(fresh, "utf-8")
        elif text != fresh:
            print(f"docs/{page}: a table is out of date: run `make gen`")
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
