"""Whether a fit gives the same risks however it is run: adapter beside the base, merged into it, or served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...study.errors import WhereforeError
from ..records import Parity

Ids = Sequence[int]


class ParityError(WhereforeError, RuntimeError):
    """Two ways to run the same fit give different risks."""


class ProbabilitySource(Protocol):
    """What gives probabilities of the classes behind texts."""

    def probabilities(self, rows: Sequence[Ids]) -> npt.NDArray[np.float64]:
        """(rows, classes)"""


@dataclass(frozen=True)
class ParityGate:
    """Compares ways to run a fit with the first of them.

    Args:
        bound: largest difference of a risk that is let through.
    """

    bound: float

    def compare(self, risks: Mapping[str, npt.NDArray[np.float64]]) -> list[Parity]:
        """The largest difference of each way from the first.

        Args:
            risks: (rows, classes) by the name of the way; at least one.
        Raises:
            ParityError: a difference above the bound.

        >>> ParityGate(0.01).compare({"in process": np.array([[0.4, 0.6]]), "merged": np.array([[0.403, 0.597]])})
        [Parity(way='merged', reference='in process', cases=1, largest=0.003)]
        """
        (reference, first), *others = risks.items()
        out = []
        for way, values in others:
            gap = float(np.abs(values - first).max())
            if not gap <= self.bound:  # a risk that is no number is not let through either
                raise ParityError(
                    f"train.parity: the {way} fit differs from the one {reference} by {gap:.4f} in a risk, of "
                    f"{len(first)} cases compared; {self.bound:g} is allowed. Read in process, or find what differs "
                    "(precision, template, tokens, or another adapter under that name)."
                )
            out.append(Parity(way=way, reference=reference, cases=len(first), largest=round(gap, 7)))
        return out
