"""What the numbers say, in sentences. Nothing is said that a row of a table does not carry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from .compare import HINDSIGHT
from .records import Average, Comparison

Finding = Literal["lower", "higher", "unclear"]


class Answer(NamedTuple):
    """The study's finding: one sentence to remember, and what stands behind it."""

    finding: Literal["appears", "reversed", "mixed", "unclear", "none"]
    headline: str
    support: tuple[str, ...]


class Effect(NamedTuple):
    """One target in its own format against the reference."""

    target: str
    readout: str
    row: Comparison
    finding: Finding


def words(name: str) -> str:
    """A name of the study file as it reads in a sentence.

    >>> words("free_rationale")
    'free rationale'
    """
    return name.replace("_", " ")


def number(value: float | None, digits: int = 3) -> str:
    """A number with a true minus sign; a dash where there is none.

    >>> number(-0.1299), number(None)
    ('−0.130', '–')
    """
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def span(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval in words; empty where there is none.

    >>> span(-0.2, 0.1)
    '−0.200 to 0.100'
    """
    return "" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def finding(row: Comparison) -> Finding:
    """Lower or higher only where the whole interval is on one side of zero."""
    if row.low is None or row.high is None:
        return "unclear"
    return "lower" if row.high < 0 else "higher" if row.low > 0 else "unclear"


def effects(comparisons: Iterable[Comparison]) -> list[Effect]:
    """Each target that writes reasons before its label, read in its own format, against the reference (ROC-AUC)."""
    return [
        Effect(c.a, c.a_readout, c, finding(c))
        for c in comparisons
        if c.family == "targets: roc_auc" and c.a_readout == "own_rationale" and c.difference is not None
    ]


def answer(comparisons: Sequence[Comparison], averages: Sequence[Average], *, trained: bool) -> Answer:
    """Does teaching why hurt here?

    The paper's effect: a model that writes its reasons first, read in its own format, ranks worse than one taught
    the label alone.
    """
    found = effects(comparisons)
    auc = {(a.target, a.readout): a for a in averages if a.metric == "roc_auc" and a.population == "sample"}
    if not found:
        why = (
            "no target that writes its reasons first was compared with the reference"
            if trained
            else "the study has no grid, so nothing was trained"
        )
        return Answer("none", f"Whether teaching reasons helps is not answered here: {why}.", ())
    kinds = {e.finding for e in found}
    head = _HEADLINES[_overall(kinds)]
    support = [_sentence(e, auc) for e in found]
    support += _leakage(comparisons, auc)
    return Answer(_overall(kinds), head, tuple(support))


def _overall(kinds: set[Finding]) -> Literal["appears", "reversed", "mixed", "unclear"]:
    if kinds == {"lower"}:
        return "appears"
    if kinds == {"higher"}:
        return "reversed"
    return "unclear" if kinds == {"unclear"} else "mixed"


_HEADLINES = {
    "appears": (
        "Here it hurt: models taught to reason before they answer ranked people worse than models taught "
        "the label alone."
    ),
    "reversed": (
        "Here it helped: models taught to reason before they answer ranked people better than models taught "
        "the label alone."
    ),
    "mixed": (
        "Here the answer differs between targets: not every way of teaching reasons moved the ranking in the "
        "same direction beyond chance."
    ),
    "unclear": (
        "Here no difference was established: the interval of every comparison includes zero. At this size the "
        "paper's effect neither appears nor is ruled out."
    ),
}


def _sentence(effect: Effect, auc: Mapping[tuple[str, str], Average]) -> str:
    row, verb = effect.row, {"lower": "lower", "higher": "higher"}.get(effect.finding)
    gap = (
        f"{number(abs(row.difference or 0))} {verb}"
        if verb
        else f"{number(row.difference)} apart, zero included"
    )
    mine, other = auc[effect.target, effect.readout], auc[row.b, row.b_readout]
    seeds = "" if row.seed_sd is None else f"; standard deviation between seeds {number(row.seed_sd)}"
    pairs = (
        ""
        if row.pairs == row.pairs_expected == 1
        else f", mean of {row.pairs} of {row.pairs_expected} matched pairs"
    )
    return (
        f"{words(effect.target).capitalize()}: ROC-AUC {number(mine.value)} against {number(other.value)} for "
        f"{words(row.b)}, {gap} (95 % interval of the difference {span(row.low, row.high)}{pairs}{seeds})."
    )


def _leakage(comparisons: Iterable[Comparison], auc: Mapping[tuple[str, str], Average]) -> list[str]:
    out = []
    for c in comparisons:
        if c.family == "readouts: roc_auc" and c.a_readout == HINDSIGHT and c.difference is not None:
            given, own = auc[c.a, HINDSIGHT].value, auc[c.b, c.b_readout].value
            gives_away = "what the teacher wrote, knowing the outcome, gives it away"
            close = f"the interval of the difference is {span(c.low, c.high)}"
            out.append(
                f"Given the teacher's rationale instead of its own, the {words(c.a)} model reaches {number(given)} "
                f"instead of {number(own)}: {gives_away if finding(c) == 'higher' else close}."
            )
    return out
