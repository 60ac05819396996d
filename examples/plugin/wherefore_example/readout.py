"""A read-out: the risk where the history is taken away. What is left of it does not come from the record."""

from collections.abc import Sequence

from wherefore.cohort.records import Case
from wherefore.train.reading.readouts import Reader, Readout
from wherefore.train.records import Prediction


def without_history(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label at once, behind an empty timeline with the same age."""
    bare = [c.model_copy(update={"timeline": ""}) for c in cases]
    risks = reader.risks([reader.before_label(c, None) for c in bare])
    return [
        Prediction(cell=reader.cell, readout="without_history", case=c.id, risk=p)
        for c, p in zip(cases, risks, strict=True)
    ]


WITHOUT_HISTORY = Readout(without_history, "with the history taken away")
