"""Rules and lists of risk in the book that verification is tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.platform.ids import ListImportId, RulesChangeId, RuleSetId, new_id
from longmen_server.risk.model import ListedKind
from longmen_server.risk.shipped import shipped_content
from longmen_server.risklists.commands import BeginListImport, CommitListImport, UploadListRows
from longmen_server.risklists.model import ImportRow, ImportState
from longmen_server.risklists.rows import read_rows
from longmen_server.riskrules.commands import CreateDraft, PromoteRuleSet, SnoozeRule
from longmen_server.riskrules.model import RuleSetState, Trial
from tests.support.ledger import BOOK

if TYPE_CHECKING:
    from longmen_server.platform.clock import Clock
    from tests.support.ledger import Ledger


async def fill_risk(ledger: Ledger, clock: Clock) -> None:
    """One set that decides, one in shadow, one that retired, a snooze, and a list."""
    rules = shipped_content().rules[:3]
    for states in (
        (RuleSetState.ACTIVE,),
        (RuleSetState.SHADOW, RuleSetState.ACTIVE),
        (RuleSetState.SHADOW,),
    ):
        rule_set_id = RuleSetId(new_id(BOOK, clock))
        await ledger.submit(
            CreateDraft(
                BOOK,
                None,
                rule_set_id=rule_set_id,
                name="a set",
                note="",
                rules=rules,
                found=(),
                base_id=None,
            )
        )
        for revision, state in enumerate(states, start=1):
            await ledger.submit(
                PromoteRuleSet(
                    BOOK,
                    None,
                    change_id=RulesChangeId(new_id(BOOK, clock)),
                    rule_set_id=rule_set_id,
                    revision=revision,
                    state=state,
                    agreed=True,
                    trial=Trial(0, 0),
                )
            )
    await ledger.submit(
        SnoozeRule(
            BOOK,
            None,
            change_id=RulesChangeId(new_id(BOOK, clock)),
            rule_id=rules[0].rule_id,
            duration_us=1_000_000,
            key=b"",
            reason="noise",
        )
    )
    await _list(ledger, clock)


async def _list(ledger: Ledger, clock: Clock) -> None:
    """A list of two countries."""
    list_import_id = ListImportId(new_id(BOOK, clock))
    row = ImportRow(
        list_import_id=list_import_id,
        name="watch",
        kind=ListedKind.COUNTRY,
        state=ImportState.OPEN,
        source="a test",
        as_of_date="2026-11-01",
        chunk_count=0,
        line_count=0,
        entry_count=0,
        bad_row_count=0,
        created_at_us=0,
        committed_at_us=None,
    )
    await ledger.submit(BeginListImport(BOOK, None, row=row))
    await ledger.submit(
        UploadListRows(
            BOOK,
            None,
            list_import_id=list_import_id,
            chunk_number=1,
            first_line=1,
            rows=read_rows(ListedKind.COUNTRY, b"KP\nIR\n", first_line=1),
        )
    )
    await ledger.submit(
        CommitListImport(
            BOOK, None, list_import_id=list_import_id, chunk_count=1, skip_bad_rows=False
        )
    )
