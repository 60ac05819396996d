"""What a read-out is to the target it reads: its own format, another one, or hindsight. The entries say so
themselves."""

from collections.abc import Iterable, Mapping

from ...train.reading import readouts as reading
from ...train.targets import TARGETS

BASELINE = "baseline"
"""The read-out of what needs no language model."""
OUTSIDE = "outside"
"""The read-out of predictions made elsewhere."""

YARDSTICKS = (BASELINE, OUTSIDE)
"""What is no fit of the grid."""


class Formats:
    """How the arms of a study may be read."""

    def __init__(self, target_of: Mapping[str, str]) -> None:
        self.target_of = target_of
        """The target of each arm."""

    def native(self, arm: str, readouts: Iterable[str]) -> str | None:
        """The first of these read-outs that is the arm's own format; None where none is."""
        target = TARGETS[self.target_of[arm]]
        entries = ((r, reading.known(r)) for r in readouts)
        return next((r for r, entry in entries if entry is not None and entry.is_native(target)), None)

    def reasons_first(self, arm: str) -> bool:
        """Whether an arm is taught to write its reasons before its label."""
        return TARGETS[self.target_of[arm]].reasons_first

    @staticmethod
    def hindsight(readout: str) -> bool:
        """Whether a read-out is given what someone wrote who knew the outcome."""
        entry = reading.known(readout)
        return entry is not None and entry.hindsight


def label(readout: str) -> str:
    """A read-out as it reads in a sentence.

    >>> label("own_rationale"), label("outside")
    ('after its own rationale', 'made elsewhere')
    """
    return reading.label(readout) or {BASELINE: "without text", OUTSIDE: "made elsewhere"}.get(
        readout, readout.replace("_", " ")
    )
