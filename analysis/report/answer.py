"""What the numbers say, in sentences. Nothing is said that a row of a table does not carry."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ...study.grid import Cell
from ..cells import arm
from ..measures.inference import FEWEST_SEEDS
from ..measures.metrics import METRICS
from ..performance.contrasts import OWN_FORMAT, WITHIN, family
from ..performance.formats import BASELINE, Formats, label
from ..records import Average, Comparison
from ..words import number, span, words

Finding = Literal["lower", "higher", "unclear"]
QUESTION = family(OWN_FORMAT, "roc_auc")
"""The family that the first sentence rests on."""


class StudyAnswer(NamedTuple):
    """The study's finding: one sentence to remember, and what stands behind it."""

    finding: Literal["hurt", "helped", "mixed", "unclear", "none"]
    about: Literal["recipes", "fits", "nothing"]
    headline: str
    support: tuple[str, ...]


class TargetEffect(NamedTuple):
    """One reasons-first target in its own format against the reference."""

    row: Comparison
    finding: Finding


def finding(row: Comparison) -> Finding:
    """Lower or higher only where the whole adjusted interval is on one side of zero."""
    if row.low_adjusted is None or row.high_adjusted is None:
        return "unclear"
    return "lower" if row.high_adjusted < 0 else "higher" if row.low_adjusted > 0 else "unclear"


def verdict(row: Comparison) -> Literal["better", "worse", "unclear"]:
    """Whether `a` is better, whichever value of the metric is the good one."""
    if finding(row) == "unclear" or row.a_value is None or row.b_value is None:
        return "unclear"
    return "better" if METRICS[row.metric].nearer(row.a_value, row.b_value) else "worse"


def effects(comparisons: Iterable[Comparison], formats: Formats) -> list[TargetEffect]:
    """Each target that writes reasons before its label, read in its own format, against the reference (ROC-AUC)."""
    rows = [c for c in comparisons if c.family == QUESTION and c.difference is not None]
    return [TargetEffect(c, finding(c)) for c in rows if formats.reasons_first(c.a)]


def answer(
    comparisons: Sequence[Comparison],
    averages: Sequence[Average],
    grid: Sequence[Cell],
    optima: Collection[str] = (),
) -> StudyAnswer:
    """Does teaching why hurt here?

    The first sentence follows the adjusted intervals. It speaks about recipes where every comparison behind it has
    three seeds or more, and about the fits that were made where one has fewer. `optima` names baselines whose risk is
    the true one.
    """
    tested = effects(comparisons, Formats({arm(c): c.target for c in grid}))
    if not tested:
        why = (
            "no reasons-first target was compared with the reference"
            if grid
            else "it has no grid, so nothing was trained"
        )
        return StudyAnswer("none", "nothing", f"This study cannot answer the question: {why}.", ())
    auc = {
        (a.target, a.readout): a
        for a in averages
        if a.metric == "roc_auc" and a.population == tested[0].row.population
    }
    overall = _overall({e.finding for e in tested})
    about: Literal["recipes", "fits"] = "fits" if any(e.row.about == "fits" for e in tested) else "recipes"
    rivals = [c for c in comparisons if c.family == QUESTION and c.difference is not None]
    others = [TargetEffect(c, finding(c)) for c in rivals if c not in [e.row for e in tested]]
    support = [_sentence(e) for e in [*tested, *others]]
    support += [*_leakage(comparisons), *_yardsticks(tested[0].row, auc, optima)]
    return StudyAnswer(overall, about, _headline(overall, about, tested), tuple(support))


def _overall(kinds: set[Finding]) -> Literal["hurt", "helped", "mixed", "unclear"]:
    if kinds == {"lower"}:
        return "hurt"
    if kinds == {"higher"}:
        return "helped"
    return "unclear" if kinds == {"unclear"} else "mixed"


def _headline(overall: str, about: str, tested: Sequence[TargetEffect]) -> str:
    seeds = min(e.row.seeds for e in tested)
    verdict = _mixed(tested) if overall == "mixed" else _VERDICTS[overall]
    if overall == "unclear":
        verdict = f"{verdict} {_possible(tested)}"
    if about == "recipes":
        return f"{verdict} The intervals include people and {seeds} training runs each."
    runs = "one training run" if seeds == 1 else f"{seeds} training runs"
    return (
        f"In these fits: {verdict[0].lower()}{verdict[1:]} With {runs} of each recipe this is about the fits, not "
        f"about the recipes: another seed may give another answer. A verdict needs {FEWEST_SEEDS} seeds."
    )


_VERDICTS = {
    "hurt": (
        "Teaching reasons before the label hurt: these models rank people worse than models taught the label alone."
    ),
    "helped": (
        "Teaching reasons before the label helped: these models rank people better than models taught the label "
        "alone."
    ),
    "unclear": "No difference was established between teaching reasons first and teaching the label alone.",
}


def _possible(tested: Sequence[TargetEffect]) -> str:
    """What the intervals leave open, in ROC-AUC."""
    lows = [e.row.low_adjusted for e in tested if e.row.low_adjusted is not None]
    highs = [e.row.high_adjusted for e in tested if e.row.high_adjusted is not None]
    if not lows or not highs:
        return "No interval shows what remains possible."
    loss, gain = max(-min(lows), 0.0), max(max(highs), 0.0)
    return f"A loss of up to {number(loss)} and a gain of up to {number(gain)} in ROC-AUC remain possible."


def _mixed(tested: Sequence[TargetEffect]) -> str:
    """Targets differ: each is named with what happened to it, those of one fate together."""
    effect_of: dict[Finding, str] = {
        "lower": "hurt",
        "higher": "helped",
        "unclear": "made no difference that could be established",
    }
    groups = {f: [_named(e.row.a) for e in tested if e.finding == f] for f in effect_of}
    parts = [f"{_listed(names)} {effect_of[f]}" for f, names in groups.items() if names]
    return f"Against the label alone it depends on the target: {'; '.join(parts)}."


def _named(target: str) -> str:
    """A target whose settings stand in brackets, so that a list of them can be read.

    >>> _named("free_rationale, group_mean, weight 0.9")
    'free rationale (group mean, weight 0.9)'
    """
    name, _, settings = words(target).partition(", ")
    return f"{name} ({settings})" if settings else name


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]


def _sentence(effect: TargetEffect) -> str:
    row = effect.row
    gap = f"a difference of {number(row.difference)} (adjusted interval {span(row.low_adjusted, row.high_adjusted)})"
    notes = [
        ""
        if row.pairs == row.pairs_expected == 1
        else f"mean of {row.pairs} of {row.pairs_expected} matched pairs",
        "" if row.seed_sd is None else f"standard deviation between {row.seeds} seeds {number(row.seed_sd)}",
        "zero is inside" if effect.finding == "unclear" else "",
    ]
    values = f"ROC-AUC {number(row.a_value)} against {number(row.b_value)} for {words(row.b)}"
    result = f"{words(row.a).capitalize()}, read {label(row.a_readout)}: {values}, {gap}"
    return "; ".join([result, *(note for note in notes if note)]) + "."


def _yardsticks(
    row: Comparison, auc: Mapping[tuple[str, str], Average], optima: Collection[str]
) -> list[str]:
    """What the reference itself is worth, and what could be had: without that, a small gap says little."""
    reference = auc[row.b, row.b_readout]
    out = []
    if reference.low is not None and reference.low <= 0.5:
        limits = span(reference.low, reference.high)
        out.append(
            f"{words(row.b).capitalize()} itself cannot be told from guessing ({limits}), so a comparison with "
            "it can show little."
        )
    baselines = {t: a.value for (t, r), a in auc.items() if r == BASELINE and a.value is not None}
    simple = {t: v for t, v in baselines.items() if t not in optima}
    if simple:
        best = max(simple, key=lambda t: simple[t])
        out.append(f"For scale: {words(best)}, without any language model, reaches {number(simple[best])}.")
    out += [
        f"The true risk reaches {number(v)}: no model ranks better."
        for t, v in baselines.items()
        if t in optima
    ]
    return out


def _leakage(comparisons: Iterable[Comparison]) -> list[str]:
    out = []
    for c in comparisons:
        if (
            c.family != family(WITHIN, "roc_auc")
            or not Formats.hindsight(c.a_readout)
            or c.difference is None
        ):
            continue
        meaning = (
            "what the teacher wrote gives the outcome away"
            if finding(c) == "higher"
            else f"the adjusted interval of the difference is {span(c.low_adjusted, c.high_adjusted)}"
        )
        out.append(
            f"Read {label(c.a_readout)} instead of {label(c.b_readout)}, the {words(c.a)} model reaches "
            f"{number(c.a_value)} instead of {number(c.b_value)}: {meaning}."
        )
    return out
