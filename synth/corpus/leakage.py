"""What a corpus gives away: how well the outcome can be read from the rationales, and how telling their evidence is.

A teacher that was told the outcome words its rationale accordingly. A student cannot do so at test time: the gap
between reading the outcome from the rationale and from the history is what it cannot close (hindsight leakage).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...study.records import Record
from ..grounding.lexicon import finding_of
from ..records import Rationale
from ..teaching import History

MOST = 20_000
"""Rationales that the classifier reads; a larger corpus is sampled."""


class Readability(Record):
    """Area under the ROC curve of a plain text classifier for the outcome, cross-validated by person."""

    text: str
    """`rationale`, `rationale without its last claim`, `rationale, outcome told`, `rationale, outcome hidden`, or
    `history`."""
    style: str
    roc_auc: float | None
    n: int
    n_positive: int
    why_missing: str | None = None


def readability(
    what: str, style: str, texts: Sequence[str], labels: Sequence[int], people: Sequence[str], folds: int = 5
) -> Readability:
    """How well the outcome can be read from texts.

    A logistic regression on hashed words and pairs of words, fitted without the person whose text it reads.

    Args:
        what: the kind of text, for the card.
        style: of the rationales.
        texts: (n,), one a rationale.
        labels: (n,), 0 or 1.
        people: (n,), who they are about; a person is never on both sides of a split.
        folds: of the cross-validation.
    """
    positive = int(sum(labels))
    few = min(len({p for p, y in zip(people, labels, strict=True) if y == k}) for k in (0, 1))
    if few < folds:
        why = f"{few} people in the smaller class, {folds} are needed"
        return Readability(
            text=what, style=style, roc_auc=None, n=len(texts), n_positive=positive, why_missing=why
        )
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    y = np.asarray(labels)
    score = np.zeros(len(y))
    words = HashingVectorizer(n_features=2**16, ngram_range=(1, 2), alternate_sign=False).transform(texts)
    fold = _folds(labels, people, folds)
    for held_out in range(folds):
        read = fold == held_out
        model = LogisticRegression(C=10.0, solver="liblinear").fit(words[~read], y[~read])
        score[read] = model.decision_function(words[read])
    auc = round(float(roc_auc_score(y, score)), 4)
    return Readability(text=what, style=style, roc_auc=auc, n=len(y), n_positive=positive)


def _folds(labels: Sequence[int], people: Sequence[str], folds: int) -> NDArray[np.int64]:
    """(n,) fold of every text: dealt by person within each class, in an order that is the same on every machine."""
    dealt: dict[str, int] = {}
    for label in (0, 1):
        members = {p for p, y in zip(people, labels, strict=True) if y == label} - dealt.keys()
        for i, person in enumerate(sorted(members, key=lambda p: crc32(p.encode()))):
            dealt[person] = i % folds
    return np.array([dealt[p] for p in people])


def without_conclusion(rationale: Rationale) -> str:
    """The text without its last claim, where the verdict is usually said outright."""
    kept = rationale.claims[:-1] or rationale.claims
    return rationale.model_copy(update={"claims": kept}).text


class OddsRatio(Record):
    """How much more often a finding stands in the histories of cases than of controls of the same age and sex."""

    finding: str
    odds_ratio: float | None
    """Mantel-Haenszel, over strata of sex and five years of age; 1: no difference. None: 0 or infinite."""
    people: int
    """With the finding, cases and controls together."""
    cited: int
    """Claims that cite it."""


@dataclass(slots=True)
class FourfoldTable:
    """Counts of one stratum: with and without the finding, among cases and controls."""

    case_with: int = 0
    case_without: int = 0
    control_with: int = 0
    control_without: int = 0


def mantel_haenszel(tables: Iterable[FourfoldTable]) -> float | None:
    """Common odds ratio of 2 x 2 tables (Mantel and Haenszel 1959); None where it is 0/0 or infinite.

    >>> strata = [FourfoldTable(10, 20, 5, 40), FourfoldTable(8, 8, 4, 16)]
    >>> mantel_haenszel(strata)     # (10*40/75 + 8*16/36) / (20*5/75 + 8*4/36)
    4.0
    """
    above = below = 0.0
    for t in tables:
        n = t.case_with + t.case_without + t.control_with + t.control_without
        above += t.case_with * t.control_without / n
        below += t.case_without * t.control_with / n
    return round(above / below, 4) if above and below else None


class LeakageCounts:
    """Collects who has which finding and what rationales cite, then gives odds ratios."""

    def __init__(self) -> None:
        self._strata: Counter[tuple[str | None, int, int]] = Counter()
        self._with: dict[str, Counter[tuple[str | None, int, int]]] = defaultdict(Counter)
        self._cited: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()

    def add_case(self, history: History) -> None:
        """Count the findings of a case."""
        case = history.case
        if case.label is None:
            return
        stratum = (case.sex, int(case.age // 5), case.label)
        self._strata[stratum] += 1
        for finding in {self._name(e.name, e.code) for e in history.evidence if e.shown}:
            self._with[finding][stratum] += 1
            self._shown[finding] += 1

    def add_rationale(self, rationale: Rationale, history: History) -> None:
        """Count what a rationale cites."""
        lines = {e.id: e for e in history.evidence}
        for claim in rationale.claims:
            for e in (lines[i] for i in claim.cites if i in lines):
                self._cited[self._name(e.name, e.code)] += 1

    @staticmethod
    def _name(name: str, code: str) -> str:
        return finding_of(name, code) or name

    def odds_ratios(self) -> list[OddsRatio]:
        """One row a finding, the most cited first."""
        return [
            OddsRatio(
                finding=f, odds_ratio=self._ratio(f), people=sum(self._with[f].values()), cited=self._cited[f]
            )
            for f in sorted(self._with, key=lambda f: (-self._cited[f], f))
        ]

    def _ratio(self, finding: str) -> float | None:
        tables: dict[tuple[str | None, int], FourfoldTable] = defaultdict(FourfoldTable)
        for (sex, age, label), n in self._strata.items():
            has = self._with[finding][sex, age, label]
            table = tables[sex, age]
            if label:
                table.case_with, table.case_without = has, n - has
            else:
                table.control_with, table.control_without = has, n - has
        return mantel_haenszel(tables.values())

    def summary(self) -> dict[str, float | None]:
        """Mean absolute log odds ratio of what was cited, and of what could have been; and the share that is idle."""
        rows = [r for r in self.odds_ratios() if r.odds_ratio]
        logs = np.array([abs(np.log(r.odds_ratio or 1)) for r in rows])
        cited = np.array([r.cited for r in rows], dtype=float)
        shown = np.array([self._shown[r.finding] for r in rows], dtype=float)
        idle = np.array([0.8 <= (r.odds_ratio or 1) <= 1.25 for r in rows], dtype=float)
        return {
            "cited_mean_abs_log_odds_ratio": _mean(logs, cited),
            "shown_mean_abs_log_odds_ratio": _mean(logs, shown),
            "cited_share_between_0.8_and_1.25": _mean(idle, cited),
        }


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float | None:
    return round(float(values @ weights / weights.sum()), 4) if weights.sum() > 0 else None
