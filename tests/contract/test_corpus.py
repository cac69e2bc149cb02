"""A part of the corpus of bad input, over the wire to a server of its own; `make corpus` is all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from corpus.__main__ import CASES_MIN, run
from corpus.build import every_case
from corpus.case import CLASSES
from corpus.mutation import in_process, mutants
from corpus.run import describe
from corpus.session import authorizations, open_session
from corpus.world import METHODS, NOWHERE
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.tokens import DevelopmentIssuer
from tests.support.scratch import scratch

STEP = 12
"""One case in this many is sent here."""

MUTANTS = 10_000
NOW = 1_700_000_000


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(tmp_path, issuer="test", audience="test", clock=SystemClock())


@pytest.mark.timeout(180)
def test_the_corpus_is_large_covers_everything_and_is_the_same_every_time(
    issuer: DevelopmentIssuer,
) -> None:
    tokens = authorizations(issuer, NOWHERE.customer)
    cases = every_case(NOWHERE, tokens, issuer, NOW)
    again = every_case(NOWHERE, tokens, issuer, NOW)
    assert len(cases) >= CASES_MIN
    assert {case.kind for case in cases} == CLASSES.keys()
    for kind in "WP":
        assert {case.method for case in cases if case.kind == kind} >= {
            method for method in METHODS if list(method.request_class.DESCRIPTOR.fields)
        } - {method for method in METHODS if method.name == "SetClock"}
    # Tokens are signed anew, and the strangers' keys are new: only their cases may differ.
    same = [case for case in cases if case.kind != "T"]
    assert same == [case for case in again if case.kind != "T"]
    assert [case.id for case in cases] == [case.id for case in again]


def test_mutants_are_the_same_every_time() -> None:
    assert list(mutants(NOWHERE, 500, METHODS)) == list(mutants(NOWHERE, 500, METHODS))


async def test_no_damaged_message_does_more_than_be_refused() -> None:
    found = await in_process(NOWHERE, MUTANTS)
    assert found.total() == MUTANTS
    assert found["MALFORMED_REQUEST"] > MUTANTS / 5
    assert found["accepted"] > MUTANTS / 20


@pytest.mark.timeout(180)
async def test_a_part_of_the_corpus_is_answered_as_expected() -> None:
    with tempfile.TemporaryDirectory(prefix="longmen-corpus-", dir=scratch()) as name:
        async with open_session(Path(name)) as session:
            report = await run(session, step=STEP, classes="", mutants=500)
    assert [describe(outcome) for outcome in report.wrong] == []
    assert report.faults == []
