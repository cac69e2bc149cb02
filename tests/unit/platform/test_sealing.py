from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from longmen_server.platform.sealing import BrokenSealError, Sealer, SecretKeys

if TYPE_CHECKING:
    from pathlib import Path

ROOT = bytes(range(32))


def test_a_sealed_text_opens_where_it_was_made_for() -> None:
    sealer = SecretKeys(ROOT).sealer("seeds")
    sealed = sealer.seal(b"JBSWY3DP", b"row 1")
    assert b"JBSWY3DP" not in sealed
    assert sealer.open(sealed, b"row 1") == b"JBSWY3DP"
    assert sealer.seal(b"JBSWY3DP", b"row 1") != sealed


def test_moved_changed_and_foreign_texts_stay_closed() -> None:
    sealer = SecretKeys(ROOT).sealer("seeds")
    sealed = sealer.seal(b"JBSWY3DP", b"row 1")
    attempts = [
        (sealer, sealed, b"row 2"),
        (SecretKeys(ROOT).sealer("replies"), sealed, b"row 1"),
        (SecretKeys(bytes(32)).sealer("seeds"), sealed, b"row 1"),
        (sealer, b"", b"row 1"),
        (sealer, sealed[:8], b"row 1"),
        (sealer, b"\x02" + sealed[1:], b"row 1"),
    ]
    attempts += [
        (sealer, sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :], b"row 1")
        for n in range(len(sealed))
    ]
    for opener, text, place in attempts:
        with pytest.raises(BrokenSealError):
            opener.open(text, place)


def test_every_purpose_has_a_key_of_its_own_that_stays(tmp_path: Path) -> None:
    (tmp_path / "secrets.key").write_bytes(ROOT)
    keys = SecretKeys.load(tmp_path / "secrets.key")
    assert keys.derive("pins") == SecretKeys(ROOT).derive("pins")
    assert len({keys.derive("pins"), keys.derive("seeds"), ROOT}) == 3
    # Pinned: another key here would make every stored PIN wrong.
    assert keys.derive("pins").hex()[:16] == "8b6656f3108576de"


def test_a_secret_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SecretKeys(bytes(31))
    with pytest.raises(ValueError, match="key"):
        Sealer(bytes(7))
