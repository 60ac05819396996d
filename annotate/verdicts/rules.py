"""From ratings to a verdict about each rationale, by a declared rule. The ratings stay as they are."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from ..records import Dimension, Note, Rating, Rubric, Verdict
from ..settings import Criterion, Rule
from .dawid_skene import posterior

Outcome = Literal["pass", "fail", "tie"]
Likely = dict[tuple[str, str, int | None], dict[str, float]]
"""Probability of each category, by dimension, item and claim."""


def criteria(rule: Rule, rubric: Rubric) -> tuple[Criterion, ...]:
    """Those declared, or the rubric's own: the decision by majority, a veto on the worst harm."""
    if rule.criteria:
        return rule.criteria
    decision = rubric.dimension("accept") or next(
        (d for d in reversed(rubric.dimensions) if d.good and not d.per_claim and d.name != "harm"), None
    )
    out = []
    if decision is not None:
        passes = decision.good + (rubric.edit_when.any_of if rubric.edit_when else ())
        out.append(
            Criterion(
                dimension=decision.name,
                rule="majority" if decision.level == "nominal" else "median",
                passes=passes,
            )
        )
    if (harm := rubric.dimension("harm")) is not None and harm.good:
        worst = harm.categories[-1] if harm.categories[0] in harm.good else harm.categories[0]
        out.append(
            Criterion(dimension="harm", rule="veto", passes=tuple(c for c in harm.categories if c != worst))
        )
    return tuple(out)


def in_words(wanted: Iterable[Criterion], at_least: int) -> str:
    """The rule as it can stand in a methods section."""
    parts = [f"{c.rule} of {c.dimension} in {{{', '.join(c.passes)}}}" for c in wanted]
    return f"{' and '.join(parts)}; at least {at_least} raters"


def verdicts(
    ratings: Iterable[Rating], rationales: Iterable[tuple[str, str]], rubric: Rubric, rule: Rule,
    notes: Iterable[Note] = (),
) -> list[Verdict]:  # fmt: skip
    """One verdict for each (rationale, case), in the order given.

    Args:
        ratings: of the main round and of adjudication; planted controls left out.
        rationales: all that were to be graded, also those that nobody has graded yet.
        rubric: what was asked.
        rule: when a rationale is accepted.
        notes: from which the corrected text is taken where a rationale is accepted with an edit.
    """
    by: dict[str, list[Rating]] = defaultdict(list)
    for r in ratings:
        by[r.rationale].append(r)
    edits: dict[str, list[Note]] = defaultdict(list)
    for n in notes:
        if n.kind == "edited":
            edits[n.rationale].append(n)
    wanted = criteria(rule, rubric)
    likely = _likely([r for rs in by.values() for r in rs if r.round == "main"], wanted, rubric)
    return [_one(r, case, by[r], edits[r], rubric, wanted, rule.at_least, likely) for r, case in rationales]


def _one(
    rationale: str, case: str, ratings: Sequence[Rating], edits: Sequence[Note], rubric: Rubric,
    wanted: Sequence[Criterion], at_least: int, likely: Likely,
) -> Verdict:  # fmt: skip
    main = [r for r in ratings if r.round == "main"]
    final = [r for r in ratings if r.round == "adjudication"]
    raters = {r.rater for r in main}
    state: Literal["accepted", "rejected", "needs_more_ratings", "needs_adjudication"]
    outcomes = [(c, _outcome(c, main, rubric, likely)) for c in wanted]
    if len(raters) < at_least:
        state, why = "needs_more_ratings", f"{len(raters)} of {at_least} raters"
    else:
        state, why = _state(outcomes)
    adjudicator = None
    if state == "needs_adjudication" and final:
        adjudicator = final[0].rater
        state, why = _state([(c, _outcome(c, final, rubric, None)) for c in wanted])
        why = f"adjudicated: {why}"
    chosen = _edits(state, edits)
    if len({e.text for e in chosen}) > 1:
        state, why, chosen = "needs_adjudication", "the raters' corrections differ", []
    edit = chosen[0] if chosen else None
    return Verdict(
        rationale=rationale,
        case=case,
        state=state,
        rule=in_words(wanted, at_least),
        n_raters=len(raters),
        consensus={d.name: c for d in rubric.dimensions if (c := _consensus(d, main)) is not None},
        why=why,
        adjudicator=adjudicator,
        edited=edit.text if edit else None,
        edited_by=edit.rater if edit else None,
    )


def _state(
    outcomes: Sequence[tuple[Criterion, Outcome]],
) -> tuple[Literal["accepted", "rejected", "needs_adjudication"], str]:
    failed = [c.dimension for c, o in outcomes if o == "fail"]
    tied = [c.dimension for c, o in outcomes if o == "tie"]
    if failed:
        return "rejected", f"does not pass: {', '.join(failed)}"
    if tied:
        return "needs_adjudication", f"no consensus: {', '.join(tied)}"
    return "accepted", "passes every criterion"


def _outcome(c: Criterion, ratings: Sequence[Rating], rubric: Rubric, likely: Likely | None) -> Outcome:
    """A criterion asked of claims holds where it holds for every claim. An adjudicator's word is a majority."""
    d = rubric.dimension(c.dimension)
    assert d is not None  # resolve() looked it up
    claims: dict[tuple[str, int | None], list[str]] = defaultdict(list)
    for r in ratings:
        if r.dimension == c.dimension:
            claims[r.item, r.claim].append(r.value)
    if c.rule == "dawid_skene" and likely is not None:
        found = [_probable(likely[c.dimension, *key], c.passes) for key in claims]
    else:
        found = [RULES.get(c.rule, _majority)(values, c.passes, d) for values in claims.values()]
    if "fail" in found:
        return "fail"
    return "tie" if "tie" in found or not found else "pass"


def _likely(main: Sequence[Rating], wanted: Sequence[Criterion], rubric: Rubric) -> Likely:
    """Dawid and Skene's probabilities for the dimensions that are judged by them."""
    out: Likely = {}
    for c in wanted:
        if c.rule != "dawid_skene":
            continue
        d = rubric.dimension(c.dimension)
        assert d is not None  # resolve() looked it up
        marks: dict[tuple[str, int | None], dict[str, str]] = defaultdict(dict)
        for r in main:
            if r.dimension == c.dimension:
                marks[r.item, r.claim][r.rater] = r.value
        found = posterior(list(marks.values()), d.categories)
        out |= {(c.dimension, *key): p for key, p in zip(marks, found, strict=True)}
    return out


def _probable(p: Mapping[str, float], passes: Sequence[str]) -> Outcome:
    """Passes where the passing categories together are more probable than not."""
    passing = sum(p[c] for c in passes)
    return "tie" if abs(passing - 0.5) < 1e-9 else "pass" if passing > 0.5 else "fail"


def _majority(values: Sequence[str], passes: Sequence[str], d: Dimension) -> Outcome:
    twice = 2 * sum(v in passes for v in values)
    return "pass" if twice > len(values) else "fail" if twice < len(values) else "tie"


def _unanimous(values: Sequence[str], passes: Sequence[str], d: Dimension) -> Outcome:
    n = sum(v in passes for v in values)
    return "pass" if n == len(values) else "fail" if n == 0 else "tie"


def _veto(values: Sequence[str], passes: Sequence[str], d: Dimension) -> Outcome:
    return "pass" if all(v in passes for v in values) else "fail"


def _median(values: Sequence[str], passes: Sequence[str], d: Dimension) -> Outcome:
    low, high = _medians(values, d)
    if (low in passes) != (high in passes):
        return "tie"
    return "pass" if low in passes else "fail"


def _medians(values: Sequence[str], d: Dimension) -> tuple[str, str]:
    """The lower and the upper median; the same where the count is odd."""
    places = sorted(d.categories.index(v) for v in values)
    n = len(places)
    return d.categories[places[(n - 1) // 2]], d.categories[places[n // 2]]


def _consensus(d: Dimension, ratings: Sequence[Rating]) -> str | None:
    """Median of an ordinal scale, majority of a nominal one; None where there is neither."""
    values = [r.value for r in ratings if r.dimension == d.name and r.claim is None]
    if not values or d.per_claim:
        return None
    if d.level != "nominal":
        low, high = _medians(values, d)
        return low if low == high else None
    (top, n), *_ = Counter(values).most_common(1)
    return top if 2 * n > len(values) else None


def _edits(state: str, edits: Sequence[Note]) -> list[Note]:
    """The corrections that an accepted rationale is to be taught with: the adjudicator's, else the raters'."""
    if state != "accepted":
        return []
    return [e for e in edits if e.round == "adjudication"] or [e for e in edits if e.round == "main"]


RULES: Mapping[str, Callable[[Sequence[str], Sequence[str], Dimension], Outcome]] = {
    "majority": _majority,
    "unanimous": _unanimous,
    "median": _median,
    "veto": _veto,
}
