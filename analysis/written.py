"""What the models wrote themselves: how long, whether what they cite was shown to them, and whether it is so."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from ..cohort.line import EVIDENCE_ID, evidence_ids
from ..study.config import Study
from ..study.records import read_table
from ..synth.answers.prose import claims_in
from ..synth.grounding.checks import HistoryFacts, check
from ..synth.histories import histories
from ..synth.plan import tables
from ..synth.records import Claim
from ..synth.settings import Settings as SynthSettings
from ..train.records import Prediction
from .cells import CellState, arm
from .records import Written

if TYPE_CHECKING:
    import pandas as pd

_ID = re.compile(rf"\b{EVIDENCE_ID}\b")


def shown_ids(evidence: "pd.DataFrame") -> dict[str, frozenset[str]]:
    """The evidence that each case shows, from an `Evidence` table."""
    shown = evidence[evidence["shown"]]
    return {str(case): frozenset(ids) for case, ids in shown.groupby("case")["id"]}


CHECKED = 100
"""Held-out cases whose texts are checked sentence by sentence: enough for a share to within ten points."""


class Claims:
    """The grounding check of what models write about the first held-out cases; a sentence is checked once."""

    def __init__(self, study: Study, cohort: Path) -> None:
        self._study, self._cohort = study, cohort
        self._verdicts: dict[tuple[str, Claim], str] = {}

    @cached_property
    def _facts(self) -> dict[str, HistoryFacts]:
        """By case; read when a model has written something."""
        own = tables(self._study, self._study.section("synth", SynthSettings))
        some = islice(histories(self._cohort, ("held_out",)), CHECKED)
        return {h.case.id: HistoryFacts(h, own) for h in some}

    def __contains__(self, case: str) -> bool:
        return case in self._facts

    def count(self, texts: Iterable[tuple[str, str]]) -> Counter[str]:
        """Sentences by verdict, over texts with the case that they are about."""
        return Counter(self._verdict(case, claim) for case, text in texts for claim in claims_in(text))

    def _verdict(self, case: str, claim: Claim) -> str:
        if (case, claim) not in self._verdicts:
            self._verdicts[case, claim] = check(0, claim, self._facts[case]).verdict
        return self._verdicts[case, claim]


def written(
    cells: Iterable[CellState], shown: Mapping[str, frozenset[str]], claims: Claims
) -> Iterator[Written]:
    """One row a finished cell and a read-out that writes, over the held-out cases."""
    for state in cells:
        if state.state != "done":
            continue
        table = read_table(state.predictions, Prediction, ("readout", "case", "written", "unfinished"))
        for readout, rows in table[table["written"].notna()].groupby("readout", sort=False):
            texts = list(zip(rows["case"], rows["written"], strict=True))
            cites = [(evidence_ids(text), shown.get(case, frozenset())) for case, text in texts]
            some = [(case, text) for case, text in texts if case in claims]
            verdicts = claims.count(some)
            yield Written(
                cell=state.cell.id,
                target=arm(state.cell),
                readout=str(readout),
                texts=len(texts),
                words=float(median(len(text.split()) for _, text in texts)),
                citations=sum(len(ids) for ids, _ in cites),
                existing=sum(i in there for ids, there in cites for i in ids),
                uncited=sum(not ids for ids, _ in cites),
                loops=sum(loops(text) for _, text in texts),
                unfinished=int(rows["unfinished"].sum()),
                checked=len(some),
                supported=verdicts["supported"],
                faulty=verdicts["fault"],
                undecided=verdicts["undecided"],
            )


RUN, MOST = 3, 0.5
"""A text loops when more than this share of its runs of so many words has been seen in it before."""


def loops(text: str) -> bool:
    """Whether a text mostly repeats itself.

    >>> loops("Risk is high. " * 8), loops("Stroke at 61, hypertension since 55, and hearing loss: the risk is high.")
    (True, False)
    """
    words = text.lower().split()
    runs = [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]
    return len(runs) >= 2 * RUN and 1 - len(set(runs)) / len(runs) > MOST


class Piece(NamedTuple):
    """A stretch of text, or a citation and whether the model was shown what it cites."""

    text: str
    exists: bool | None = None
    """None: no citation."""


def pieces(text: str, there: frozenset[str]) -> list[Piece]:
    """A text cut at its citations.

    >>> pieces("Stroke [E007].", frozenset({"E007"}))
    [Piece(text='Stroke [', exists=None), Piece(text='E007', exists=True), Piece(text='].', exists=None)]
    """
    out, end = [], 0
    for match in _ID.finditer(text):
        out += [Piece(text[end : match.start()]), Piece(match.group(), match.group() in there)]
        end = match.end()
    return [p for p in [*out, Piece(text[end:])] if p.text]


class WrittenSample(NamedTuple):
    """What one model wrote about one person."""

    target: str
    risk: float | None
    pieces: list[Piece]


def samples(
    cells: Iterable[CellState], shown: Mapping[str, frozenset[str]]
) -> tuple[str | None, list[WrittenSample]]:
    """The same held-out case for the first finished cell of every arm that writes; the case comes first."""
    case: str | None = None
    out: dict[str, WrittenSample] = {}
    for state in cells:
        if state.state != "done" or arm(state.cell) in out:
            continue
        table = read_table(state.predictions, Prediction, ("readout", "case", "risk", "written"))
        own = table[(table["readout"] == "own_rationale") & table["written"].fillna("").str.strip().ne("")]
        if case is None and len(own):
            case = str(own["case"].min())
        for text, risk in own.loc[own["case"] == case, ["written", "risk"]].itertuples(index=False):
            known = pieces(text, shown.get(str(case), frozenset()))
            out[arm(state.cell)] = WrittenSample(arm(state.cell), risk if risk == risk else None, known)
    return case, list(out.values())
