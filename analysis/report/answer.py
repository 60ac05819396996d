"""What the numbers say, in sentences. Nothing is said that a row of a table does not carry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ..performance.compare import BASELINE, HINDSIGHT
from ..performance.metrics import LOWER_IS_BETTER
from ..performance.scores import SOURCE_SCALE
from ..records import Average, Comparison
from ..words import number, span, words

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


def finding(row: Comparison) -> Finding:
    """Lower or higher only where the whole interval is on one side of zero."""
    if row.low is None or row.high is None:
        return "unclear"
    return "lower" if row.high < 0 else "higher" if row.low > 0 else "unclear"


def verdict(row: Comparison) -> str:
    """`better`, `worse` or `unclear`, whichever end of the metric is the good one."""
    if row.metric in LOWER_IS_BETTER:
        return {"lower": "better", "higher": "worse"}.get(finding(row), "unclear")
    return {"lower": "worse", "higher": "better"}.get(finding(row), "unclear")


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
        return Answer("none", f"That is not answered here: {why}.", ())
    overall = _overall({e.finding for e in found})
    head = _mixed(found) if overall == "mixed" else _HEADLINES[overall]
    first = {e.target for e in found}
    others = [
        Effect(c.a, c.a_readout, c, finding(c))
        for c in comparisons
        if c.family == "targets: roc_auc" and c.a not in first and c.difference is not None
    ]
    support = [_sentence(e, auc) for e in [*found, *others]]
    support += [*_leakage(comparisons, auc), *_yardsticks(found[0].row, auc)]
    if all(e.row.seed_sd is None for e in found):
        support.append("Every configuration was trained with one seed: another may give another answer.")
    return Answer(overall, head, tuple(support))


def _overall(kinds: set[Finding]) -> Literal["appears", "reversed", "mixed", "unclear"]:
    if kinds == {"lower"}:
        return "appears"
    if kinds == {"higher"}:
        return "reversed"
    return "unclear" if kinds == {"unclear"} else "mixed"


_HEADLINES = {
    "appears": (
        "Here it hurt: models taught to reason before they answer ranked people worse than models taught "
        "the label alone. The effect of arXiv 2606.10279 appears at this size."
    ),
    "reversed": (
        "Here it helped: models taught to reason before they answer ranked people better than models taught "
        "the label alone."
    ),
    "unclear": (
        "Here no difference was established: the interval of every comparison includes zero. At this size the "
        "paper's effect neither appears nor is ruled out."
    ),
}


def _mixed(found: Sequence[Effect]) -> str:
    """Targets differ: each is named with what happened to it."""
    said = {"lower": "hurt", "higher": "helped", "unclear": "made no difference that could be established"}
    parts = [f"{words(e.target)} {said[e.finding]}" for e in found]
    return f"Here it depends on the target: {', '.join(parts[:-1])} and {parts[-1]}, against the label alone."


def _sentence(effect: Effect, auc: Mapping[tuple[str, str], Average]) -> str:
    row = effect.row
    mine, other = auc[effect.target, effect.readout], auc[row.b, row.b_readout]
    single = row.pairs == row.pairs_expected == 1
    notes = [
        "" if single else f"mean of {row.pairs} of {row.pairs_expected} matched pairs",
        "" if row.seed_sd is None else f"standard deviation between seeds {number(row.seed_sd)}",
        "not told from zero" if effect.finding == "unclear" else "",
    ]
    read = _READ.get(effect.readout, words(effect.readout))
    values = f"ROC-AUC {number(mine.value)} against {number(other.value)} for {words(row.b)}"
    gap = f"a difference of {number(row.difference)} ({span(row.low, row.high)})"
    said = f"{words(effect.target).capitalize()}, read {read}: {values}, {gap}"
    return "; ".join([said, *(note for note in notes if note)]) + "."


_READ = {"direct": "directly", "own_rationale": "after its own rationale"}


def _yardsticks(row: Comparison, auc: Mapping[tuple[str, str], Average]) -> list[str]:
    """What the reference itself is worth, and what could be had: without that, a small gap says little."""
    reference = auc[row.b, row.b_readout]
    out = []
    if reference.low is not None and reference.low <= 0.5:
        limits = span(reference.low, reference.high)
        itself = f"{words(row.b).capitalize()} itself is not told from guessing here ({limits})"
        out.append(f"{itself}: a comparison with it can show little.")
    simple = {t: a.value for (t, r), a in auc.items() if r == BASELINE and t not in SOURCE_SCALE and a.value}
    if simple:
        best = max(simple, key=lambda t: simple[t])
        optimum = next((a.value for (t, _), a in auc.items() if t in SOURCE_SCALE), None)
        ceiling = (
            "" if optimum is None else f", and the true risk of the simulator ranks at {number(optimum)}"
        )
        out.append(
            f"For scale: {words(best)} without any language model reaches {number(simple[best])}{ceiling}."
        )
    return out


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
