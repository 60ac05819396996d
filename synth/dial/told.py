"""What a teacher is told about each case. The positions are the values of `label` in `[synth]`."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...cohort.records import Case
from ...study.errors import DataError
from ...study.seeds import derive
from ..settings import Position
from . import risks

IN_WORDS: dict[Position, str] = {
    "shown": "told to the teacher",
    "hidden": "hidden from the teacher",
    "filtered": "hidden from the teacher, and only right verdicts were kept",
    "probability": "hidden from the teacher, who was told a probability instead",
    "partial": "told to the teacher for some of the cases and hidden for the others",
    "late": "told to the teacher after a first draft without it",
}
"""How a report goes on after "the outcome was"."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What the teacher knows of the outcome of a case before it writes."""

    label: int | None = None
    risk: float | None = None
    """Probability of the outcome that it is told instead."""
    late: bool = False
    """It is told the label after a draft."""


NOTHING = Hint()


class Dial:
    """One position of the dial.

    Args:
        position: the value of `label`.
        share: of the cases whose outcome is told, in [0, 1]; counts for `partial`.
        source: of the probabilities, by its name in `risks.RISKS`; or the probabilities by case.
        cohort: folder of the cohort stage; None where nothing is asked yet.
        seed: of the study.
    """

    def __init__(
        self, position: Position, share: float, source: str | dict[str, float], cohort: Path | None, seed: int
    ) -> None:
        self.position, self.late = position, position == "late"
        self._share, self._source, self._cohort, self._seed = share, source, cohort, seed

    def first(self, case: Case) -> Hint:
        """What the teacher knows when it is first asked.

        Raises:
            DataError: there is no probability for the case.
        """
        if self.position == "shown" or (self.position == "partial" and self._chosen(case.id)):
            return Hint(label=case.label)
        if self.position == "probability":
            return Hint(risk=self._risk(case.id))
        return NOTHING

    def _chosen(self, case: str) -> bool:
        """Whether a case is among those whose outcome is told; a larger share holds those of a smaller one."""
        return derive(self._seed, "synth", "told", case) / 2**63 < self._share

    def _risk(self, case: str) -> float:
        if isinstance(self._risks, float):
            return self._risks
        if case not in self._risks:
            raise DataError(f"synth.risks: no risk for case {case!r}. Add a row for it to the table.")
        return self._risks[case]

    @cached_property
    def _risks(self) -> float | dict[str, float]:
        if isinstance(self._source, dict):
            return self._source
        assert self._cohort is not None
        values: float | dict[str, float] = risks.RISKS[self._source](self._cohort, self._seed)
        return values


def odds(p: float) -> float:
    """Natural logarithm of the odds of a probability, within [-6.9, 6.9].

    >>> round(odds(0.2), 3), round(odds(1.0), 1)
    (-1.386, 6.9)
    """
    p = min(max(p, 0.001), 0.999)
    return float(np.log(p / (1 - p)))
