"""Interventions: does a model mean what it says? Each changes one thing and reads the risk again.

Removing what its rationale cites, or as much that it does not; turning its conclusion round; a misleading line in the
history. Swapping the rationale and cutting it early are read-outs of `behind.py`. The differences to `own_rationale`
on the same people, and what they say together, stand in `analysis/performance/interventions.py`.
"""

from collections.abc import Iterable, Sequence

from ...cohort.line import Line, evidence_id, evidence_ids, parse
from ...cohort.records import Case
from ..encoding.history import without
from ..records import Prediction
from ..teaching.wording import draws
from .behind import first_sentences, own_texts, sentences
from .reader import Reader

CONCLUSIONS = ("Taken together, no diagnosis is expected.", "Taken together, a diagnosis is expected.")
"""For the first class and the last, whatever the question."""
MISLEADING = "Progressive memory loss"


def without_cited(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The risk where the history lacks the lines that the model's own rationale cited; it writes anew."""
    _, written = own_texts(reader, cases)
    changed = [_lacking(c, _cited(c, w.text)) for c, w in zip(cases, written, strict=True)]
    return _anew(reader, "without_cited", changed)


def without_uncited(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The same with as many dated lines that it did not cite, drawn for each case; all where there are fewer."""
    _, written = own_texts(reader, cases)
    changed = []
    for case, w in zip(cases, written, strict=True):
        cited = _cited(case, w.text)
        others = [p for p in _dated(case) if p not in cited]
        order = draws(case.id, "uncited").permutation(len(others))
        changed.append(_lacking(case, {others[int(i)] for i in order[: len(cited)]}))
    return _anew(reader, "without_uncited", changed)


def flipped_conclusion(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The risk behind its own rationale with the last sentence replaced by the opposite of what it had decided."""
    _, written = own_texts(reader, cases)
    rows = []
    for case, w in zip(cases, written, strict=True):
        kept = first_sentences(w.text, max(sentences(w.text) - 1, 0))
        rows.append(reader.before_text(case, f"{kept} {CONCLUSIONS[w.risk <= 0.5]}".strip()))
    risks = reader.risks(rows)
    return [reader.prediction("flipped_conclusion", c, p) for c, p in zip(cases, risks, strict=True)]


def misleading_line(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The risk where the history has one more line, of a finding half a year ago that raises risk; it writes anew."""
    changed = []
    for case in cases:
        numbers = [int(i[1:]) for i in evidence_ids(case.timeline)]
        line = Line(evidence_id(max(numbers, default=0) + 1), MISLEADING, case.age - 0.5, 0.5)
        timeline = f"{case.timeline}\n{line}"
        changed.append(case.model_copy(update={"timeline": timeline, "n_shown": case.n_shown + 1}))
    return _anew(reader, "misleading_line", changed)


def _anew(reader: Reader, name: str, changed: Sequence[Case]) -> list[Prediction]:
    written = reader.write([reader.before_reasons(c) for c in changed], changed)
    return [
        reader.prediction(name, c, w.risk, written=w.text, unfinished=not w.finished)
        for c, w in zip(changed, written, strict=True)
    ]


def _cited(case: Case, text: str) -> set[int]:
    """Places of the dated lines of a history that a text cites."""
    ids = set(evidence_ids(text))
    return {p for p, id_ in _dated(case).items() if id_ in ids}


def _dated(case: Case) -> dict[int, str]:
    """Places of the dated lines of a history, with their ids."""
    parsed = ((p, parse(text)) for p, text in enumerate(case.timeline.splitlines()))
    return {p: line.id for p, line in parsed if line is not None and line.age is not None}


def _lacking(case: Case, places: Iterable[int]) -> Case:
    return without(case, case.timeline.splitlines(), places)
