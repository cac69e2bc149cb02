"""Anchors of the journals: how they are written and read, and the places that keep them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen_server.audit.anchor import Anchor, BrokenAnchorError, compare, read, write
from longmen_server.audit.places import AnchorFolder, AnchorHook, NotKeptError, places_of
from longmen_server.audit.queries import Head
from longmen_server.audit.settings import AuditSettings
from longmen_server.config import ConfigError, read_settings
from longmen_server.ledger.receipt import ReceiptSigner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIGNER = ReceiptSigner(Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))
ONE = Anchor(1, 1_767_225_600_000_000, (Head(1, 7, b"\x01" * 32), Head(2, 3, b"\x02" * 32)))


def test_an_anchor_is_one_line_that_says_who_signed_it() -> None:
    line = write(ONE, SIGNER)
    assert "\n" not in line
    signed = read(line)
    assert signed.anchor == ONE
    assert signed.public_key == SIGNER.public_key


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"block": 7', '"block": 8'),
        ('"book": 1', '"book": 2'),
        ('"writer": 2', '"writer": 3'),
        ("01" * 32, "03" * 32),
        ('"taken_at_us": 1767225600000000', '"taken_at_us": 1767225600000001'),
    ],
)
def test_whatever_is_changed_in_an_anchor_breaks_it(old: str, new: str) -> None:
    line = write(ONE, SIGNER)
    assert old in line
    with pytest.raises(BrokenAnchorError, match="signature"):
        read(line.replace(old, new))


@pytest.mark.parametrize(
    "line",
    ["", "{}", "[]", "3", "anchors", '{"anchor": {"version": 2}}', '{"anchor": [], "a": "b"}'],
)
def test_what_is_no_anchor_is_said_to_be_none(line: str) -> None:
    with pytest.raises(BrokenAnchorError, match="no anchor"):
        read(line)


def test_a_number_that_is_none_is_no_anchor() -> None:
    content = json.loads(write(ONE, SIGNER))
    content["anchor"]["book"] = True
    with pytest.raises(BrokenAnchorError, match="no anchor"):
        read(json.dumps(content))


def test_differences_are_told_once_and_in_words() -> None:
    later = Anchor(1, ONE.taken_at_us + 1, ONE.heads)
    present = {(1, 7): b"\x09" * 32}
    found = [one.detail for one in compare([ONE, later], present)]
    assert found == [
        "block 7 of writer 1 is another one: the journal was rewritten",
        "block 3 of writer 2 is gone: the journal was cut off",
    ]
    assert not compare([ONE], {(1, 7): b"\x01" * 32, (2, 3): b"\x02" * 32})


async def test_a_folder_keeps_a_line_for_each_anchor(tmp_path: Path) -> None:
    place = AnchorFolder(tmp_path)
    for _ in range(2):
        await place.keep(1, write(ONE, SIGNER))
    lines = (tmp_path / "anchors-1.jsonl").read_text("utf-8").splitlines()
    assert [read(line).anchor for line in lines] == [ONE, ONE]


async def test_a_folder_that_is_not_there_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotKeptError, match="No such file"):
        await AnchorFolder(tmp_path / "unmounted").keep(1, "line")
    assert not (tmp_path / "unmounted").exists()


def refuse(_: httpx.Request) -> httpx.Response:
    return httpx.Response(500)


def send_on(_: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"location": "https://elsewhere.example"})


def hang_up(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    ("answer", "why"), [(refuse, "http_500"), (send_on, "http_302"), (hang_up, "ConnectError")]
)
async def test_a_server_that_does_not_say_yes_has_kept_nothing(
    answer: Callable[[httpx.Request], httpx.Response], why: str
) -> None:
    hook = AnchorHook(
        "https://notary.example/a", timeout_s=1, transport=httpx.MockTransport(answer)
    )
    with pytest.raises(NotKeptError, match=why):
        await hook.keep(1, "line")


async def test_a_server_is_posted_the_line_itself() -> None:
    got: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        got.append(request.content)
        return httpx.Response(204)

    hook = AnchorHook("https://notary.example/a", timeout_s=1, transport=httpx.MockTransport(take))
    await hook.keep(1, write(ONE, SIGNER))
    assert [read(body.decode()).anchor for body in got] == [ONE]


def test_settings_name_the_places(tmp_path: Path) -> None:
    assert places_of(AuditSettings()) == []
    both = AuditSettings(anchor_folder=tmp_path, anchor_url="https://notary.example/a")
    assert [place.name for place in places_of(both)] == ["folder", "url"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LONGMEN_ANCHOR_URL", "http://notary.example/a", "must be https"),
        ("LONGMEN_ANCHOR_URL", "http://127.0.0.1.notary.example/a", "must be https"),
        ("LONGMEN_ANCHOR_INTERVAL_S", "5", "outside 60 to 86400"),
    ],
)
def test_settings_that_make_no_sense_are_refused(variable: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_settings({variable: value})
    assert variable in str(caught.value)
