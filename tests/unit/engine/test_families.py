"""Row families of the whole house: one order of locks for everybody."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import longmen_server
from longmen_server.engine.family import STAGES, RowFamily


def families() -> list[tuple[str, RowFamily[Any, Any]]]:
    """Every family that a module of the server makes, with the module's name."""
    found = []
    for module in pkgutil.walk_packages(longmen_server.__path__, "longmen_server."):
        if not module.name.endswith("__main__"):
            loaded = importlib.import_module(module.name)
            found += [(module.name, v) for v in vars(loaded).values() if isinstance(v, RowFamily)]
    return found


def test_every_family_has_a_rank_and_a_name_of_its_own() -> None:
    apart = {id(family): family for _, family in families()}.values()
    assert len(apart) >= 10
    ranks = [family.rank for family in apart]
    assert len(set(ranks)) == len(ranks), sorted((f.rank, f.name) for f in apart)
    assert len({family.name for family in apart}) == len(apart)


def test_every_family_is_loaded_at_a_stage_there_is() -> None:
    assert {family.stage for _, family in families()} <= set(STAGES)
