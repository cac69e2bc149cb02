"""Rules and lists of risk in the tests: drafts, imports, and what is sent to make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from longmen.risk.v1 import list_pb2, outcome_pb2, rule_pb2

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

Fields = dict[str, Any]


def rule(**changes: Any) -> rule_pb2.Rule:
    """A rule without a problem, with other fields where they are given."""
    fields: Fields = {
        "rule_id": "very_large",
        "expression": "amount > 900000000",
        "outcome": {"kind": outcome_pb2.OUTCOME_KIND_REVIEW},
        "reason_code": "VERY_LARGE",
        "notice": "PAYMENT_UNDER_REVIEW",
        "owner": "fraud",
        "intent": "Very large amounts.",
        "examples": [
            {
                "name": "ten million",
                "fires": True,
                "values": [{"feature": "amount", "value": "1000000000"}],
            }
        ],
    }
    return rule_pb2.Rule(**{**fields, **changes})


async def draft(bank: SmallBank, *rules: rule_pb2.Rule, **fields: Any) -> rule_pb2.RuleSet:
    """A draft of rules."""
    asked = {"name": "tried out", "rules": rules or [rule()], **fields}
    reply = await bank.do("RulesService/CreateDraft", **asked)
    made: rule_pb2.RuleSet = reply.rule_set
    return made


async def new_rules(bank: SmallBank, _: Person) -> Fields:
    made = await draft(bank)
    return {
        "rule_set_id": made.rule_set_id,
        "revision": made.revision,
        "rules": [rule(rule_id="other")],
        "note": "another name",
    }


async def own_set(bank: SmallBank, _: Person) -> Fields:
    return {"rule_set_id": (await draft(bank)).rule_set_id}


async def three_sets(bank: SmallBank, owner: Person) -> Fields:
    del owner
    for _ in range(3):
        await draft(bank)
    return {}


async def set_to_promote(bank: SmallBank, _: Person) -> Fields:
    made = await draft(bank)
    return {
        "rule_set_id": made.rule_set_id,
        "revision": made.revision,
        "state": rule_pb2.RULE_SET_STATE_SHADOW,
    }


async def rule_to_silence(bank: SmallBank, owner: Person) -> Fields:
    del bank
    return {
        "rule_id": "night_large",
        "duration": Duration(seconds=3_600),
        "customer_id": owner.customer,
        "reason_text": "a nurse on night shifts",
    }


async def list_import(bank: SmallBank, **fields: Any) -> list_pb2.ListImport:
    """An import of a list of countries that nothing was uploaded for yet."""
    asked = {
        "name": "watched",
        "kind": list_pb2.LIST_KIND_COUNTRY,
        "source": "a test",
        "as_of_date": "2026-11-01",
        **fields,
    }
    reply = await bank.do("ListsService/BeginListImport", **asked)
    begun: list_pb2.ListImport = reply.list_import
    return begun


async def imported(bank: SmallBank, *chunks: bytes, **fields: Any) -> str:
    """The id of an import with its rows uploaded, not committed."""
    begun = await list_import(bank, **fields)
    for number, content in enumerate(chunks, start=1):
        await bank.do(
            "ListsService/UploadListRows",
            list_import_id=begun.list_import_id,
            chunk_number=number,
            content=content,
        )
    return begun.list_import_id


async def rows_to_upload(bank: SmallBank, _: Person) -> Fields:
    begun = await list_import(bank)
    return {"list_import_id": begun.list_import_id, "chunk_number": 1, "content": b"KP,sanctions\n"}


async def import_to_commit(bank: SmallBank, _: Person) -> Fields:
    return {"list_import_id": await imported(bank, b"value,label\nKP,\nIR,\n"), "chunk_count": 1}
