"""`longmen risk`: what movements of money are judged by."""

from __future__ import annotations

import rich_click as click

from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.risk_lists import lists
from longmen_server.console.risk_rules import rules


@click.group(epilog=EXIT_CODES)
def risk() -> None:
    """What movements of money are judged by: rules and lists."""


risk.add_command(rules)
risk.add_command(lists)
