"""Personal data: encrypted field by field, under a key of the customer's own.

Envelope encryption in three layers, so that a dump of the database tells nobody's name and so that
one customer can be forgotten without touching another:

    key file    a keyset outside of the database; its newest key wraps, all of them unwrap
    data key    one for each customer, 256 random bits, stored wrapped in table customer_key
    field       AES-256-GCM under the data key, bound to table, column, book and record

A ciphertext that is copied to another row or column, and a wrapped key that is copied to another
customer, do not open. Deleting the wrapped key makes every field of that customer noise.

What is looked up by its value (a phone number, an ID number) has a blind index beside it: a keyed
HMAC-SHA-256. Equal values have equal indexes, and without the key nobody can try all numbers.

Tink holds the keyset: its format, key ids and rotation are a library's, and an external key
management service is a change of the file's reading alone. Fields go through `cryptography`, whose
cipher is made from a raw key in a microsecond; Tink would need a keyset for every customer.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import aead, mac, secret_key_access
from tink.core import TinkError

from longmen_server.platform.ids import CustomerId
from longmen_server.platform.tokens import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "CACHED_KEYS_MAX",
    "CACHED_SECONDS",
    "DataKey",
    "Field",
    "IndexKind",
    "KeyIds",
    "SealBrokenError",
    "Vault",
    "add_wrapping_key",
    "book_owner",
    "drop_wrapping_keys",
    "has_prepared_key",
    "make_key_file",
    "read_key_ids",
    "use_newest_wrapping_key",
    "wrapping_key_of",
]

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
VERSION: Final = b"\x01"
"""First byte of a sealed field: AES-256-GCM, nonce of 12 bytes, then ciphertext and tag of 16."""

_HEADER: Final = 1 + NONCE_BYTES

CACHED_KEYS_MAX: Final = 10_000
"""Unwrapped data keys that a process remembers: about 5 MB. Unwrapping costs two microseconds,
so a larger cache would be for nothing."""

CACHED_SECONDS: Final = 300.0
"""How long a data key is remembered at most, so that a core dump holds few."""

LOOK_SECONDS: Final = 1.0
"""How often the key file is looked at before something is wrapped: how long after a rotation a
process may still wrap with the key before."""

_TINK_PREFIX: Final = 5
"""Bytes before Tink's ciphertext: 0x01, then the key's id, big-endian."""

aead.register()
mac.register()


class SealBrokenError(Exception):
    """Personal data that does not open: damaged, moved from elsewhere, or its key is not here."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column that holds sealed text."""

    table: str
    column: str

    def context(self, book: int, record_id: bytes) -> bytes:
        """Return what a ciphertext in this column is bound to."""
        return f"longmen.pii.v1|{self.table}|{self.column}|{book}|".encode() + record_id


class IndexKind(Enum):
    """What a blind index stands for. Equal digits of two kinds have different indexes."""

    PHONE_NUMBER = b"phone_number"
    ID_NUMBER = b"id_number"
    BILL_ACCOUNT = b"bill_account"
    SCREENED_NAME = b"screened_name"


class DataKey:
    """The key of one customer's personal data."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, field: Field, book: int, record_id: bytes, text: str) -> bytes:
        """Return text encrypted for one place. Twice the same text gives different bytes."""
        nonce = os.urandom(NONCE_BYTES)
        context = field.context(book, record_id)
        return VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), context)

    def open(self, field: Field, book: int, record_id: bytes, sealed: bytes) -> str:
        """Return the text that was sealed for this place.

        Raises:
            SealBrokenError: it was not, or not under this key.
        """
        version, nonce, ciphertext = sealed[:1], sealed[1:_HEADER], sealed[_HEADER:]
        if version != VERSION or not ciphertext:
            raise SealBrokenError(f"{field.table}.{field.column} is nothing that was sealed")
        try:
            plain = self._cipher.decrypt(nonce, ciphertext, field.context(book, record_id))
        except InvalidTag as error:
            raise SealBrokenError(f"{field.table}.{field.column} does not open") from error
        return plain.decode()


@dataclass(frozen=True, slots=True)
class KeyIds:
    """The keys of a key file by their ids, the current one of each sort first."""

    wrapping: tuple[int, ...]
    index: tuple[int, ...]


class _Ring:
    """The keys of a key file, ready for use."""

    __slots__ = ("ids", "index", "wrapping")

    def __init__(self, document: dict[str, Any]) -> None:
        self.ids = _ids(document)
        self.wrapping: aead.Aead = _handle(document["wrapping"]).primitive(aead.Aead)
        self.index: mac.Mac = _handle(document["index"]).primitive(mac.Mac)


class Vault:
    """Seals, opens and indexes personal data in one process.

    The key file is read again when it changes, so that keys rotate under a running server.
    """

    def __init__(
        self,
        path: Path,
        monotonic: Callable[[], float],
        *,
        keys_max: int = CACHED_KEYS_MAX,
        key_seconds: float = CACHED_SECONDS,
    ) -> None:
        """Read the key file.

        Args:
            path: the key file, mode 0600.
            monotonic: seconds, for how long keys are remembered.
            keys_max: data keys to remember at most.
            key_seconds: for how long at most.

        Raises:
            KeyFileError: it cannot be used.
        """
        self._path = path
        self._monotonic = monotonic
        self._keys_max = keys_max
        self._key_seconds = key_seconds
        self._cache: OrderedDict[tuple[int, bytes, bytes], tuple[float, DataKey]] = OrderedDict()
        self._mark = _mark(path)
        self._ring = _Ring(_read(path))
        self._looked_at = monotonic()

    @property
    def wrapping_key(self) -> int:
        """Id of the key that wraps now."""
        self._look(every=LOOK_SECONDS)
        return self._ring.ids.wrapping[0]

    def new_data_key(self, book: int, owner: bytes) -> tuple[bytes, DataKey]:
        """Return a fresh data key, wrapped to be stored and ready for use."""
        key = os.urandom(KEY_BYTES)
        return self._wrap(book, owner, key), DataKey(key)

    def data_key(self, book: int, owner: bytes, wrapped: bytes) -> DataKey:
        """Return the data key of an owner from its row.

        Raises:
            SealBrokenError: it is another owner's, damaged, or wrapped by a key that is not here.
        """
        place = (book, owner, wrapped)
        known = self._cache.get(place)
        now = self._monotonic()
        if known is not None and known[0] > now:
            return known[1]
        key = DataKey(self._unwrap(book, owner, wrapped))
        self._cache[place] = (now + self._key_seconds, key)
        self._cache.move_to_end(place)
        self._forget(now)
        return key

    def rewrap(self, book: int, owner: bytes, wrapped: bytes) -> bytes:
        """Return the same data key wrapped by the current key.

        Raises:
            SealBrokenError: as :meth:`data_key`.
        """
        return self._wrap(book, owner, self._unwrap(book, owner, wrapped))

    def index(self, kind: IndexKind, value: str) -> bytes:
        """Return the blind index of a value; the caller has brought it to its one canonical form.

        Raises:
            UnicodeEncodeError: the text is no Unicode text.
        """
        code: bytes = self._ring.index.compute_mac(kind.value + b"|" + value.encode())
        return code

    def _wrap(self, book: int, owner: bytes, key: bytes) -> bytes:
        self._look(every=LOOK_SECONDS)
        wrapped: bytes = self._ring.wrapping.encrypt(key, _key_context(book, owner))
        return wrapped

    def _unwrap(self, book: int, owner: bytes, wrapped: bytes) -> bytes:
        if wrapping_key_of(wrapped) not in self._ring.ids.wrapping:
            # Another process may have rotated a moment ago.
            self._look(every=0.0)
        try:
            key: bytes = self._ring.wrapping.decrypt(wrapped, _key_context(book, owner))
        except TinkError as error:
            raise SealBrokenError(
                f"a data key does not open under key {wrapping_key_of(wrapped)}"
            ) from error
        return key

    def _look(self, *, every: float) -> None:
        """Read the key file again if it has changed since it was looked at."""
        now = self._monotonic()
        if now - self._looked_at < every:
            return
        self._looked_at = now
        mark = _mark(self._path)
        if mark != self._mark:
            self._ring = _Ring(_read(self._path))
            self._mark = mark

    def _forget(self, now: float) -> None:
        """Drop what has been remembered long enough, and what is too much."""
        cache = self._cache
        while cache:
            until, _ = next(iter(cache.values()))
            if until > now and len(cache) <= self._keys_max:
                break
            cache.popitem(last=False)


def book_owner(book: int) -> CustomerId:
    """Return whose data key is for what belongs to a book and to no customer in particular."""
    return CustomerId(book.to_bytes(16, "big"))


def wrapping_key_of(wrapped: bytes) -> int:
    """Return the id of the key that wrapped a data key."""
    return int.from_bytes(wrapped[1:_TINK_PREFIX], "big")


def make_key_file(path: Path) -> None:
    """Make a key file with one key of each kind, unless there is one."""
    if path.exists():
        return
    document = {
        "wrapping": _new_keyset(aead.aead_key_templates.AES256_GCM),
        "index": _new_keyset(mac.mac_key_templates.HMAC_SHA256_256BITTAG),
    }
    _write(path, document)


def read_key_ids(path: Path) -> KeyIds:
    """Return which keys a key file has.

    Raises:
        KeyFileError: it cannot be used.
    """
    return _ids(_read(path))


def add_wrapping_key(path: Path) -> int:
    """Put a fresh key into a key file, which unwraps but does not wrap yet; return its id.

    Raises:
        KeyFileError: the file cannot be used.
    """
    document = _read(path)
    fresh = _new_keyset(aead.aead_key_templates.AES256_GCM)
    document["wrapping"]["key"] += fresh["key"]
    _write(path, document)
    return int(fresh["primaryKeyId"])


def has_prepared_key(path: Path) -> bool:
    """Whether the key that was added last does not wrap yet.

    Raises:
        KeyFileError: the file cannot be used.
    """
    keyset = _read(path)["wrapping"]
    return bool(keyset["key"][-1]["keyId"] != keyset["primaryKeyId"])


def use_newest_wrapping_key(path: Path) -> int:
    """Let the key that was added last wrap from now on; return its id.

    Raises:
        KeyFileError: the file cannot be used.
    """
    document = _read(path)
    keyset = document["wrapping"]
    keyset["primaryKeyId"] = keyset["key"][-1]["keyId"]
    _write(path, document)
    return int(keyset["primaryKeyId"])


def drop_wrapping_keys(path: Path) -> tuple[int, ...]:
    """Destroy every wrapping key but the current one; return their ids.

    Nothing may be wrapped by them any more, in backups either, or it is lost.

    Raises:
        KeyFileError: the file cannot be used.
    """
    document = _read(path)
    keyset = document["wrapping"]
    dropped = _ids(document).wrapping[1:]
    keyset["key"] = [key for key in keyset["key"] if key["keyId"] == keyset["primaryKeyId"]]
    _write(path, document)
    return dropped


def _key_context(book: int, owner: bytes) -> bytes:
    return f"longmen.pii.v1|customer_key|wrapped|{book}|".encode() + owner


def _new_keyset(template: Any) -> dict[str, Any]:
    handle = tink.new_keyset_handle(template)
    text = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    keyset: dict[str, Any] = json.loads(text)
    return keyset


def _handle(keyset: dict[str, Any]) -> tink.KeysetHandle:
    return tink.json_proto_keyset_format.parse(json.dumps(keyset), secret_key_access.TOKEN)


def _ids(document: dict[str, Any]) -> KeyIds:
    return KeyIds(_keyset_ids(document["wrapping"]), _keyset_ids(document["index"]))


def _keyset_ids(keyset: dict[str, Any]) -> tuple[int, ...]:
    current = int(keyset["primaryKeyId"])
    others = (int(key["keyId"]) for key in reversed(keyset["key"]))
    return (current, *(key_id for key_id in others if key_id != current))


def _mark(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced.

    Raises:
        KeyFileError: it is not there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_mode & 0o077:
            raise KeyFileError(f"{path}: others can read these keys; chmod 600 it")
        document: dict[str, Any] = json.loads(path.read_bytes())
        # Made once here, so that a damaged keyset is told by its file's name.
        _Ring(document)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, TinkError) as error:
        raise KeyFileError(f"{path}: is not a key file of personal data") from error
    return document


def _write(path: Path, document: dict[str, Any]) -> None:
    """Replace a key file so that a crash leaves the old one or the new one, on the disk.

    A wrapped key whose wrapping key was only ever in memory would be lost for good.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
