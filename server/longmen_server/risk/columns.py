"""Features side by side, as decisions keep them and rules read them."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from longmen_server.risk.model import Feature, FeatureType

__all__ = ["Column", "getter"]


class Column(NamedTuple):
    """Places and names of some features, in one order."""

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    of_values: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    """Takes their values out of those of all features."""

    @classmethod
    def of(cls, features: Iterable[Feature], *types: FeatureType) -> Column:
        """Return those of some types."""
        found = [feature for feature in features if feature.type in types]
        names = tuple(each.name for each in found)
        return cls(tuple(each.number for each in found), names, getter(names))


def getter(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what takes the values of some names out of a mapping, in their order.

    It raises KeyError for a name that is missing. One call for all costs a third of one for each.
    """
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)
