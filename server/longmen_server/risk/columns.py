"""Features of one type side by side, as decisions keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.risk.model import Feature, FeatureType

__all__ = ["Column"]


class Column(NamedTuple):
    """Places and names of some features, in one order."""

    numbers: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, features: Iterable[Feature], *types: FeatureType) -> Column:
        """Return those of some types."""
        found = [feature for feature in features if feature.type in types]
        return cls(tuple(each.number for each in found), tuple(each.name for each in found))
