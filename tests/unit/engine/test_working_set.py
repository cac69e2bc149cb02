"""The working set: a refused command leaves no trace, whatever it did before."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from longmen_server.engine.batch import write_statements
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_RECORD, RowFamily, Statement
from longmen_server.engine.journal import Event
from longmen_server.engine.working_set import WorkingSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class _Rows(RowFamily[int, list[int]]):
    def __init__(self, name: str, stage: int, rank: int) -> None:
        self.name, self.stage, self.rank = name, stage, rank

    def copy(self, row: list[int]) -> list[int]:
        return list(row)

    def write(
        self, book: int, inserted: Sequence[list[int]], changed: Sequence[list[int]]
    ) -> Iterable[Statement]:
        yield Statement(self.name.encode(), (inserted, changed))


FIRST = _Rows("first", STAGE_ACCOUNT, 1)
SECOND = _Rows("second", STAGE_RECORD, 2)
LOADED = range(4)

families = st.sampled_from((FIRST, SECOND))
actions = st.one_of(
    st.tuples(st.just("edit"), families, st.integers(0, 7), st.integers()),
    st.tuples(st.just("insert"), families, st.integers(4, 7), st.integers()),
    st.tuples(st.just("append"), families, st.integers(), st.integers()),
    st.tuples(st.just("emit"), families, st.integers(), st.integers()),
    st.tuples(st.just("stamp"), families, st.integers(), st.integers()),
)
histories = st.lists(actions, max_size=12)


def loaded() -> WorkingSet:
    working_set = WorkingSet(1, 1000)
    for family in (FIRST, SECOND):
        for key in LOADED:
            working_set.table(family).rows[key] = [key, 0]
    working_set.begin_stamps(0)
    return working_set


def act(working_set: WorkingSet, action: tuple[str, _Rows, int, int]) -> None:
    """One step of a command, as far as it makes sense."""
    verb, family, key, value = action
    present = working_set.get(family, key)
    if verb == "edit" and present is not None:
        working_set.edit(family, key)[1] = value
    elif verb == "insert":
        # Over an earlier row as well: who is refused later may have tried to.
        working_set.insert(family, key, [key, value])
    elif verb == "append":
        working_set.append(family, [key, value])
    elif verb == "emit":
        working_set.emit(Event(1, bytes(16), 0, value, None, b""))
    elif verb == "stamp":
        working_set.next_stamp()


def picture(working_set: WorkingSet) -> Any:
    """All there is to see, apart from the rows themselves."""
    return deepcopy(
        (
            {
                family.name: (table.rows, table.changed, table.inserted, table.appended)
                for family, table in working_set.tables.items()
            },
            working_set.events,
            working_set.has_changes,
        )
    )


@given(before=histories, undone=histories, after=histories)
def test_a_rollback_restores_exactly_what_was(
    before: list[Any], undone: list[Any], after: list[Any]
) -> None:
    working_set, twin = loaded(), loaded()
    for action in before:
        act(working_set, action)
        act(twin, action)
    then = picture(working_set)
    mark = working_set.mark()
    for action in undone:
        act(working_set, action)
    working_set.rollback(mark)
    assert picture(working_set) == then
    # And it goes on as if nothing had happened.
    for action in after:
        act(working_set, action)
        act(twin, action)
    assert picture(working_set) == picture(twin)
    assert write_statements(working_set) == write_statements(twin)


@given(chain=st.lists(histories, max_size=4), kept=histories)
def test_marks_within_marks_are_undone_from_the_inside(chain: list[Any], kept: list[Any]) -> None:
    working_set = loaded()
    for action in kept:
        act(working_set, action)
    pictures, marks = [], []
    for history in chain:
        pictures.append(picture(working_set))
        marks.append(working_set.mark())
        for action in history:
            act(working_set, action)
    for mark, then in zip(reversed(marks), reversed(pictures), strict=True):
        working_set.rollback(mark)
        assert picture(working_set) == then


@given(histories)
def test_stamps_never_come_twice_whatever_is_undone(history: list[Any]) -> None:
    working_set = loaded()
    seen = [working_set.next_stamp()]
    for action in history:
        mark = working_set.mark()
        act(working_set, action)
        working_set.rollback(mark)
        seen.append(working_set.next_stamp())
        assert working_set.last_stamp == seen[-1]
    assert seen == sorted(set(seen))


def test_stamps_begin_after_the_clock_and_after_all_that_was_loaded() -> None:
    early, late = WorkingSet(1, 1000), WorkingSet(1, 1000)
    early.begin_stamps(5)
    late.begin_stamps(5000)
    assert (early.next_stamp(), late.next_stamp()) == (1000, 5001)
    assert early.last_stamp == 1000


def test_a_loaded_row_is_never_changed_itself() -> None:
    working_set = loaded()
    row = working_set.get(FIRST, 1)
    working_set.edit(FIRST, 1)[1] = 99
    assert row == [1, 0]
    assert working_set.get(FIRST, 1) == [1, 99]


def test_what_an_earlier_command_did_later_ones_see() -> None:
    working_set = loaded()
    working_set.insert(FIRST, 7, [7, 1])
    working_set.edit(FIRST, 7)[1] += 1
    assert working_set.get(FIRST, 7) == [7, 2]
    (statement,) = write_statements(working_set)
    assert statement.parameters == ([[7, 2]], [])


def test_statements_come_in_the_order_of_ranks() -> None:
    working_set = loaded()
    working_set.edit(SECOND, 1)
    working_set.edit(FIRST, 1)
    assert [statement.sql for statement in write_statements(working_set)] == [b"first", b"second"]


def test_nothing_done_is_nothing_to_write() -> None:
    working_set = loaded()
    seen = [working_set.has_changes]
    mark = working_set.mark()
    working_set.edit(FIRST, 1)
    seen.append(working_set.has_changes)
    working_set.rollback(mark)
    seen.append(working_set.has_changes)
    assert seen == [False, True, False]
    assert write_statements(working_set) == []
