"""What is computed of a movement: the features that are read of it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from longmen.risk.v1 import decision_pb2
from longmen_server.risk.columns import Column
from longmen_server.risk.features import COMPUTE, REGISTRY, Counted
from longmen_server.risk.model import (
    ALLOW,
    TEXT_MAX,
    Fault,
    Feature,
    FeatureType,
    OnFailure,
    Outcome,
    OutcomeKind,
)
from longmen_server.risk.velocity import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from longmen_server.risk.model import FeatureValue
    from longmen_server.risk.scene import Scene
    from longmen_server.risk.subjects import Section, Subject

__all__ = ["Plan"]


class _Group(NamedTuple):
    """Features of one series, which is looked for and brought to the time once for all."""

    role: str
    section: Section
    wanted: tuple[tuple[Feature, Counted], ...]
    defaults: Mapping[str, FeatureValue]
    """Values where there is no such subject."""

    def compute(self, scene: Scene, values: dict[str, FeatureValue]) -> None:
        """Compute all of them.

        Raises:
            ValueError: what is stored cannot be read.
        """
        subject: Subject | None = getattr(scene, self.role)
        if subject is None:
            values.update(self.defaults)
            return
        series, now_s = subject.series(self.section), scene.now_s
        for feature, counted in self.wanted:
            values[feature.name] = counted.get(series.window(now_s, counted.place))


class Plan:
    """The features that the rules and the scorecard in force read, ready to be computed."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take names of the registry; those that it does not know are left out."""
        known = sorted((REGISTRY[name] for name in set(names) if name in REGISTRY), key=_number_of)
        self.features = tuple(known)
        self._steps: list[tuple[Feature, Callable[[Scene], FeatureValue]]] = []
        counted: dict[tuple[str, Section], list[tuple[Feature, Counted]]] = {}
        for feature in known:
            compute = COMPUTE[feature.name]
            if isinstance(compute, Counted):
                counted.setdefault((compute.role, compute.section), []).append((feature, compute))
            else:
                self._steps.append((feature, compute))
        self._groups = tuple(
            _Group(*key, tuple(wanted), {each.name: get.get(NOTHING) for each, get in wanted})
            for key, wanted in counted.items()
        )
        self.wholes = Column.of(known, FeatureType.INT, FeatureType.BOOL)
        self.reals = Column.of(known, FeatureType.DOUBLE)
        self.texts = Column.of(known, FeatureType.STRING)
        self.lists = Column.of(known, FeatureType.STRINGS)
        self.places = decision_pb2.DecisionSnapshot(
            whole_numbers=self.wholes.numbers,
            real_numbers=self.reals.numbers,
            text_numbers=self.texts.numbers,
            list_numbers=self.lists.numbers,
        ).SerializeToString(deterministic=True)
        """The part of every snapshot that says which features its values are of."""

    def compute(self, scene: Scene) -> tuple[dict[str, FeatureValue], list[Fault]]:
        """Return the value of every feature, and what failed.

        It never raises: a feature that fails has its default.
        """
        values: dict[str, FeatureValue] = {}
        faults: list[Fault] = []
        for feature, compute in self._steps:
            try:
                values[feature.name] = compute(scene)
            except Exception as error:  # noqa: BLE001 - whatever it is, the policy says what it does
                _fail(feature, error, values, faults)
        for group in self._groups:
            try:
                group.compute(scene, values)
            except Exception as error:  # noqa: BLE001 - likewise, for all that is read of the series
                for feature, _ in group.wanted:
                    _fail(feature, error, values, faults)
        return values, faults


def _fail(
    feature: Feature, error: Exception, values: dict[str, FeatureValue], faults: list[Fault]
) -> None:
    values[feature.name] = feature.default
    text = f"{type(error).__name__}: {error}"[:TEXT_MAX]
    faults.append(Fault(feature.name, text, FAILURES[feature.on_failure]))


def _number_of(feature: Feature) -> int:
    return feature.number


FAILURES: Final = {
    OnFailure.DEFAULT: ALLOW,
    OnFailure.STEP_UP: Outcome(OutcomeKind.STEP_UP, 2),
    OnFailure.DECLINE: Outcome(OutcomeKind.DECLINE),
}
"""What a failure asks for, by its policy."""
