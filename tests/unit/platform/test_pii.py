"""Personal data: what opens where, what does not, and how keys change under it."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from longmen_server.platform import pii
from longmen_server.platform.pii import Field, IndexKind, SealBrokenError, Vault
from longmen_server.platform.tokens import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

NAME = Field("wallet", "display_name")
PHONE = Field("wallet", "phone_number")
ANNA, BERT = bytes(15) + b"a", bytes(15) + b"b"


class Time:
    """Seconds that move when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "keys" / "pii.json"
    pii.make_key_file(file)
    return file


@pytest.fixture
def seconds() -> Time:
    return Time()


@pytest.fixture
def vault(path: Path, seconds: Time) -> Vault:
    return Vault(path, seconds)


def test_what_was_sealed_opens_in_its_place_and_is_not_readable(vault: Vault) -> None:
    wrapped, key = vault.new_data_key(1, ANNA)
    sealed = key.seal(NAME, 1, ANNA, "王小明")
    assert "王小明".encode() not in sealed + wrapped
    assert sealed != key.seal(NAME, 1, ANNA, "王小明")
    assert vault.data_key(1, ANNA, wrapped).open(NAME, 1, ANNA, sealed) == "王小明"


@pytest.mark.parametrize(
    ("field", "book", "record"),
    [(PHONE, 1, ANNA), (NAME, 2, ANNA), (NAME, 1, BERT)],
    ids=["column", "book", "record"],
)
def test_a_ciphertext_opens_in_no_other_place(
    vault: Vault, field: Field, book: int, record: bytes
) -> None:
    _, key = vault.new_data_key(1, ANNA)
    with pytest.raises(SealBrokenError, match="does not open"):
        key.open(field, book, record, key.seal(NAME, 1, ANNA, "Anna"))


@pytest.mark.parametrize(("book", "owner"), [(1, BERT), (2, ANNA)], ids=["owner", "book"])
def test_a_data_key_opens_for_no_other_owner(vault: Vault, book: int, owner: bytes) -> None:
    wrapped, _ = vault.new_data_key(1, ANNA)
    vault.data_key(1, ANNA, wrapped)  # remembered, which must not help the other one
    with pytest.raises(SealBrokenError, match="a data key does not open"):
        vault.data_key(book, owner, wrapped)


def test_every_flipped_bit_is_noticed(vault: Vault) -> None:
    wrapped, key = vault.new_data_key(1, ANNA)
    sealed = key.seal(NAME, 1, ANNA, "Anna")
    for at, bit in itertools.product(range(len(sealed)), range(8)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << bit
        with pytest.raises(SealBrokenError):
            key.open(NAME, 1, ANNA, bytes(changed))
    for at in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(SealBrokenError):
            vault.data_key(1, ANNA, bytes(changed))
    for short in (b"", sealed[:1], sealed[:13], sealed[:20]):
        with pytest.raises(SealBrokenError):
            key.open(NAME, 1, ANNA, short)


def test_equal_values_have_equal_indexes_under_one_key_only(vault: Vault, tmp_path: Path) -> None:
    number = "+8613812345678"
    index = vault.index(IndexKind.PHONE_NUMBER, number)
    assert index == vault.index(IndexKind.PHONE_NUMBER, number)
    assert index != vault.index(IndexKind.PHONE_NUMBER, "+8613812345679")
    assert index != vault.index(IndexKind.ID_NUMBER, number)
    other = tmp_path / "other.json"
    pii.make_key_file(other)
    assert index != Vault(other, lambda: 0.0).index(IndexKind.PHONE_NUMBER, number)
    assert len(index) >= 32


class TestRotation:
    def test_a_prepared_key_unwraps_before_it_wraps(self, path: Path, vault: Vault) -> None:
        old = vault.wrapping_key
        fresh = pii.add_wrapping_key(path)
        assert pii.read_key_ids(path).wrapping == (old, fresh)
        assert pii.use_newest_wrapping_key(path) == fresh
        assert pii.read_key_ids(path).wrapping == (fresh, old)

    def test_a_running_process_follows_within_a_second(
        self, path: Path, vault: Vault, seconds: Time
    ) -> None:
        wrapped, key = vault.new_data_key(1, ANNA)
        old = pii.wrapping_key_of(wrapped)
        fresh = pii.add_wrapping_key(path)
        pii.use_newest_wrapping_key(path)
        assert pii.wrapping_key_of(vault.new_data_key(1, BERT)[0]) == old
        seconds.now += pii.LOOK_SECONDS
        assert pii.wrapping_key_of(vault.new_data_key(1, BERT)[0]) == fresh
        sealed = key.seal(NAME, 1, ANNA, "Anna")
        again = vault.rewrap(1, ANNA, wrapped)
        assert pii.wrapping_key_of(again) == fresh
        for each in (wrapped, again):
            assert vault.data_key(1, ANNA, each).open(NAME, 1, ANNA, sealed) == "Anna"

    def test_a_key_that_another_process_added_is_found_at_once(
        self, path: Path, vault: Vault
    ) -> None:
        pii.add_wrapping_key(path)
        pii.use_newest_wrapping_key(path)
        wrapped, _ = Vault(path, lambda: 0.0).new_data_key(1, ANNA)
        vault.data_key(1, ANNA, wrapped)

    def test_indexes_stay_and_destroyed_keys_unwrap_nothing(self, path: Path) -> None:
        before = Vault(path, lambda: 0.0)
        wrapped, _ = before.new_data_key(1, ANNA)
        old = before.wrapping_key
        fresh = pii.add_wrapping_key(path)
        pii.use_newest_wrapping_key(path)
        assert pii.drop_wrapping_keys(path) == (old,)
        after = Vault(path, lambda: 0.0)
        assert pii.read_key_ids(path).wrapping == (fresh,)
        assert after.index(IndexKind.ID_NUMBER, "x") == before.index(IndexKind.ID_NUMBER, "x")
        with pytest.raises(SealBrokenError, match=f"under key {old}"):
            after.data_key(1, ANNA, wrapped)


class TestRemembering:
    def test_only_so_many_keys_for_only_so_long(self, path: Path, seconds: Time) -> None:
        vault = Vault(path, seconds, keys_max=3, key_seconds=10.0)
        rows = [(bytes([n]) * 16, vault.new_data_key(1, bytes([n]) * 16)[0]) for n in range(5)]
        first = [vault.data_key(1, owner, wrapped) for owner, wrapped in rows]
        assert len(vault._cache) == 3
        again = [vault.data_key(1, owner, wrapped) for owner, wrapped in rows[2:]]
        assert again == first[2:]
        seconds.now += 10.0
        assert vault.data_key(1, *rows[4]) is not first[4]
        assert len(vault._cache) == 1

    def test_a_data_key_shows_nothing_of_itself(self, vault: Vault) -> None:
        wrapped, key = vault.new_data_key(1, ANNA)
        assert wrapped.hex() not in repr(key)
        assert not hasattr(key, "__dict__")


class TestKeyFile:
    def test_it_is_for_its_owner_alone_and_made_once(self, path: Path) -> None:
        assert path.stat().st_mode & 0o777 == 0o600
        before = path.read_bytes()
        pii.make_key_file(path)
        assert path.read_bytes() == before
        assert not path.with_suffix(".new").exists()

    def test_one_that_others_can_read_is_refused(self, path: Path) -> None:
        path.chmod(0o640)
        with pytest.raises(KeyFileError, match="others can read these keys; chmod 600 it"):
            Vault(path, lambda: 0.0)

    def test_one_that_is_missing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="No such file"):
            Vault(tmp_path / "none.json", lambda: 0.0)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"wrapping": {}, "index": {}}', "\udcff"])
    def test_one_that_is_something_else_is_refused(self, path: Path, content: str) -> None:
        path.write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises(KeyFileError, match="is not a key file of personal data"):
            pii.read_key_ids(path)

    def test_a_damaged_key_is_refused(self, path: Path) -> None:
        document = json.loads(path.read_bytes())
        document["wrapping"]["key"][0]["keyData"]["value"] = "AAAA"
        path.write_text(json.dumps(document), "utf-8")
        with pytest.raises(KeyFileError, match="is not a key file of personal data"):
            Vault(path, lambda: 0.0)
