"""Lists of names, customers whose documents are like them, and a book with every verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen.risk.v1 import case_pb2, list_pb2
from longmen_server.jobs.name_screening import NameScreening
from longmen_server.kyc import commands as kyc
from longmen_server.kyc.model import Category, EvidenceKind, SealedEvidence
from longmen_server.platform.ids import CASE, CaseId, new_id
from longmen_server.risk_desk import build_screener
from longmen_server.screening.model import FoundMatch, Screened
from tests.support.evidence import card
from tests.support.ledger import BOOK
from tests.support.risk_rules import imported
from tests.support.wallets import STAFF

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank
    from tests.support.wallets import Wallets

NAMES = list_pb2.LIST_KIND_NAME


async def names_listed(bank: SmallBank, list_name: str, *names: str) -> None:
    """Import a list of names."""
    rows = "".join(f'"{name}",{list_name} programme\n' for name in names).encode()
    list_import_id = await imported(bank, rows, name=list_name, kind=NAMES)
    await bank.do("ListsService/CommitListImport", list_import_id=list_import_id, chunk_count=1)


async def newcomer(bank: SmallBank) -> tuple[Person, str]:
    """A customer of class 4, known by a phone number, and a token."""
    person = await bank.person()
    await bank.do(
        "KycService/DowngradeKyc",
        customer_id=person.customer,
        identification_class=4,
        cause="DOWNGRADE_CAUSE_RISK",
        reason_text="registered by phone",
    )
    return person, bank.token("customer", person)


async def named(bank: SmallBank, name: str) -> tuple[Person, str]:
    """A customer of class 4 with a document in a name on file."""
    person, token = await newcomer(bank)
    await bank.do("KycService/SubmitEvidence", token, evidence=card(name=name))
    return person, token


async def screenings(bank: SmallBank, person: Person) -> list[case_pb2.Case]:
    """The cases about a customer's name, closed ones first."""
    found = []
    for state in (case_pb2.CASE_STATE_CLOSED, case_pb2.CASE_STATE_OPEN):
        reply = await bank.do(
            "CasesService/ListCases",
            state=state,
            cause=case_pb2.CASE_CAUSE_SCREENING,
            page_size=1_000,
        )
        found += [one for one in reply.cases if one.customer_id == person.customer]
    return found


async def screen_again(bank: SmallBank, *, items_max: int = 500) -> list[int]:
    """How many names each take of the job looked up, to the last."""
    job = NameScreening(bank.parts.vault, build_screener(bank.parts))
    takes = []
    async with bank.workplace(items_max=items_max) as workplace:
        more = True
        while more:
            done = await job.take(workplace)
            takes.append(done.items)
            more = done.more
    return takes


async def fill_screenings(wallets: Wallets) -> None:
    """A screening that matched nothing, and one of each verdict; all but one have been given."""
    verdicts = (
        None,
        case_pb2.CASE_VERDICT_UNSPECIFIED,
        case_pb2.CASE_VERDICT_FALSE_POSITIVE,
        case_pb2.CASE_VERDICT_CONFIRMED_MATCH,
    )
    for number, verdict in enumerate(verdicts):
        person = await wallets.person()
        case_id = CaseId(new_id(BOOK, wallets.clock))
        match = FoundMatch(bytes([number]) * 16, "sanctions", b"sealed", 91)
        document = SealedEvidence(
            EvidenceKind.RESIDENT_ID, b"sealed", b"screened %d" % number, b"a sealed name"
        )
        command: Any = kyc.SubmitEvidence(
            BOOK,
            None,
            customer_id=person.customer_id,
            category=Category.DOCUMENT,
            evidence=document,
            case_id=case_id,
            screened=Screened(b"a sealed name", 1, () if verdict is None else (match,)),
        )
        await wallets.submit(command)
        if verdict:
            await wallets.ask(
                "CloseCase",
                STAFF,
                case_id=CASE.encode(case_id),
                verdict=verdict,
                reason_text="compared with the passport",
            )
