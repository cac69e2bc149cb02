"""Request records: the same request is answered again, and no other under its id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.engine.command import Outcome, RequestKey
from longmen_server.engine.request_log import (
    RecordedOutcome,
    RequestRecord,
    decode_refusal,
    differing_fields,
    encode_refusal,
    replay,
    request_digest,
)
from longmen_server.platform.fingerprint import fingerprint
from longmen_server.platform.refusal import Refusal

FULL = bytes(32)


def content(**fields: int) -> bytes:
    """A content whose fields f1, f2 ... have the given digests."""
    body = b"".join(
        int(name[1:]).to_bytes(2, "big") + value.to_bytes(4, "big")
        for name, value in fields.items()
    )
    return FULL + body


def record(
    kept: bytes, *, outcome: int = RecordedOutcome.REPLY, reply: bytes | None = b"reply"
) -> RequestRecord:
    return RequestRecord(bytes(16), kept, outcome, reply, 77)


def refusal(kept: RequestRecord, offered: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        replay(kept, RequestKey(bytes(16), offered))
    return caught.value


def test_the_same_request_is_answered_with_its_reply() -> None:
    kept = content(f2=1)
    assert replay(record(kept), RequestKey(bytes(16), kept)) == Outcome(b"reply", replayed=True)


def test_an_empty_reply_is_a_reply() -> None:
    kept = content()
    outcome = replay(record(kept, reply=b""), RequestKey(bytes(16), kept))
    assert outcome == Outcome(b"", replayed=True)


@pytest.mark.parametrize(
    ("offered", "fields"),
    [
        (content(f2=1, f3=3), "3"),
        (content(f2=9, f3=9), "2,3"),
        (content(f2=1), "3"),
        (content(f2=1, f3=2, f4=1), "4"),
        (content(), "2,3"),
    ],
)
def test_another_content_is_refused_and_names_the_fields(offered: bytes, fields: str) -> None:
    found = refusal(record(content(f2=1, f3=2)), offered)
    assert found.reason == "REQUEST_ID_REUSED"
    assert found.metadata == {"fields": fields}
    assert not found.replayed


def test_another_whole_is_refused_even_if_no_field_s_digest_differs() -> None:
    kept = content(f2=1)
    found = refusal(record(kept), b"\1" + kept[1:])
    assert (found.reason, found.metadata) == ("REQUEST_ID_REUSED", {"fields": ""})


def test_another_content_is_told_before_an_expired_reply() -> None:
    found = refusal(record(content(f2=1), reply=None), content(f2=2))
    assert found.reason == "REQUEST_ID_REUSED"


def test_a_reply_no_longer_kept_is_never_made_anew() -> None:
    kept = content(f2=1)
    found = refusal(record(kept, reply=None), kept)
    assert (found.reason, found.metadata) == ("REPLY_EXPIRED", {"committed_time": "77"})


def test_a_refusal_is_repeated_and_marked_as_repeated() -> None:
    kept = content(f2=1)
    first = Refusal("INSUFFICIENT_FUNDS", "no", metadata={"available": "3"}, field="a.b")
    stored = record(kept, outcome=RecordedOutcome.REFUSAL, reply=encode_refusal(first))
    found = refusal(stored, kept)
    assert (found.reason, found.message, dict(found.metadata), found.field) == (
        "INSUFFICIENT_FUNDS",
        "no",
        {"available": "3"},
        "a.b",
    )
    assert found.replayed
    assert not first.replayed


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts, st.dictionaries(texts, texts), st.none() | texts)
def test_any_refusal_survives_being_stored(
    reason: str, message: str, metadata: dict[str, str], field: str | None
) -> None:
    found = decode_refusal(encode_refusal(Refusal(reason, message, metadata=metadata, field=field)))
    assert (found.reason, found.message, dict(found.metadata), found.field) == (
        reason,
        message,
        metadata,
        field,
    )


def test_the_digest_of_a_request_is_its_caller_s_method_s_and_id_s() -> None:
    plain = request_digest(principal="service:a", method="M", request_id="id")
    assert len(plain) == 16
    assert request_digest(principal="service:a", method="M", request_id="ID") == plain
    others = {
        request_digest(principal="service:b", method="M", request_id="id"),
        request_digest(principal="customer:a", method="M", request_id="id"),
        request_digest(principal="service:a", method="N", request_id="id"),
        request_digest(principal="service:a", method="M", request_id="ie"),
        request_digest(principal="service:aM", method="", request_id="id"),
    }
    assert len(others | {plain}) == 6


def test_the_fields_of_a_real_fingerprint_are_told_apart() -> None:
    """As the edge makes them: field 2 a text, field 3 a number, field 1 the request id."""
    one = fingerprint(b"\x0a\x01x\x12\x01a\x18\x05", skip=1)
    same = fingerprint(b"\x0a\x01y\x12\x01a\x18\x05", skip=1)
    other = fingerprint(b"\x0a\x01x\x12\x01b\x18\x05", skip=1)
    assert one.content == same.content
    assert differing_fields(one.content, other.content) == [2]
    assert differing_fields(one.content, fingerprint(b"\x0a\x01x", skip=1).content) == [2, 3]
