"""From ratings to a verdict about each rationale, by a declared rule. The ratings stay as they are."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ..records import Dimension, Note, Rating, Rubric, Verdict
from ..settings import Criterion, Rule
from .consensus import by_unit, medians
from .dawid_skene import posterior

Outcome = Literal["pass", "fail", "tie"]
State = Literal["accepted", "rejected", "needs_more_ratings", "needs_adjudication"]


class Decided(NamedTuple):
    """What becomes of a rationale."""

    state: State
    why: str
    edit: Note | None = None
    """The correction that is taught in its place."""


Likely = dict[tuple[str, str, int | None], dict[str, float]]
"""Probability of each category, by dimension, item and claim."""


def decision(rubric: Rubric) -> Dimension | None:
    """The question whose answer is a verdict by itself; None where the rubric asks none."""
    d = rubric.dimension("accept")
    if d is None and rubric.edit_when is not None:
        d = rubric.dimension(rubric.edit_when.dimension)
    return d if d is not None and d.level == "nominal" and d.good and not d.per_claim else None


def criteria(rule: Rule, rubric: Rubric) -> tuple[Criterion, ...]:
    """Those declared, or the rubric's own: the decision by majority, a veto on the worst harm."""
    if rule.criteria:
        return rule.criteria
    whole = [d for d in reversed(rubric.dimensions) if d.good and not d.per_claim and d.name != "harm"]
    d = decision(rubric) or next(iter(whole), None)
    out = []
    if d is not None:
        passes = d.good + _edits_of(d, rubric)
        out.append(
            Criterion(
                dimension=d.name,
                rule="majority" if d.level == "nominal" else "median",
                passes=tuple(dict.fromkeys(passes)),
            )
        )
    if (harm := rubric.dimension("harm")) is not None and harm.good:
        worst = harm.categories[-1] if harm.categories[0] in harm.good else harm.categories[0]
        out.append(
            Criterion(dimension="harm", rule="veto", passes=tuple(c for c in harm.categories if c != worst))
        )
    return tuple(out)


def _edits_of(d: Dimension, rubric: Rubric) -> tuple[str, ...]:
    """The answers to `d` that open the box for corrections."""
    when = rubric.edit_when
    return when.any_of if when is not None and when.dimension == d.name else ()


def in_words(wanted: Iterable[Criterion], at_least: int) -> str:
    """The rule as it can stand in a methods section."""
    parts = [f"{c.rule} of {c.dimension} in {{{', '.join(c.passes)}}}" for c in wanted]
    return f"{' and '.join(parts)}; at least {at_least} raters"


def verdicts(
    ratings: Iterable[Rating],
    rationales: Iterable[tuple[str, str]],
    rubric: Rubric,
    rule: Rule,
    notes: Iterable[Note] = (),
) -> list[Verdict]:
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
    rationale: str,
    case: str,
    ratings: Sequence[Rating],
    edits: Sequence[Note],
    rubric: Rubric,
    wanted: Sequence[Criterion],
    at_least: int,
    likely: Likely,
) -> Verdict:
    main = [r for r in ratings if r.round == "main"]
    final = [r for r in ratings if r.round == "adjudication"]
    corrections = [e for e in edits if e.round == ("adjudication" if final else "main")]
    n = len({r.rater for r in main})
    if final:
        decided = _adjudicated(final, corrections, rubric, wanted)
    elif n < at_least:
        decided = Decided("needs_more_ratings", f"{n} of {at_least} raters")
    else:
        decided = _by_raters([(c, _outcome(c, main, rubric, likely)) for c in wanted], corrections)
    return Verdict(
        rationale=rationale,
        case=case,
        state=decided.state,
        rule=in_words(wanted, at_least),
        n_raters=n,
        consensus=_consensus(main, rubric),
        why=decided.why,
        adjudicator=final[0].rater if final else None,
        edited=decided.edit.text if decided.edit else None,
        edited_by=decided.edit.rater if decided.edit else None,
    )


def _consensus(main: Sequence[Rating], rubric: Rubric) -> dict[str, str]:
    """What the raters say together of the whole rationale, in the order of the rubric."""
    values = {name: value for (_, claim, name), (value, _) in by_unit(main, rubric).items() if claim is None}
    return {d.name: values[d.name] for d in rubric.dimensions if d.name in values}


def _by_raters(outcomes: Sequence[tuple[Criterion, Outcome]], corrections: Sequence[Note]) -> Decided:
    decided = _state(outcomes)
    if decided.state != "accepted" or not corrections:
        return decided
    if len({e.text for e in corrections}) > 1:
        return Decided("needs_adjudication", "the raters' corrections differ")
    return decided._replace(edit=corrections[0])


def _adjudicated(
    final: Sequence[Rating], corrections: Sequence[Note], rubric: Rubric, wanted: Sequence[Criterion]
) -> Decided:
    """The adjudicator's word, whatever the raters said, and the adjudicator's text or the teacher's.

    Where the rubric asks for a decision, that answer is the verdict; otherwise the rule is applied to the
    adjudicator's grades.
    """
    outcomes = [(c, _outcome(c, final, rubric, None)) for c in wanted]
    d = decision(rubric)
    value = next((r.value for r in final if d is not None and r.dimension == d.name), None)
    edit = corrections[0] if corrections else None
    if d is None or value is None:
        state, why, _ = _state(outcomes)
        return Decided(state, f"adjudicated: {why}", edit if state == "accepted" else None)
    opens = _edits_of(d, rubric)
    declared = tuple(p for c in wanted if c.dimension == d.name for p in c.passes)
    accepts = value in (*(declared or d.good), *opens)
    despite = [c.dimension for c, o in outcomes if o == "fail" and c.dimension != d.name]
    why = f"adjudicated: {value}" + (f", despite {', '.join(despite)}" if accepts and despite else "")
    return Decided("accepted" if accepts else "rejected", why, edit if value in opens else None)


def _state(outcomes: Sequence[tuple[Criterion, Outcome]]) -> Decided:
    failed = [c.dimension for c, o in outcomes if o == "fail"]
    tied = [c.dimension for c, o in outcomes if o == "tie"]
    if failed:
        return Decided("rejected", f"does not pass: {', '.join(failed)}")
    if tied:
        return Decided("needs_adjudication", f"no consensus: {', '.join(tied)}")
    return Decided("accepted", "passes every criterion")


def _outcome(c: Criterion, ratings: Sequence[Rating], rubric: Rubric, likely: Likely | None) -> Outcome:
    """A criterion asked of claims holds where it holds for every claim. An adjudicator's word is a majority."""
    d = rubric.dimension(c.dimension)
    assert d is not None  # resolve() looked it up
    claims: dict[tuple[str, int | None], list[str]] = defaultdict(list)
    for r in ratings:
        if r.dimension == c.dimension:
            claims[r.item, r.claim].append(r.value)
    if c.rule == "dawid_skene" and likely is not None:
        outcomes = [_probable(likely[c.dimension, *key], c.passes) for key in claims]
    else:
        outcomes = [RULES.get(c.rule, _majority)(values, c.passes, d) for values in claims.values()]
    if "fail" in outcomes:
        return "fail"
    return "tie" if "tie" in outcomes or not outcomes else "pass"


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
        probabilities = posterior(list(marks.values()), d.categories)
        out |= {(c.dimension, *key): p for key, p in zip(marks, probabilities, strict=True)}
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
    low, high = medians(values, d)
    if (low in passes) != (high in passes):
        return "tie"
    return "pass" if low in passes else "fail"


RULES: Mapping[str, Callable[[Sequence[str], Sequence[str], Dimension], Outcome]] = {
    "majority": _majority,
    "unanimous": _unanimous,
    "median": _median,
    "veto": _veto,
}
