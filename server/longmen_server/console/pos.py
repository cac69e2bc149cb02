"""`longmen pos`: a till for a cashier, in a terminal.

The keyboard is the scanner: barcode scanners type what they read and press Enter.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from longmen.type.v1 import money_pb2
from longmen_client import LongmenError, Money
from longmen_merchant import Journal, JournalError, Limits, Shop, Till
from longmen_merchant.journal import today
from longmen_merchant.model import UNREACHABLE, is_in_doubt
from longmen_merchant.offline import OfflineError, OfflineStore
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.order import drawn
from longmen_server.console.parameters import currency_option
from longmen_server.console.session import Session, connected

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from longmen.merchants.v1 import shift_pb2, store_pb2
    from longmen_merchant import Charge, Sale

__all__ = ["main", "pos"]

SAY = {
    "CODE_MALFORMED": "Scan again.",
    "CODE_INVALID": "Scan again.",
    "CODE_EXPIRED": "Please show a fresh code.",
    "CODE_USED": "Please show a fresh code.",
    "CODE_UNKNOWN_SCHEME": "That is another wallet's code.",
    "CODE_BUDGET_SPENT": "Please open the app where there is a network.",
    "PAYER_STATE": "Please pay in another way.",
    "INSUFFICIENT_FUNDS": "Please pay in another way.",
    "DECLINED": "The payer turned it down.",
    "TERMINAL_BUSY": "Another sale of this till is open.",
    "ORDER_CLOSED": "The sale was cancelled.",
    "ORDER_EXPIRED": "Too late; begin again.",
    "UNREACHABLE": "No network. The sale is undone as soon as there is one.",
    "OFFLINE_LIMIT_EXCEEDED": "Too much without a network. Please pay in another way.",
    "OFFLINE_NOT_ENABLED": "This shop does not sell without a network.",
    "STORE_CLOSED": "This shop is closed.",
    "STORE_FULL": "Too many sales wait for the network. Please pay in another way.",
    "STORE_TOO_OLD": "Sales have waited too long for the network. Please pay in another way.",
}
"""What a cashier is told for a reason; docs/pos-integration.md has the same words."""

TOTALS_COLUMNS = ("sales", "taken", "tips", "refunds", "given back", "not paid")

HELP = "an amount sells, 20+3 with a tip · r refunds · t totals · x ends"
OFFLINE_HELP = HELP.replace(" · x", " · o {mode} · f forwards {pending} · x")


@click.command(epilog=EXIT_CODES)
@click.argument("merchant_id")
@click.argument("terminal_id")
@click.option(
    "--cashier", default="", help="Who works: the number of a registered cashier, or any."
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("till.json"),
    show_default=True,
    help="File of what the till has not finished.",
)
@click.option(
    "--offline",
    "offline_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of sales without a network; the till sells without one when it is given.",
)
@click.option(
    "--wait", "wait_s", default=60, show_default=True, help="Seconds that a payer has to approve."
)
@currency_option
@connected
def pos(
    session: Session,
    merchant_id: str,
    terminal_id: str,
    *,
    cashier: str,
    journal: Path,
    offline_path: Path | None,
    wait_s: int,
    currency: str,
) -> None:
    """Sell at a till: type an amount, scan the payer's code or show one, see it paid."""
    with ExitStack() as opened:
        try:
            kept = Journal(journal)
            store = (
                None if offline_path is None else opened.enter_context(OfflineStore(offline_path))
            )
        except (JournalError, OfflineError) as error:
            raise ValueError(str(error)) from error
        till = opened.enter_context(
            Till(
                session.bank.config,
                merchant_id=merchant_id,
                terminal_id=terminal_id,
                journal=kept,
                limits=Limits(charge_ms=wait_s * 1_000),
            )
        )
        Counter(session, till, currency.upper(), store).run(cashier)


class Counter:
    """What a cashier does, one line at a time."""

    def __init__(
        self, session: Session, till: Till, currency_code: str, store: OfflineStore | None = None
    ) -> None:
        """Stand at a till.

        Args:
            session: the connection, and where to print.
            till: what sells.
            currency_code: of all amounts.
            store: of sales without a network; None sells none.
        """
        self._session = session
        self._console: Console = session.console
        self._till = till
        self._currency = currency_code
        self._last: Charge | None = None
        self._shift_id = ""
        self._store = store
        self._is_offline = False

    def run(self, cashier: str) -> None:
        """Work until the cashier ends."""
        try:
            self._begin(cashier)
        except LongmenError as error:
            if self._store is None or self._store.terms is None or not is_in_doubt(error):
                raise
            self._is_offline = True
            self._console.print("No network: sales are stored.", style="yellow")
        while (line := self._ask(self._help())) != "x":
            try:
                self._do(line)
            except (LongmenError, ValueError) as error:
                self._console.print(f"{error}", style="red", markup=False)
        if self._shift_id:
            self._end()

    def _help(self) -> str:
        if self._store is None:
            return HELP
        mode = "sells with the network" if self._is_offline else "sells without a network"
        return OFFLINE_HELP.format(mode=mode, pending=self._store.pending)

    def _begin(self, cashier: str) -> None:
        """Finish what was cut off, say that the till is there, and open a shift."""
        found = self._till.resume()
        for charge in found.charges:
            self._show(charge)
        for error in found.errors:
            self._console.print(f"Not finished: {error}", style="red", markup=False)
        self._till.report("longmen pos")
        shop = Shop(self._session.bank, self._till.merchant_id)
        people = shop.cashiers()
        worker = self._worker(people, cashier) if people else None
        opened = shop.open_shift(self._till.terminal_id, worker or cashier or "cashier")
        self._shift_id = opened.shift_id
        if opened.goes_on:
            self._console.print("The shift goes on.")
        else:
            name = cashier or "cashier" if worker is None else worker.name
            self._console.print(f"Good day, {name}.", markup=False)
        if self._store is not None:
            self._till.prepare_offline(self._store)
            self._forward(self._store)

    def _worker(self, people: list[store_pb2.Cashier], number: str) -> store_pb2.Cashier:
        """Let a registered cashier say who it is."""
        by_number = {one.number: one for one in people}
        if number not in by_number:
            self._console.print(
                views.table(
                    "Cashiers", ["number", "name"], [[n, o.name] for n, o in by_number.items()]
                )
            )
        while number not in by_number:
            number = self._ask("who works? number")
        return by_number[number]

    def _end(self) -> None:
        """Close the shift if the cashier says so, and show what it came to."""
        if click.confirm("Close the shift?", default=True):
            self._session.bank.shifts.close_shift(shift_id=self._shift_id)
        self._totals()

    def _do(self, line: str) -> None:
        if line == "t":
            self._totals()
        elif line == "r":
            self._refund()
        elif line == "o" and self._store is not None:
            self._is_offline = not self._is_offline
        elif line == "f" and self._store is not None:
            self._forward(self._store)
        elif line and self._is_offline and self._store is not None:
            self._keep(self._store, Money.of(line, self._currency))
        elif line:
            amount, _, tip = line.partition("+")
            self._sell(Money.of(amount, self._currency), self._tip(tip))

    def _tip(self, text: str) -> Money | None:
        return Money.of(text, self._currency) if text else None

    def _keep(self, store: OfflineStore, amount: Money) -> None:
        """One sale without a network."""
        from rich.panel import Panel

        code = self._ask(f"{amount} without a network: scan the payer's code, or Enter to cancel")
        if not code:
            return
        try:
            sale = store.accept(code, amount)
        except OfflineError as error:
            said = SAY.get(error.reason, str(error))
            self._console.print(Panel(f"NOT SOLD  {said}", expand=False), style="bold red")
            return
        text = f"STORED  {sale.amount}  hand the goods over"
        self._console.print(Panel(text, expand=False), style="bold yellow")

    def _forward(self, store: OfflineStore) -> None:
        """Send what was sold without a network, and say what was not paid."""
        answered = self._till.forward_offline(store)
        self._is_offline = False
        paid = [one for one in answered if one.paid]
        if answered:
            self._console.print(f"{len(paid)} of {len(answered)} stored sales are paid.")
        for one in answered:
            if not one.paid:
                line = f"{one.amount} of sale {one.order_number} is not paid: {one.reason}"
                self._console.print(line, style="red", markup=False)

    def _sell(self, amount: Money, tip: Money | None) -> None:
        """One sale: by the payer's code, or by one that the till shows."""
        sale = self._till.begin(amount, tip=tip)
        while True:
            code = self._ask(f"{amount}: scan the payer's code, or Enter to show one, c to cancel")
            if code == "c":
                self._show(sale.cancel())
                return
            if not code:
                sale = self._shown(sale)
                charge = self._wait(sale)
            else:
                with self._console.status("waiting for the payer …"):
                    charge = sale.scan(code)
            self._show(charge)
            if charge.reason == UNREACHABLE and self._store is not None:
                # The code may be used up by the attempt: another one is stored.
                self._console.print("The payer may show a fresh code, to be stored.")
                self._keep(self._store, amount)
            if not charge.may_scan_again:
                return

    def _shown(self, sale: Sale) -> Sale:
        sale.register()
        self._console.print(drawn(sale.code), highlight=False)
        return sale

    def _wait(self, sale: Sale) -> Charge:
        """Wait for the payer; Ctrl-C cancels."""
        try:
            with self._console.status("waiting for the payer, Ctrl-C cancels …"):
                return sale.wait()
        except KeyboardInterrupt:
            return sale.cancel()

    def _show(self, charge: Charge) -> None:
        """Say how a sale ended, so large that nobody can mistake it."""
        from rich.panel import Panel
        from rich.text import Text

        if charge.paid:
            self._last = charge
            besides = "" if charge.tip is None else f"  and a tip of {charge.tip}"
            text = Text(f"PAID  {charge.amount}{besides}", style="bold green")
        else:
            said = SAY.get(charge.reason, charge.reason)
            text = Text(f"NOT PAID  {said}", style="bold red")
        self._console.print(Panel(text, expand=False, subtitle=charge.order_id or None))

    def _refund(self) -> None:
        """Return money of a sale: the last one, unless another is named."""
        known = self._last.order_id if self._last is not None else ""
        order_id = self._ask(f"order to refund{f', Enter for {known}' if known else ''}") or known
        if not order_id:
            raise ValueError("there is no sale to refund yet")
        amount = Money.of(self._ask("amount"), self._currency)
        made = self._till.refund(order_id, amount)
        state = made.order_state.lower().replace("_", " ")
        self._console.print(f"{made.amount} went back; the order is {state}.", style="green")

    def _totals(self) -> None:
        """Show what the till has taken, in the shift and in the day."""
        shifts = self._session.bank.shifts
        shift = shifts.get_shift(shift_id=self._shift_id).totals
        day = shifts.get_terminal_totals(
            terminal_id=self._till.terminal_id, business_date=today()
        ).totals
        self._console.print(totals_table({"shift": shift, "day": day}))

    def _ask(self, question: str) -> str:
        answer: str = click.prompt(question, default="", show_default=False, prompt_suffix=" > ")
        return answer.strip()


def totals_table(sums: dict[str, shift_pb2.TillTotals]) -> Table:
    """Totals, one a row."""
    return views.table(
        "Takings",
        ["", *TOTALS_COLUMNS],
        [[name, *totals_cells(one)] for name, one in sums.items()],
        right=TOTALS_COLUMNS,
    )


def totals_cells(one: shift_pb2.TillTotals) -> list[views.Text]:
    """The cells of `TOTALS_COLUMNS`."""
    return [
        views.Text(str(one.sales_count)),
        views.amount(one.sales),
        views.amount(one.tips),
        views.Text(str(one.refunds_count)),
        views.amount(total_back(one)),
        views.Text(str(one.unpaid_count)),
    ]


def total_back(one: shift_pb2.TillTotals) -> money_pb2.Money:
    """What went back to payers, tips included."""
    return money_pb2.Money(
        minor_units=one.refunds.minor_units + one.tips_returned.minor_units,
        currency_code=one.refunds.currency_code,
    )


def main() -> None:
    """Run the till as a program of its own, `longmen-pos`."""
    pos(prog_name="longmen-pos")
