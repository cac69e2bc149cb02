"""`longmen limits`: what binds a wallet's movements, what is left, and what was counted."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import rich_click as click

from longmen.identity.v1 import factor_pb2
from longmen.limits.v1 import limit_pb2
from longmen_server.console import views
from longmen_server.console.failure import EXIT_CODES
from longmen_server.console.parameters import (
    book_option,
    currency_option,
    limit_option,
    money,
)
from longmen_server.console.session import (
    Session,
    connected,
    print_json_line,
    request_id_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from longmen.limits.v1 import limits_service_pb2


def words(enum: type, prefix: str) -> list[str]:
    """Values of an enum of the contract as they are typed."""
    names = [name.removeprefix(prefix) for name in enum.keys()]  # type: ignore[attr-defined]  # noqa: SIM118
    return [name.lower().replace("_", "-") for name in names if name != "UNSPECIFIED"]


def number(enum: type, prefix: str, word: str) -> int:
    """The number of such a word."""
    name = prefix + word.upper().replace("-", "_")
    return int(enum.Value(name))  # type: ignore[attr-defined]


KINDS = click.Choice(words(limit_pb2.LimitedKind, "LIMITED_KIND_"))
PERIODS = click.Choice(words(limit_pb2.LimitPeriod, "LIMIT_PERIOD_"))
TRACKS = click.Choice(words(limit_pb2.LimitTrack, "LIMIT_TRACK_"))
FACTORS = click.Choice(words(factor_pb2.FactorKind, "FACTOR_KIND_"))


@click.group(epilog=EXIT_CODES)
def limits() -> None:
    """What binds movements of money, and what is left."""


@limits.command("list")
@click.argument("account_id", metavar="ACCOUNT")
@connected
def list_limits(session: Session, account_id: str) -> None:
    """List every limit of an account with what is left of it."""
    reply = session.bank.limits.list_limits(account_id=account_id)
    session.show(reply, lambda: limits_table("Limits", reply.limits))
    if session.as_json:
        return
    for one in reply.own_limits:
        if one.HasField("effective_time"):
            then = str(views.amount(one.next_amount)) if one.HasField("next_amount") else "none"
            period = limit_pb2.LimitPeriod.Name(one.period).removeprefix("LIMIT_PERIOD_")
            session.say(f"own {period.lower()}: {then} from {views.moment(one.effective_time)}")


def limits_table(title: str, found: Iterable[limit_pb2.Limit]) -> Table:
    """Limits with what is left, the ones exceeded marked."""
    columns = ["limit", "period", "amount", "used", "left", "resets", "lifted by", "source"]
    return views.table(
        title,
        columns,
        [
            [
                ("✗ " if one.exceeded else "") + one.name,
                limit_pb2.LimitPeriod.Name(one.period).removeprefix("LIMIT_PERIOD_").lower(),
                str(views.amount(one.amount)) if one.HasField("amount") else f"{one.count} times",
                str(views.amount(one.used)) if one.HasField("used") else str(one.used_count),
                str(views.amount(one.remaining)) if one.HasField("remaining") else "",
                views.moment(one.reset_time) if one.HasField("reset_time") else "",
                ", ".join(lifts(one)),
                one.source,
            ]
            for one in found
        ],
        right=["amount", "used", "left"],
    )


def lifts(one: limit_pb2.Limit) -> list[str]:
    """What lifts a limit, in words."""
    names = (limit_pb2.LimitLift.Name(lift).removeprefix("LIMIT_LIFT_") for lift in one.lifted_by)
    return [name.lower().replace("_", " ") for name in names]


@limits.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("amount")
@currency_option
@click.option("--kind", type=KINDS, default="transfer", help="What the movement would be.")
@click.option("--factor", "factors", type=FACTORS, multiple=True, help="What would approve it.")
@connected
def explain(
    session: Session,
    account_id: str,
    amount: str,
    currency: str,
    kind: str,
    factors: tuple[str, ...],
) -> None:
    """Say whether limits would let an AMOUNT pass, which binds, and what lifts it."""
    reply = session.bank.limits.explain_limits(
        account_id=account_id,
        kind=limit_pb2.LimitedKind.ValueType(number(limit_pb2.LimitedKind, "LIMITED_KIND_", kind)),
        amount=money(amount, currency),
        factors=[
            factor_pb2.FactorKind.ValueType(number(factor_pb2.FactorKind, "FACTOR_KIND_", factor))
            for factor in factors
        ],
    )
    session.show(reply, lambda: limits_table(verdict(reply), reply.limits))


def verdict(reply: limits_service_pb2.ExplainLimitsResponse) -> str:
    """What limits say, in a line."""
    if not reply.allowed:
        return f"refused by {reply.binding_limit.name}"
    if reply.factors_needed:
        names = [
            factor_pb2.FactorKind.Name(kind).removeprefix("FACTOR_KIND_").lower()
            for kind in reply.methods
        ]
        return f"passes once approved with {reply.factors_needed} of {', '.join(names)}"
    return "passes"


@limits.command("own")
@click.argument("period", type=PERIODS)
@click.argument("amount", default="")
@click.option("--customer", "customer_id", default="", help="Whose; your own if omitted.")
@currency_option
@request_id_option
@connected
def own(
    session: Session,
    period: str,
    amount: str,
    customer_id: str,
    currency: str,
    request_id: str | None,
) -> None:
    """Allow no more than an AMOUNT to be spent; without one, as much as the bank lets."""
    reply = session.bank.limits.set_own_limit(
        period=limit_pb2.LimitPeriod.ValueType(
            number(limit_pb2.LimitPeriod, "LIMIT_PERIOD_", period)
        ),
        customer_id=customer_id,
        amount=money(amount, currency) if amount else None,
        request_id=request_id,
    )
    session.show(reply.message, lambda: own_card(period, reply.message.own_limit))


def own_card(period: str, found: limit_pb2.OwnLimit) -> Table:
    """A customer's own limit."""
    rows: list[tuple[str, str | views.Text]] = [
        ("now", str(views.amount(found.amount)) if found.HasField("amount") else "none")
    ]
    if found.HasField("effective_time"):
        then = str(views.amount(found.next_amount)) if found.HasField("next_amount") else "none"
        rows += [("then", then), ("from", views.moment(found.effective_time))]
    return views.card(f"Own limit: {period}", rows)


@limits.command("type")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("account_type", type=click.IntRange(0, 3))
@request_id_option
@connected
def set_type(session: Session, account_id: str, account_type: int, request_id: str | None) -> None:
    """Say which type of bank settlement account an account is; 0 for none."""
    reply = session.bank.limits.set_account_type(
        account_id=account_id, account_type=account_type, request_id=request_id
    )
    session.show(
        reply.message,
        lambda: views.card("Account", [("type", str(reply.message.account_type))]),
    )


@limits.command()
@click.argument("track", type=TRACKS)
@click.argument("first_day", metavar="DAY")
@click.option("--until", "last_day", default="", help="Last day, YYYY-MM-DD.")
@limit_option
@book_option
@connected
def totals(
    session: Session, track: str, first_day: str, last_day: str, limit: int, book: int
) -> None:
    """List what customers' movements of days came to on a track, such as code-d or free."""
    found = session.bank.limits.list_limit_totals(
        track=limit_pb2.LimitTrack.ValueType(number(limit_pb2.LimitTrack, "LIMIT_TRACK_", track)),
        first_day=first_day,
        last_day=last_day,
        book=book,
    )
    show_totals(session, f"Totals of {track}", list(islice(found, limit)))


@limits.command("large")
@click.argument("day")
@limit_option
@book_option
@connected
def large(session: Session, day: str, limit: int, book: int) -> None:
    """List customers whose movements of a DAY have to be reported as large."""
    found = session.bank.limits.list_large_value_candidates(day=day, book=book)
    show_totals(session, f"Large-value candidates of {day}", list(islice(found, limit)))


def show_totals(session: Session, title: str, found: list[limit_pb2.LimitTotal]) -> None:
    """Totals as a table, or as lines of JSON."""
    if session.as_json:
        for one in found:
            print_json_line(one)
        return
    rows = [
        [
            one.day,
            one.customer_id,
            f"{one.movement_count:,}",
            str(views.amount(one.used)),
            str(views.amount(one.reserved)),
            str(views.amount(one.restored)),
        ]
        for one in found
    ]
    columns = ["day", "customer", "movements", "used", "held", "restored"]
    right = ["movements", "used", "held", "restored"]
    session.console.print(views.table(title, columns, rows, right=right))
