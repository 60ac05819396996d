"""Windows of a task laid over moments: which triggers become predictions, when, and with which label."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .stream import Ints, Stream
from .task import TRIGGER, Point, Task, Window

NOWHERE = np.iinfo(np.int64).min
"""The time of a point that a person's record does not have."""


class Found(NamedTuple):
    """Predictions, in the order of person and trigger."""

    person: Ints
    time: Ints
    """Microseconds since 1970."""
    label: NDArray[np.bool_]


def found(task: Task, stream: Stream) -> Found:
    """The triggers around which every window is there and has what it must.

    A window ends at the next event of a kind, or starts at the last one; where there is none, the trigger is no
    prediction. (ACES 0.7.3 gives a row without a time where such a window is the only branch of the task.)
    """
    triggers = np.flatnonzero(stream.count[task.trigger] > 0)
    laid = _Laid(task, stream, triggers)
    keep = np.ones(len(triggers), dtype=bool)
    for name, window in task.windows.items():
        keep &= (laid.at(name, "start") != NOWHERE) & (laid.at(name, "end") != NOWHERE)
        for predicate, (low, high) in window.has.items():
            n = laid.count(name, predicate)
            keep &= (n >= low if low is not None else True) & (n <= high if high is not None else True)
    label = laid.count(*task.label) > 0
    return Found(stream.person[triggers][keep], laid.at(*task.predicted)[keep], label[keep])


class _Laid:
    """The windows around each trigger."""

    def __init__(self, task: Task, stream: Stream, triggers: Ints) -> None:
        self._task, self._stream = task, stream
        self._person = stream.person[triggers]
        self._at: dict[tuple[str, str], Ints] = {(TRIGGER, ""): stream.time[triggers]}

    def at(self, window: str, side: str) -> Ints:
        """(triggers,) the time of a point, or `NOWHERE`."""
        if (window, side) not in self._at:
            of = self._task.windows[window]
            point = of.start if side == "start" else of.end
            # the end that is bound to something outside is no part of a window yet, so neither side is in it
            inner = (side == "start") == of.from_end
            left, right = (of.start_inclusive, of.end_inclusive) if inner else (False, False)
            self._at[window, side] = self._point(point, left, right)
        return self._at[window, side]

    def _point(self, point: Point, left: bool, right: bool) -> Ints:
        base = self.at(*point.of)
        there = base != NOWHERE
        if point.event is None:
            return np.where(there, base + point.step, NOWHERE)
        some = np.flatnonzero(self._stream.count[point.event] > 0)
        person, time = self._stream.person[some], self._stream.time[some]
        if point.back:
            place = _before(person, time, self._person, base, left) - 1
        else:
            place = _before(person, time, self._person, base, not right)
        hit = np.clip(place, 0, max(len(some) - 1, 0))
        if not len(some):
            return np.full(len(base), NOWHERE)
        there = there & (place >= 0) & (place < len(some)) & (person[hit] == self._person)
        return np.where(there, time[hit], NOWHERE)

    def count(self, name: str, predicate: str) -> Ints:
        """(triggers,) what a predicate counts in a window; nothing where the window is not there."""
        window: Window = self._task.windows[name]
        start, end = self.at(name, "start"), self.at(name, "end")
        s = self._stream
        total = np.append(0, np.cumsum(s.count[predicate]))
        first = _before(s.person, s.time, self._person, start, not window.start_inclusive)
        last = _before(s.person, s.time, self._person, end, window.end_inclusive)
        there = (start != NOWHERE) & (end != NOWHERE)
        return np.where(there, np.maximum(total[last] - total[first], 0), 0)


def _before(person: Ints, time: Ints, whose: Ints, when: Ints, with_equal: bool) -> Ints:
    """(queries,) how many moments come before a person's time (`with_equal`: or at it), other people's included.

    Args:
        person: (moments,) sorted.
        time: (moments,) sorted within a person.
        whose: (queries,)
        when: (queries,)
        with_equal: whether a moment at the very time counts.
    """
    n, asked = len(person), len(whose)
    turn = np.repeat(np.array([0, 1 if with_equal else -1], dtype=np.int8), (n, asked))
    order = np.lexsort((turn, np.concatenate([time, when]), np.concatenate([person, whose])))
    is_query = order >= n
    out = np.empty(asked, dtype=np.int64)
    out[order[is_query] - n] = np.cumsum(~is_query)[is_query]
    return out
