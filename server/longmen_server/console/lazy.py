"""Groups of commands whose modules are imported only when one of them is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_COMMANDS: Mapping[str, tuple[str, str]] = {
    "account": ("longmen_server.console.account:account", "Wallets and their accounts."),
    "transfer": ("longmen_server.console.transfer:transfer", "Money between people."),
    "merchant": (
        "longmen_server.console.merchant:merchant",
        "Who is paid for goods and services, and their tills.",
    ),
    "store": (
        "longmen_server.console.store:store",
        "A merchant's shops, their tills and their takings.",
    ),
    "cashier": (
        "longmen_server.console.cashier:cashier",
        "Who works at a merchant's tills, and their shifts.",
    ),
    "payout": (
        "longmen_server.console.payout:payout",
        "Merchants' bank accounts, and what was paid on them.",
    ),
    "sharing": (
        "longmen_server.console.sharing:sharing",
        "Parts of what orders brought, passed on to other merchants.",
    ),
    "settlement": (
        "longmen_server.console.settlement:settlement",
        "What merchants were paid out, by business date.",
    ),
    "bill": (
        "longmen_server.console.bill:bill",
        "What a merchant's business date came to, line by line.",
    ),
    "webhook": (
        "longmen_server.console.webhook:webhook",
        "Where merchants are told what happens.",
    ),
    "order": (
        "longmen_server.console.order:order",
        "Merchants' orders, from the code to the refund.",
    ),
    "pos": ("longmen_server.console.pos:pos", "A till for a cashier."),
    "factor": ("longmen_server.console.factor:factor", "What a customer proves to be one with."),
    "challenge": (
        "longmen_server.console.factor:challenge",
        "What a customer is asked to approve.",
    ),
    "recovery": (
        "longmen_server.console.recovery:recovery",
        "The bank's reset of factors that a customer has lost.",
    ),
    "fx": ("longmen_server.console.fx_terms:fx", "Currencies: rates, quotes and conversions."),
    "risk": (
        "longmen_server.console.risk:risk",
        "What movements of money are judged by, and what was decided.",
    ),
    "limits": (
        "longmen_server.console.limits:limits",
        "What binds movements of money, and what is left.",
    ),
    "ledger": ("longmen_server.console.ledger:ledger", "The double-entry ledger itself."),
    "events": ("longmen_server.console.events:events", "Every committed change, in order."),
    "approval": (
        "longmen_server.console.approval:approval",
        "Proposals of staff, and the decisions of others.",
    ),
    "staff": ("longmen_server.console.staff:staff", "Who works at the bank, and as what."),
    "biller": (
        "longmen_server.console.biller:biller",
        "Merchants that send bills, and their bills.",
    ),
    "key": ("longmen_server.console.key:key", "API keys of merchants and services."),
    "audit": ("longmen_server.console.audit:audit", "Who asked for what, and what came of it."),
    "admin": ("longmen_server.console.admin:admin", "Clock, settings and statistics."),
    "demo": (
        "longmen_server.console.demo:demo",
        "A day of a small bank against a running server.",
    ),
    "identity": (
        "longmen_server.console.identity:identity",
        "A customer's device: registers, signs in, is revoked.",
    ),
    "demo-identity": (
        "longmen_server.console.demo_identity:demo_identity",
        "A customer's first day with a phone.",
    ),
    "demo-fx": (
        "longmen_server.console.demo_fx:demo_fx",
        "A traveller's day in five currencies.",
    ),
    "demo-risk": (
        "longmen_server.console.demo_risk:demo_risk",
        "Play a takeover and a ring of mules against a running server.",
    ),
    "demo-shop": (
        "longmen_server.console.demo_shop:demo_shop",
        "A market day: tills, phones, and the evening's proofs.",
    ),
    "messages": (
        "longmen_server.console.messages:messages",
        "What a server to try out would have sent to its customers.",
    ),
    "keys": ("longmen_server.console.keys:keys", "The keys that personal data hangs on."),
    "verify": ("longmen_server.verifying:verify", "Prove the books, server running or not."),
    "completion": (
        "longmen_server.console.completion:completion",
        "Print the script that completes commands in a shell.",
    ),
}
"""Commands that talk to a server: where each is, and its line in the help."""


class LazyGroup(click.RichGroup):
    """A group that imports the module of a command when the command is used, not for its help."""

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in alphabetical order."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """What the help and the completion list: a lazy command's name and line."""
        if cmd_name in self._lazy:
            return click.Command(cmd_name, help=self._lazy[cmd_name][1])
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name, imported now if need be."""
        if args and args[0] in self._lazy:
            return args[0], self._load(args[0]), args[1:]
        return super().resolve_command(ctx, args)

    def _load(self, name: str) -> click.Command:
        module_name, _, attribute = self._lazy[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module_name), attribute)
        return command
