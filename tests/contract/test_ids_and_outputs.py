"""Ids of the wrong kind, ids of nothing, and what only the server may say: for every RPC.

What customers are told of others' ids stands in `test_every_rpc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from google.protobuf.descriptor_pool import Default

from corpus.encoding import record
from longmen.staff.v1 import approval_pb2
from tests.support.edge import told
from tests.support.messages import good_message
from tests.support.rpcs import (
    METHODS,
    elsewhere,
    id_paths,
    only_proposed,
    read_path,
    short,
    with_path,
)
from tests.support.sample_requests import FOREIGN_BASES, SAMPLES, kept_sample, make
from tests.support.small_bank import ATTEMPTS, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from longmen_server.transport.method import Method
    from tests.support.postgres import Database

IDS = [
    (method, path, kind)
    for method in METHODS
    for path in id_paths(method.request_class.DESCRIPTOR)
    for kind in sorted(method.principal_kinds)
    # Staff is sent to propose it, whatever it names.
    if not (kind == "staff" and method.staff_needs_approval)
    # A proposal has one command, and the sample's is to set an account's state.
    and not (path.startswith("command.") and not path.startswith("command.set_account_state."))
]
WRITES = [method for method in METHODS if method.writes]

PLAIN_VALUES = {
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "longmen.type.v1.Money",
    "longmen.payments.v1.TipOffer",
    # A rule of risk is what somebody wrote, and is shown word for word.
    # What a note on a case rests on is kept as it was given.
    "longmen.risk.v1.Evidence",
    "longmen.risk.v1.FeatureText",
    "longmen.risk.v1.Outcome",
    "longmen.risk.v1.Rule",
    "longmen.risk.v1.RuleExample",
    "longmen.payments.v1.AccountFormat",
}
"""Message types that requests and replies may share: values, of which nothing is the server's."""

ANSWER_FIELD = 19_000
"""A number that no request has, under which a reply's resource is smuggled into one."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("ids")) as opened:
        yield opened


every_id = pytest.mark.parametrize(
    ("method", "path", "kind"),
    IDS,
    ids=[f"{short(method)}-{path}-{kind}" for method, path, kind in IDS],
)


async def answer(
    bank: SmallBank, method: Method, request: Message, token: str, hide: str
) -> tuple[str, bytes]:
    """The code, and the whole refusal with the id in it hidden."""
    if method.repeatable:
        request = with_path(request, "request_id", bank.new_request_id())
    try:
        await bank.call(method, request, token)
    except grpc.aio.AioRpcError as error:
        refusal = told(error)
        return refusal.code.name, refusal.whole.replace(hide.encode(), b"the id")
    return "OK", b""


async def sample_with(bank: SmallBank, method: Method, path: str, owner: Any) -> Message:
    """The sample of a method, or the one in which the id at a path decides something."""
    sample = FOREIGN_BASES.get((short(method), path), SAMPLES[short(method)])
    return await make(bank, method, owner, sample)


def of_another_kind(identifier: str) -> str:
    """The same digits as an id of something else."""
    prefix, _, digits = identifier.partition("_")
    return f"{'cust' if prefix != 'cust' else 'acct'}_{digits}"


def some_id(request: Any, path: str) -> str:
    """The id at a path, or one in good form where the sample has none."""
    return read_path(request, path) or read_path(good_message(type(request)), path)


@every_id
async def test_an_id_of_another_kind_is_a_broken_rule_whether_it_exists_or_not(
    bank: SmallBank, method: Method, path: str, kind: str
) -> None:
    owner, sample = await kept_sample(bank, method, path)
    token = bank.token(kind, owner)
    before = bank.contents(but=ATTEMPTS)
    found = some_id_or_known(sample, path, owner.account)
    answers = set()
    for identifier in (of_another_kind(found), of_another_kind(elsewhere(found))):
        request = with_path(sample, path, identifier)
        refusal = await bank.refused(method, request, token)
        assert (refusal.code.name, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert path in {name.replace("[0]", "") for name in refusal.fields}
        answers.add(refusal.whole)
    assert len(answers) == 1
    assert bank.contents(but=ATTEMPTS) == before


def some_id_or_known(sample: Any, path: str, known: str) -> str:
    """As `some_id`, but one that exists wherever there is one."""
    identifier = some_id(sample, path)
    return known if identifier.startswith("acct_") else identifier


@every_id
async def test_ids_of_nothing_are_told_apart_by_nothing(
    bank: SmallBank, method: Method, path: str, kind: str
) -> None:
    owner = await bank.person()
    sample = await sample_with(bank, method, path, owner)
    token = bank.token(kind, owner)
    first = elsewhere(some_id(sample, path))
    second = f"{first[:9]}5a5a5a5a{first[17:]}"
    assert first != second
    answers = {
        await answer(bank, method, with_path(sample, path, identifier), token, identifier)
        for identifier in (first, second)
    }
    assert len(answers) == 1


# -- What only the server may say.


def test_requests_and_replies_share_no_message_but_plain_values() -> None:
    """So no request has a field of which the contract says that only the server sets it."""
    asked: set[str] = set()
    told_back: set[str] = set()
    for method in METHODS:
        descriptor = Default().FindServiceByName(method.service).methods_by_name[method.name]
        reach(descriptor.input_type, asked)
        reach(descriptor.output_type, told_back)
    # What a member of staff proposes is shown to the one who decides, word for word.
    proposed: set[str] = set()
    reach(approval_pb2.ProposedCommand.DESCRIPTOR, proposed)
    assert asked & told_back <= PLAIN_VALUES | proposed


def reach(descriptor: Any, found: set[str]) -> None:
    """Note a message type and all below it."""
    if descriptor.full_name not in found:
        found.add(descriptor.full_name)
        for field in descriptor.fields:
            if field.message_type is not None:
                reach(field.message_type, found)


@pytest.mark.parametrize(
    "method", [method for method in WRITES if not only_proposed(method)], ids=short
)
async def test_what_the_server_answers_cannot_be_sent_to_it(
    bank: SmallBank, method: Method
) -> None:
    """Every field of the reply, appended to a good request, one at a time."""
    owner, sample = await kept_sample(bank, method)
    kind = "service" if "service" in method.principal_kinds else min(method.principal_kinds)
    token = bank.token(kind, owner)
    reply = Default().FindServiceByName(method.service).methods_by_name[method.name].output_type
    before = bank.contents(but=ATTEMPTS)
    for number, field in enumerate(reply.fields):
        content = b"text" if field.message_type is None else b"\x0a\x04text"
        smuggled = sample.SerializeToString() + record(ANSWER_FIELD + number, content)
        refusal = await bank.refused(method, smuggled, token)
        assert (refusal.code.name, refusal.reason) == ("INVALID_ARGUMENT", "UNKNOWN_FIELD")
    assert bank.contents(but=ATTEMPTS) == before
