"""API keys and signed requests, against a whole server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc.aio
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen.credentials.v1 import credentials_service_pb2 as pb
from longmen.type.v1 import policy_pb2
from longmen_client import ApiKey, AsyncClient, Config, Money, signer_from_pem
from longmen_client.signing import canonical_text, signature_metadata
from longmen_server.credentials import signing
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Call
from tests.support.edge import told
from tests.support.poll import until
from tests.support.small_bank import BY_NAME, FUNDS, Person, SmallBank, cash, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

TOP_UP = BY_NAME["TransfersService/TopUp"]
CLOCK = BY_NAME["AdminService/GetClock"]
DER = serialization.PublicFormat.SubjectPublicKeyInfo
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("credentials")) as opened:
        yield opened


def public(key: Any) -> bytes:
    der: bytes = key.public_key().public_bytes(serialization.Encoding.DER, DER)
    return der


async def make(bank: SmallBank, owner: str, **more: Any) -> tuple[pb.ApiKey, str]:
    """A key of a service that may top up and look, and what its owner shows."""
    fields = {
        "owner_kind": pb.KEY_OWNER_KIND_SERVICE,
        "owner": owner,
        "scopes": ["transfers.topup", "admin.read", TOP_UP.scope],
        **more,
    }
    reply = await bank.do("CredentialsService/CreateKey", bank.token("staff"), **fields)
    return reply.key, f"{reply.key.key_id}.{reply.secret}"


async def call(
    bank: SmallBank, method: Any, request: Any, shown: str, metadata: dict[str, str] | None = None
) -> bytes:
    payload = request if isinstance(request, bytes) else request.SerializeToString()
    pairs = (("authorization", f"Key {shown}"), *(metadata or {}).items())
    unary = bank.channel.unary_unary(f"/{method.path}")
    reply: bytes = await unary(payload, metadata=pairs, timeout=20)
    return reply


async def refusal(work: Any) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await work
    return told(caught.value)


async def looks(bank: SmallBank, shown: str) -> str:
    """What becomes of a look with a key: "" or the reason of its refusal."""
    try:
        await call(bank, CLOCK, CLOCK.request_class(), shown)
    except grpc.aio.AioRpcError as error:
        return told(error).reason
    return ""


def top_up(bank: SmallBank, person: Person, amount: int = 5) -> Any:
    return TOP_UP.request_class(
        request_id=bank.new_request_id(),
        account_id=person.account,
        amount=cash(amount),
        bank_account="6222021234567890",
    )


async def balance(bank: SmallBank, person: Person) -> int:
    reply = await bank.do("LedgerService/GetAccount", account_id=person.account)
    return int(reply.account.balances.posted)


# -- keys


async def test_a_key_is_its_owners_and_its_secret_is_stored_nowhere(
    bank: SmallBank, module_database: Database
) -> None:
    key, shown = await make(bank, "till-1")
    assert await looks(bank, shown) == ""
    secret = shown.partition(".")[2]
    raw = base64.urlsafe_b64decode(secret + "=")
    listed = await bank.do("CredentialsService/ListKeys", bank.token("staff"), owner="till-1")
    assert [one.key_id for one in listed.keys] == [key.key_id]
    assert secret.encode() not in listed.SerializeToString()
    with psycopg.connect(module_database.admin_dsn) as connection:
        for table in ("api_key", "request_record", "event"):
            rows = connection.execute(f"select t::text from {table} t".encode()).fetchall()  # noqa: S608
            text = "\n".join(row[0] for row in rows)
            assert secret not in text
            assert secret.encode().hex() not in text
            assert raw.hex() not in text


async def test_a_key_does_only_what_its_scopes_say(bank: SmallBank) -> None:
    _, shown = await make(bank, "narrow", scopes=["ledger.read"])
    assert await looks(bank, shown) == "PERMISSION_DENIED"


async def test_every_byte_of_a_key_counts(bank: SmallBank) -> None:
    _, shown = await make(bank, "till-2")
    for place in range(len(shown)):
        other = "B" if shown[place] != "B" else "C"
        answer = await refusal(
            call(
                bank,
                CLOCK,
                CLOCK.request_class(),
                shown[:place] + other + shown[place + 1 :],
            )
        )
        assert (answer.code.name, answer.reason) == ("UNAUTHENTICATED", "KEY_INVALID"), place
    for wrong in ("", ".", shown + "A", shown[:-1], shown.replace(".", ":"), "key_x.y"):
        assert await looks(bank, wrong) == "KEY_INVALID"


async def test_a_revoked_key_is_refused_within_five_seconds(bank: SmallBank) -> None:
    key, shown = await make(bank, "till-3")
    assert await looks(bank, shown) == ""
    staff = bank.token("staff")
    await bank.do("CredentialsService/RevokeKey", staff, key_id=key.key_id)
    revoked = time.monotonic()

    async def gone() -> bool:
        return await looks(bank, shown) == "KEY_INVALID"

    await until(gone, "the key is refused", seconds=5)
    assert time.monotonic() - revoked < 5
    for rpc, more in (
        ("RevokeKey", {}),
        ("RotateKey", {}),
        ("RegisterSigningKey", {"public_key": public(SIGNING_KEY)}),
    ):
        answer = await refusal(
            bank.do(f"CredentialsService/{rpc}", staff, key_id=key.key_id, **more)
        )
        assert (answer.code.name, answer.reason) == ("FAILED_PRECONDITION", "KEY_REVOKED")


async def test_a_key_that_is_not_there_is_not_found(bank: SmallBank) -> None:
    for digits in ("0" * 28 + "0001", "0" * 28 + "7ffe"):
        answer = await refusal(
            bank.do("CredentialsService/RevokeKey", bank.token("staff"), key_id=f"key_{digits}")
        )
        assert (answer.code.name, answer.reason) == ("NOT_FOUND", "KEY_NOT_FOUND")
        assert answer.metadata == {"key_id": f"key_{digits}"}


async def test_networks_bound_a_key(bank: SmallBank) -> None:
    _, near = await make(bank, "near", networks=["127.0.0.0/8", "::1/128"])
    _, far = await make(bank, "far", networks=["192.0.2.0/24"])
    assert await looks(bank, near) == ""
    answer = await refusal(call(bank, CLOCK, CLOCK.request_class(), far))
    assert (answer.code.name, answer.reason) == ("PERMISSION_DENIED", "KEY_NETWORK_REFUSED")
    answer = await refusal(make(bank, "wrong", networks=["192.0.2.1/24"]))
    assert (answer.code.name, answer.reason) == ("INVALID_ARGUMENT", "KEY_INVALID_NETWORK")
    assert answer.metadata == {"network": "192.0.2.1/24"}


async def test_an_owner_has_two_keys_however_many_are_asked_for_at_once(bank: SmallBank) -> None:
    answers = await asyncio.gather(
        *(make(bank, "greedy") for _ in range(8)), return_exceptions=True
    )
    errors = [told(one) for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(errors) == 6
    assert {one.reason for one in errors} == {"KEY_LIMIT_REACHED"}


async def more_of(answers: list[str]) -> None:
    """Wait for twenty answers more."""
    wanted = len(answers) + 20
    await until(lambda: len(answers) > wanted, "calls go on")


async def test_rotation_under_load_fails_no_call(bank: SmallBank) -> None:
    key, shown = await make(bank, "busy")
    inside = [shown]
    answers: list[str] = []
    stop = asyncio.Event()

    async def load() -> None:
        while not stop.is_set():
            answers.append(await looks(bank, inside[-1]))

    tasks = [asyncio.create_task(load()) for _ in range(4)]
    for _ in range(3):
        await more_of(answers)
        reply = await bank.do(
            "CredentialsService/RotateKey", bank.token("staff"), key_id=key.key_id, overlap_hours=1
        )
        inside.append(f"{reply.key.key_id}.{reply.secret}")
        old, key = key, reply.key
        # Everybody has the new key by now; only then the old one may go before its time.
        await more_of(answers)
        await bank.do("CredentialsService/RevokeKey", bank.token("staff"), key_id=old.key_id)
    stop.set()
    await asyncio.gather(*tasks)
    assert set(answers) == {""}


async def test_keys_expire_and_leave_their_slot(bank: SmallBank) -> None:
    key, shown = await make(bank, "brief", lifetime_days=1)
    await make(bank, "brief", lifetime_days=1)
    assert await looks(bank, shown) == ""
    await bank.do("AdminService/SetClock", time={"seconds": key.expiry_time.seconds + 1})
    assert await looks(bank, shown) == "KEY_INVALID"
    _, fresh = await make(bank, "brief")
    assert await looks(bank, fresh) == ""


# -- signatures


async def signing_service(bank: SmallBank, owner: str, key: Any = SIGNING_KEY) -> ApiKey:
    """A service whose key has to sign."""
    made, shown = await make(bank, owner)
    await bank.do(
        "CredentialsService/RegisterSigningKey",
        bank.token("staff"),
        key_id=made.key_id,
        public_key=public(key),
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return ApiKey(shown, sign=signer_from_pem(pem))


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
async def test_the_client_signs_by_itself(bank: SmallBank, kind: str) -> None:
    person = await bank.person()
    key = SIGNING_KEY if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    api_key = await signing_service(bank, f"sdk-{kind}", key)
    async with AsyncClient(Config(target=bank.tokens.target, key=api_key)) as client:
        await client.transfers.top_up(
            account_id=person.account, amount=Money(5, "CNY"), bank_account="6222021234567890"
        )
    assert await balance(bank, person) == FUNDS + 5


async def test_anything_changed_is_refused(bank: SmallBank) -> None:
    person = await bank.person()
    key = await signing_service(bank, "tampered")
    request = top_up(bank, person)
    payload = request.SerializeToString()
    signed = signature_metadata(key, TOP_UP.path, payload)
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        fresh = signature_metadata(key, TOP_UP.path, payload)
        answer = await refusal(call(bank, TOP_UP, changed, key.credential, fresh))
        assert (answer.code.name, answer.reason) == ("UNAUTHENTICATED", "SIGNATURE_INVALID")
    for name, value in signed.items():
        for place in range(len(value)):
            other = "1" if value[place] != "1" else "2"
            changed_value = value[:place] + other + value[place + 1 :]
            answer = await refusal(
                call(bank, TOP_UP, request, key.credential, {**signed, name: changed_value})
            )
            assert answer.code == grpc.StatusCode.UNAUTHENTICATED, (name, place)
            assert answer.reason == "SIGNATURE_INVALID"
        missing = {one: text for one, text in signed.items() if one != name}
        answer = await refusal(call(bank, TOP_UP, request, key.credential, missing))
        assert (answer.code.name, answer.reason) == ("UNAUTHENTICATED", "SIGNATURE_MISSING")
    other_method = signature_metadata(key, CLOCK.path, payload)
    answer = await refusal(call(bank, TOP_UP, request, key.credential, other_method))
    assert answer.reason == "SIGNATURE_INVALID"
    assert await balance(bank, person) == FUNDS
    await call(bank, TOP_UP, request, key.credential, signed)
    assert await balance(bank, person) == FUNDS + 5


async def test_a_signature_is_good_once_and_a_retry_is_signed_anew(bank: SmallBank) -> None:
    person = await bank.person()
    key = await signing_service(bank, "replayed")
    request = top_up(bank, person)
    payload = request.SerializeToString()
    signed = signature_metadata(key, TOP_UP.path, payload)
    first = await call(bank, TOP_UP, request, key.credential, signed)
    answer = await refusal(call(bank, TOP_UP, request, key.credential, signed))
    assert (answer.code.name, answer.reason) == ("UNAUTHENTICATED", "SIGNATURE_REPLAYED")
    again = signature_metadata(key, TOP_UP.path, payload)
    assert await call(bank, TOP_UP, request, key.credential, again) == first
    assert await balance(bank, person) == FUNDS + 5


async def test_one_nonce_of_many_calls_at_once_is_used_once(bank: SmallBank) -> None:
    person = await bank.person()
    key = await signing_service(bank, "raced")
    request = top_up(bank, person)
    signed = signature_metadata(key, TOP_UP.path, request.SerializeToString())
    answers = await asyncio.gather(
        *(call(bank, TOP_UP, request, key.credential, signed) for _ in range(20)),
        return_exceptions=True,
    )
    errors = [told(one).reason for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert len(errors) == 19
    assert set(errors) == {"SIGNATURE_REPLAYED"}


@pytest.mark.parametrize(
    ("seconds", "good"), [(-299, True), (299, True), (-302, False), (302, False)]
)
def test_signatures_are_good_for_five_minutes_either_way(seconds: int, good: bool) -> None:  # noqa: FBT001
    now = 1_767_225_600
    text = canonical_text(
        method="m", key_id="k", timestamp=now + seconds, nonce="n" * 16, digest="0" * 64
    )
    value = base64.urlsafe_b64encode(SIGNING_KEY.sign(text)).decode().rstrip("=")
    signature = signing.Signature(str(now + seconds), "n" * 16, "0" * 64, value)

    def verify() -> None:
        signing.verify(
            signature,
            method="m",
            key_id="k",
            public_key=public(SIGNING_KEY),
            now_us=now * 1_000_000,
        )

    if good:
        verify()
    else:
        with pytest.raises(Refusal, match="SIGNATURE_INVALID"):
            verify()


async def test_only_ed25519_and_p256_keys_can_be_registered(bank: SmallBank) -> None:
    made, _ = await make(bank, "odd")
    for der in (b"no key", public(ec.generate_private_key(ec.SECP384R1()))):
        answer = await refusal(
            bank.do(
                "CredentialsService/RegisterSigningKey",
                bank.token("staff"),
                key_id=made.key_id,
                public_key=der,
            )
        )
        assert (answer.code.name, answer.reason) == ("INVALID_ARGUMENT", "SIGNING_KEY_INVALID")


class MerchantsWire:
    """A call of a merchant from this machine, without a signature."""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:40000"

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()


async def test_merchants_sign_whether_they_registered_a_key_or_not(bank: SmallBank) -> None:
    _, shown = await make(bank, "shop", owner_kind=pb.KEY_OWNER_KIND_MERCHANT)
    wire: Any = MerchantsWire()
    moving = replace(CLOCK, audit_class=policy_pb2.AUDIT_CLASS_MONEY)
    made = Call(moving.path, wire)
    made.deadline = time.monotonic() + 20
    with pytest.raises(Refusal, match="SIGNATURE_MISSING"):
        await bank.parts.keyring.admit(made, shown, moving)
    await bank.parts.keyring.admit(made, shown, CLOCK)
    assert (made.principal.kind, made.principal.subject) == ("merchant", "shop")


def test_the_documented_example_is_what_both_sides_sign() -> None:
    text = (Path(__file__).parents[2] / "docs/credentials.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ([a-z0-9 ]+) \| `([^`]+)` \|$", text, re.MULTILINE))
    assert hashlib.sha256(b"hello").hexdigest() == rows["content sha256"]
    key = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    signed = canonical_text(
        method=rows["method"],
        key_id=rows["key id"],
        timestamp=int(rows["timestamp"]),
        nonce=rows["nonce"],
        digest=rows["content sha256"],
    )
    assert base64.urlsafe_b64encode(key.sign(signed)).decode().rstrip("=") == rows["signature"]
    signing.verify(
        signing.Signature(
            rows["timestamp"], rows["nonce"], rows["content sha256"], rows["signature"]
        ),
        method=rows["method"],
        key_id=rows["key id"],
        public_key=public(key),
        now_us=int(rows["timestamp"]) * 1_000_000,
    )
