"""Keys that two administrators agree on, and whose secret nobody but their claimant ever has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen_client.signing import ApiKey, claim_text, signature_metadata
from tests.support.edge import Claims, told
from tests.support.small_bank import BY_NAME, SCOPES, SmallBank, open_small_bank
from tests.support.step_up import later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

CREATE, CLAIM = "CredentialsService/CreateKey", "CredentialsService/ClaimKey"
ROTATE, REGISTER = "CredentialsService/RotateKey", "CredentialsService/RegisterSigningKey"
LIST, PAY = "CredentialsService/ListKeys", "PaymentsService/PayByCode"
INVALID = "SIGNATURE_INVALID"
HOUR = 3_600


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("claims")) as opened:
        yield opened


def admin(bank: SmallBank, name: str) -> str:
    """A token of an administrator who has signed in, as far as roles go."""
    bank.tokens.known[name] = Claims(
        kind="staff", subject=name, scopes=SCOPES, roles=frozenset({"admin"})
    )
    return name


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def order(bank: SmallBank, owner: str, **changes: Any) -> dict[str, Any]:
    """What a merchant's key is asked for with."""
    fields = {
        "request_id": bank.new_request_id(),
        "owner_kind": pb.KEY_OWNER_KIND_MERCHANT,
        "owner": owner,
        "scopes": ["orders.write", "admin.read"],
    }
    return {**fields, **changes}


async def refusal(work: Any) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await work
    return told(caught.value)


def code(answer: Told) -> tuple[str, str]:
    return answer.code.name, answer.reason


async def propose(bank: SmallBank, command: dict[str, Any], who: str = "ann") -> Any:
    token = admin(bank, who)
    return (await bank.do("ApprovalsService/ProposeApproval", token, command=command)).approval


async def approve(bank: SmallBank, proposal: Any, who: str = "bob") -> Any:
    reply = await bank.do(
        "ApprovalsService/ApproveApproval",
        admin(bank, who),
        approval_id=proposal.approval_id,
        payload_hash=proposal.payload_hash,
    )
    return reply.approval


async def agreed(bank: SmallBank, owner: str, key: Ed25519PrivateKey, **changes: Any) -> pb.ApiKey:
    """A key that two administrators have agreed on, not claimed yet."""
    wanted = order(bank, owner, claim_key=public(key), **changes)
    done = await approve(bank, await propose(bank, {"create_key": wanted}))
    made = pb.CreateKeyResponse.FromString(done.reply)
    assert made.secret == "", "whoever approves sees no secret"
    return made.key


async def claim(bank: SmallBank, key_id: str, key: Ed25519PrivateKey, **more: Any) -> Any:
    """What a claimant is shown, who has no token."""
    return await bank.do(CLAIM, "", key_id=key_id, signature=key.sign(claim_text(key_id)), **more)


async def looks(
    bank: SmallBank, shown: str, method: str = LIST, signed: dict[str, str] | None = None
) -> str:
    """The reason that a call with a key is refused with."""
    unary = bank.channel.unary_unary(f"/{BY_NAME[method].path}")
    pairs = (("authorization", f"Key {shown}"), *(signed or {}).items())
    call = unary(b"", metadata=pairs, timeout=20)
    return (await refusal(call)).reason


async def test_only_the_claimant_ever_has_the_secret(
    bank: SmallBank, module_database: Database
) -> None:
    theirs = Ed25519PrivateKey.generate()
    proposal = await propose(bank, {"create_key": order(bank, "mer-1", claim_key=public(theirs))})
    shown = {one.field: one.after for one in proposal.changes}
    assert shown["owner"] == "mer-1"
    assert len(shown["public_key_sha256"]) == 64
    key = pb.CreateKeyResponse.FromString((await approve(bank, proposal)).reply).key
    assert key.HasField("claim_expiry_time")
    waits = await agreed(bank, "mer-waits", theirs)
    for guess in ("", "A" * 43):
        assert await looks(bank, f"{waits.key_id}.{guess}") == "KEY_INVALID"
    request_id = bank.new_request_id()
    claimed = await claim(bank, key.key_id, theirs, request_id=request_id)
    assert len(claimed.secret) == 43
    assert not claimed.key.HasField("claim_expiry_time")
    again = await claim(bank, key.key_id, theirs, request_id=request_id)
    assert again == claimed, "a reply that was lost is given again"
    assert code(await refusal(claim(bank, key.key_id, theirs))) == (
        "UNAUTHENTICATED",
        "KEY_CLAIM_REJECTED",
    )
    # It is a key like any other, whose calls that move money are signed with the claim key.
    shows = f"{key.key_id}.{claimed.secret}"
    assert await looks(bank, shows) == "PERMISSION_DENIED"
    assert await looks(bank, shows, PAY) == "SIGNATURE_MISSING"
    for signer, wanted in ((theirs, "PERMISSION_DENIED"), (Ed25519PrivateKey.generate(), INVALID)):
        signed = signature_metadata(ApiKey(shows, signer.sign), BY_NAME[PAY].path, b"")
        assert await looks(bank, shows, PAY, signed) == wanted
    with psycopg.connect(module_database.admin_dsn) as connection:
        for table in ("api_key", "request_record", "event", "approval"):
            rows = connection.execute(f"select t::text from {table} t".encode()).fetchall()  # noqa: S608
            text = "\n".join(row[0] for row in rows)
            assert claimed.secret not in text
            assert claimed.secret.encode().hex() not in text


async def test_whatever_is_wrong_with_a_claim_has_one_answer(bank: SmallBank) -> None:
    theirs, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    key = await agreed(bank, "mer-2", theirs)
    late = await agreed(bank, "mer-late", theirs)
    revoked = await agreed(bank, "mer-revoked", theirs)
    await bank.do("CredentialsService/RevokeKey", admin(bank, "ann"), key_id=revoked.key_id)
    plain = await bank.do(CREATE, bank.token("staff"), **order(bank, "mer-plain"))
    unknown = "key_" + "0" * 28
    wrong = [
        await refusal(claim(bank, key.key_id, other)),
        await refusal(bank.do(CLAIM, "", key_id=key.key_id, signature=b"\x00")),
        await refusal(
            bank.do(CLAIM, "", key_id=key.key_id, signature=theirs.sign(claim_text(late.key_id)))
        ),
        await refusal(claim(bank, revoked.key_id, theirs)),
        await refusal(claim(bank, plain.key.key_id, theirs)),
        await refusal(claim(bank, f"{unknown}0001", theirs)),
        await refusal(claim(bank, f"{unknown}7ffe", theirs)),
    ]
    later(bank, 72 * HOUR)
    wrong.append(await refusal(claim(bank, late.key_id, theirs)))
    assert {(*code(one), one.message, tuple(one.metadata)) for one in wrong} == {
        ("UNAUTHENTICATED", "KEY_CLAIM_REJECTED", wrong[0].message, ())
    }


async def test_of_many_claims_at_once_one_is_shown_the_secret(bank: SmallBank) -> None:
    theirs = Ed25519PrivateKey.generate()
    key = await agreed(bank, "mer-3", theirs)
    answers = await asyncio.gather(
        *(claim(bank, key.key_id, theirs) for _ in range(10)), return_exceptions=True
    )
    errors = [told(one) for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(errors) == 9
    assert {one.reason for one in errors} == {"KEY_CLAIM_REJECTED"}


async def test_one_administrator_neither_makes_a_key_nor_signs_for_a_merchant(
    bank: SmallBank,
) -> None:
    theirs, mine = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    ann = admin(bank, "ann")
    for changes in ({}, {"claim_key": public(mine)}):
        answer = await refusal(bank.do(CREATE, ann, **order(bank, "mer-4", **changes)))
        assert code(answer) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    key = await agreed(bank, "mer-4", theirs)
    registering = {"key_id": key.key_id, "public_key": public(mine)}
    answer = await refusal(bank.do(REGISTER, ann, **registering))
    assert code(answer) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
    registering["request_id"] = bank.new_request_id()
    proposal = await propose(bank, {"register_signing_key": registering})
    assert {one.field for one in proposal.changes} == {"public_key_sha256"}
    assert (await refusal(approve(bank, proposal, "ann"))).reason == "APPROVAL_BY_MAKER"
    # Rotating is for one, since it shows nothing: the merchant claims what comes of it.
    await claim(bank, key.key_id, theirs)
    rotated = await bank.do(ROTATE, ann, key_id=key.key_id)
    assert rotated.secret == ""
    assert rotated.key.HasField("claim_expiry_time")
    assert (await refusal(claim(bank, rotated.key.key_id, mine))).reason == "KEY_CLAIM_REJECTED"
    assert (await claim(bank, rotated.key.key_id, theirs)).secret


async def test_a_key_that_nobody_could_claim_is_not_made(bank: SmallBank) -> None:
    nameless = await refusal(propose(bank, {"create_key": order(bank, "mer-5")}))
    assert code(nameless) == ("FAILED_PRECONDITION", "CLAIM_KEY_MISSING")
    broken = await refusal(propose(bank, {"create_key": order(bank, "mer-5", claim_key=b"no key")}))
    assert code(broken) == ("INVALID_ARGUMENT", "SIGNING_KEY_INVALID")
    assert list(broken.fields) == ["claim_key"]
    # One without a signing key, of a server to try out, is not rotated into anybody's hands.
    plain = await bank.do(CREATE, bank.token("staff"), **order(bank, "mer-5"))
    answer = await refusal(bank.do(ROTATE, admin(bank, "ann"), key_id=plain.key.key_id))
    assert code(answer) == ("FAILED_PRECONDITION", "CLAIM_KEY_MISSING")


async def test_a_claim_that_never_came_leaves_its_slot(bank: SmallBank) -> None:
    theirs = Ed25519PrivateKey.generate()
    for _ in range(2):
        await agreed(bank, "mer-6", theirs)
    full = await refusal(
        propose(bank, {"create_key": order(bank, "mer-6", claim_key=public(theirs))})
    )
    assert full.reason == "KEY_LIMIT_REACHED"
    later(bank, 72 * HOUR)
    await agreed(bank, "mer-6", theirs)
