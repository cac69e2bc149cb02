"""Refuses rules that cannot be saved, and scorecards that cannot be tried, with what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen_server.platform.refusal import Refusal
from longmen_server.risk.scorecard import Scorecard, ScorecardError, read, shipped
from longmen_server.riskrules.encode import problems_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.risk.rules_lint import Found

__all__ = ["card_of", "refuse_problems"]

PROBLEM_MAX: Final = 200
"""Characters of what is wrong with a scorecard that are told."""

PROBLEMS_TOLD: Final = 20
"""In the metadata of a refusal; LintRules tells all."""


def card_of(content: bytes) -> Scorecard:
    """Return the scorecard of a text; the one that came with the server for none.

    Raises:
        Refusal: SCORECARD_INVALID.
    """
    if not content:
        return shipped()
    try:
        return read(content)
    except ScorecardError as error:
        shown = "".join(one if one.isprintable() else "?" for one in str(error)[:PROBLEM_MAX])
        raise Refusal(
            "SCORECARD_INVALID",
            f"the scorecard cannot be used: {shown}",
            metadata={"problem": shown},
            field="scorecard",
        ) from error


def refuse_problems(found: Sequence[Found], *, strict: bool) -> None:
    """Refuse rules with problems.

    Args:
        found: what is wrong.
        strict: whether examples that fail count too, as for rules that are to be evaluated.

    Raises:
        Refusal: RULE_SET_INVALID, with the first of the problems in full.
    """
    bad = [one for one in found if one.is_error or (strict and one.code == "EXAMPLE_FAILS")]
    if not bad:
        return
    first = bad[0]
    where = f", line {first.line}, column {first.column}" if first.line else ""
    raise Refusal(
        "RULE_SET_INVALID",
        f"rule {first.rule_id}{where}: {first.message}",
        metadata={
            "problems": problems_text(bad, PROBLEMS_TOLD),
            "problem_count": str(len(bad)),
            "rule_id": first.rule_id,
            "message": first.message,
            "excerpt": first.excerpt,
        },
        field="rules",
    )
