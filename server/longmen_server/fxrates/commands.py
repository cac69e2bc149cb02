"""The commands that take rates: whole feeds, and single ones by hand. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.fx.v1 import rate_pb2
from longmen.fx.v1 import rates_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.fx.policy import load_policy
from longmen_server.fxrates import encode, model
from longmen_server.fxrates.feeds import latest, observed_us
from longmen_server.fxrates.model import ECB, MANUAL, RateRow, SheetKey, SheetRow
from longmen_server.fxrates.tables import RATE_CHANGE, SHEET
from longmen_server.platform.clock import business_date
from longmen_server.platform.ids import RATE_IMPORT
from longmen_server.platform.money import currencies, exponent_of
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from decimal import Decimal

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.fx.policy import FxVersion
    from longmen_server.fxrates.feeds import Sheet
    from longmen_server.platform.ids import RateImportId

__all__ = ["ImportRates", "SetRate", "version_now"]


def version_now(working_set: WorkingSet) -> FxVersion:
    """Return the price list of the batch's business date."""
    return load_policy().at(_day_of(working_set.now_us))


@lru_cache(maxsize=64)
def _day_of(now_us: int) -> date:
    """Return the day of a moment; a batch asks for one moment only."""
    return business_date(now_us)


def tell(
    working_set: WorkingSet,
    import_id: RateImportId,
    source: str,
    codes: Iterable[str],
    held: Iterable[str] = (),
) -> None:
    """Tell changed rates by an event."""
    payload = encode.change(source, codes, held)
    at_us = working_set.next_stamp()
    kind = event_pb2.EVENT_TYPE_FX_RATES_CHANGED
    working_set.emit(Event(kind, import_id, 0, at_us, payload, payload))


class ImportRates(Command):
    """Take a feed that was read whole."""

    __slots__ = ("import_id", "sheets")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        import_id: RateImportId,
        sheets: Sequence[Sheet],
    ) -> None:
        super().__init__(book, request)
        self.import_id = import_id
        self.sheets = sheets
        """Oldest first, each day once."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the days, and the present rates of what they have."""
        del working_set
        if stage == STAGE_POINTER:
            for sheet in self.sheets:
                yield RowKey(SHEET, SheetKey(ECB, observed_us(sheet.day)))
        elif stage == STAGE_LINK:
            for code in sorted({code for sheet in self.sheets for code in sheet.rates}):
                yield RowKey(RATE_CHANGE, code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep the days that are new, and let their latest rates be the present ones."""
        at_us = working_set.next_stamp()
        new_days = sum(self._keep(working_set, sheet, at_us) for sheet in self.sheets)
        taken: list[str] = []
        held: list[rate_pb2.HeldRate] = []
        for code, day, rate in latest(self.sheets):
            if code not in currencies():
                continue  # a currency of the past: history, and nothing to deal in
            row = RateRow(code, f"{rate:f}", ECB, observed_us(day), at_us, None, None, None)
            waits = take(working_set, row, version_now(working_set).jump_max_basis_points)
            if waits is None:
                continue
            if isinstance(waits, rate_pb2.HeldRate):
                held.append(waits)
            else:
                taken.append(code)
        if new_days or taken or held:
            tell(working_set, self.import_id, ECB, taken, [one.currency_code for one in held])
        return pb.ImportRatesResponse(
            import_id=RATE_IMPORT.encode(self.import_id),
            day_count=new_days,
            known_day_count=len(self.sheets) - new_days,
            currency_codes=taken,
            held=held,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _keep(self, working_set: WorkingSet, sheet: Sheet, at_us: int) -> bool:
        """Add a day to the history; return whether it is new."""
        key = SheetKey(ECB, observed_us(sheet.day))
        rates = model.encode_rates(sheet.rates)
        known = working_set.get(SHEET, key)
        if known is None:
            row = SheetRow(key.source, key.observed_at_us, at_us, self.import_id, rates)
            working_set.insert(SHEET, key, row)
            return True
        if model.decode_rates(known.rates) != sheet.rates:
            raise Refusal(
                "FX_FEED_INVALID",
                "the feed differs from what it said before, so nothing of it was taken",
                metadata={"problems": f"{sheet.day}: not_as_before", "problem_count": "1"},
                field="content",
            )
        return False


def take(
    working_set: WorkingSet, new: RateRow, limit_basis_points: int
) -> bool | rate_pb2.HeldRate | None:
    """Let a rate be the present one unless it is older or moves too far.

    Returns:
        True when it is, the held rate when it has to wait, None when nothing changes.
    """
    old = working_set.get(RATE_CHANGE, new.currency_code)
    if old is None:
        working_set.insert(RATE_CHANGE, new.currency_code, new)
        return True
    if new.observed_at_us <= old.observed_at_us or new.observed_at_us <= (old.held_at_us or 0):
        return None
    row = working_set.edit(RATE_CHANGE, new.currency_code)
    if model.moved_basis_points(old.decimal, new.decimal) > limit_basis_points:
        row.held_rate, row.held_source, row.held_at_us = new.rate, new.source, new.observed_at_us
        return encode.held(old, new.decimal)
    replace_rate(row, new)
    return True


def replace_rate(row: RateRow, new: RateRow) -> None:
    """Let a row be another rate; what was held is settled by it."""
    for name in RateRow.__slots__:
        setattr(row, name, getattr(new, name))


class SetRate(Command):
    """Set one rate by hand."""

    __slots__ = ("agreed", "currency_code", "import_id", "observed_at_us", "rate")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        import_id: RateImportId,
        currency_code: str,
        rate: Decimal,
        observed_at_us: int,
        agreed: bool,
    ) -> None:
        super().__init__(book, request)
        self.import_id = import_id
        self.currency_code = currency_code
        self.rate = rate
        self.observed_at_us = observed_at_us
        self.agreed = agreed
        """Whether two people set it, who may move it as far as they like."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the present rate."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(RATE_CHANGE, self.currency_code)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set it unless it is late, early, or moves too far."""
        code, version = self.currency_code, version_now(working_set)
        model.check_tradable(code, version.tradable)
        old = working_set.get(RATE_CHANGE, code)
        model.check_observed(old, self.observed_at_us, working_set.now_us)
        if old is not None and not self.agreed:
            model.check_jump(old, self.rate, version.jump_max_basis_points)
        at_us = working_set.next_stamp()
        new = RateRow(code, f"{self.rate:f}", MANUAL, self.observed_at_us, at_us, None, None, None)
        if old is None:
            working_set.insert(RATE_CHANGE, code, new)
        else:
            replace_rate(working_set.edit(RATE_CHANGE, code), new)
        key = SheetKey(f"{MANUAL} {code}", self.observed_at_us)
        sheet = SheetRow(*key, at_us, self.import_id, model.encode_rates({code: self.rate}))
        working_set.insert(SHEET, key, sheet)
        tell(working_set, self.import_id, MANUAL, [code])
        return pb.SetRateResponse(
            currency=encode.currency(
                code, exponent_of(code), new, tradable=True, now_us=working_set.now_us
            ),
            committed_at=working_set.committed_at,
        ).SerializeToString()
