"""Lines of `wherefore agree` about one dimension: coefficients, tests, limits, reference, repeats, models, scales."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...analysis.agreement.raters.records import LimitsRow, RaterTest, ReferenceRow
    from ...analysis.agreement.records import (
        BenchmarkRow,
        DimensionSummary,
        HierarchicalModel,
        InstrumentSummary,
    )
    from ...analysis.records import Agreement

SHOWN = 10
"""Pairs of raters whose tests and limits are printed; JSON has all."""

TESTS = {
    "mcnemar": "same share of each category (McNemar)",
    "stuart_maxwell": "same shares of the categories (Stuart-Maxwell)",
    "bowker": "symmetric disagreements (Bowker)",
}


def coefficient(row: "Agreement") -> str:
    """A coefficient with its interval, or why it has none."""
    name = row.statistic + (f" ({row.weights})" if row.weights not in ("", "identity", "within_one") else "")
    if row.value is None:
        return f"  {name:<34} none    {row.why_missing}"
    limits = f"[{span(row.low, row.high)}]"
    if row.low is None and row.high is None:
        limits = f"no interval: {row.why_missing}"
    elif row.why_missing:
        limits += f" {row.why_missing.partition('; ')[2] or row.why_missing}"
    return f"  {name:<34} {row.value:6.3f}  {limits}" + (f"  {row.note}" if row.note else "")


def benchmark(b: "BenchmarkRow") -> str:
    """The word that a coefficient reaches."""
    name = f"{b.statistic}{f' ({b.weights})' if b.weights not in ('', 'identity') else ''}"
    if b.word is None:
        return f"  {name} in words ({b.scale}): none: {b.why_missing}"
    alone = "" if b.own_word == b.word else f"; the value alone would say {b.own_word}"
    return f"  {name} in words ({b.scale}): {b.word} or better with probability {b.probability:.3f}{alone}"


def repeats(d: "DimensionSummary") -> Iterator[str]:
    """Each rater's agreement with himself or herself."""
    for r in d.repeats:
        if r.why_missing:
            yield f"  {r.rater} again: {r.why_missing}"
            continue
        each = "; ".join(
            f"{row.statistic} {number(row.value)}"
            + (f" [{span(row.low, row.high)}]" if row.low is not None or row.high is not None else "")
            for row in r.agreement
        )
        yield f"  {r.rater} again: {r.n:,} items read up to {r.readings} times: {each}"


def reference(d: "DimensionSummary") -> Iterator[str]:
    """Each rater against the reference standard."""
    for r in d.reference:
        yield f"  {r.rater} against the reference ({r.n:,} ratings): {', '.join(_reference(r))}"
        for c in r.categories:
            yield (
                f"    {c.category}: sensitivity {number(c.sensitivity)} "
                f"[{span(c.sensitivity_low, c.sensitivity_high)}] of {c.n_true:,}, "
                f"specificity {number(c.specificity)} [{span(c.specificity_low, c.specificity_high)}], "
                f"predictive values {number(c.positive_predictive)} and {number(c.negative_predictive)}"
            )
    for s in d.shares:
        yield f"  {s.name}: {number(s.value)} [{span(s.low, s.high)}] of {s.n:,} items that all rated"


def _reference(r: "ReferenceRow") -> Iterator[str]:
    if r.correct is not None:
        yield f"correct {r.correct:.3f} [{span(r.correct_low, r.correct_high)}]"
    if r.kappa is not None:
        weights = "" if r.weights in ("", "identity") else f" ({r.weights})"
        yield f"kappa{weights} {r.kappa:.3f} [{span(r.kappa_low, r.kappa_high)}]"
    elif r.why_missing:
        yield f"no kappa ({r.why_missing})"
    if r.concordance is not None:
        yield f"concordance {r.concordance:.3f}"
    if r.bias is not None:
        yield f"bias {r.bias:+.3f}"


def tests(d: "DimensionSummary") -> Iterator[str]:
    """Tests of two raters, one line a test, the smallest p first; and Kendall's W."""
    for test, says in TESTS.items():
        rows = sorted((t for t in d.tests if t.test == test and t.p is not None), key=_adjusted)
        if rows:
            each = "; ".join(f"{' - '.join(t.raters)} {p_value(t.p_adjusted)}" for t in rows[:SHOWN])
            more = f"; {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            holm = ", adjusted after Holm" if len(rows) > 1 else ""
            yield f"  {says}, p{holm}: {each}{more}"
    for t in d.tests:
        if t.test == "kendall_w" and t.value is not None:
            yield f"  Kendall's W {t.value:.3f}, p {p_value(t.p)} ({t.n:,} items that all {len(t.raters)} rated)"


def _adjusted(t: "RaterTest") -> float:
    return 1.0 if t.p_adjusted is None else t.p_adjusted


def limits(d: "DimensionSummary") -> Iterator[str]:
    """Limits of agreement of the first pairs."""
    yield from map(_limits, d.limits[:SHOWN])
    if len(d.limits) > SHOWN:
        yield f"  limits of agreement: {len(d.limits) - SHOWN} more pairs in --json"


def _limits(r: "LimitsRow") -> str:
    if r.bias is None:
        return f"  limits of agreement {r.a} - {r.b}: none: {r.why_missing}"
    return (
        f"  limits of agreement {r.a} - {r.b}: {measure(r.lower)} to {measure(r.upper)}, bias {measure(r.bias)} "
        f"[{measures((r.bias_low, r.bias_high))}], concordance {number(r.concordance)} ({r.n:,} items)"
    )


def hierarchical(m: "HierarchicalModel") -> Iterator[str]:
    """The logistic model of yes-no ratings."""
    clusters = "" if m.cluster_sd is None else f", between clusters {m.cluster_sd:.3f}"
    yield (
        f"  model of {m.category!r}: SD between items {m.item_sd:.3f}{clusters} (log odds), latent ICC "
        f"{m.latent_icc:.3f}, median odds ratio {m.median_odds_ratio:.2f}, kappa {number(m.kappa)}"
    )
    for r in m.raters[1:]:
        error = "" if r.standard_error is None else f" (SE {r.standard_error:.3f})"
        yield f"    {r.rater} against {m.raters[0].rater}: log odds {r.difference:+.3f}{error}"


def instrument(i: "InstrumentSummary") -> Iterator[str]:
    """A scale of several items."""
    limits_ = (
        f" [{span(i.low, i.high)}]" if i.low is not None or i.high is not None else f" ({i.why_missing})"
    )
    yield (
        f"{i.name}: {len(i.items)} dimensions, Cronbach's alpha {number(i.alpha)}{limits_}; {i.n_forms:,} complete "
        f"forms, {i.n_incomplete:,} incomplete, {i.n_independent:,} independent"
    )
    yield f"  {'dimension':<24} {'mean':>8} {'SD':>8} {'with rest':>10} {'without':>8}"
    for x in i.items:
        yield (
            f"  {x.dimension[:24]:<24} {x.mean:>8.3f} {x.sd:>8.3f} {number(x.rest_correlation):>10} "
            f"{number(x.alpha_without):>8}"
        )


def span(low: float | None, high: float | None) -> str:
    """Both limits; a dash for one that does not exist."""
    return ", ".join("-" if limit is None else f"{limit:.3f}" for limit in (low, high))


def number(value: float | None) -> str:
    """Three digits after the point; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def measure(value: float | None) -> str:
    """A number in the scale's own units, four digits."""
    return "-" if value is None else f"{value:.4g}"


def measures(values: Sequence[float | None]) -> str:
    """Several of them."""
    return ", ".join(map(measure, values))


def p_value(p: float | None) -> str:
    """Three digits, or that it is smaller."""
    return "-" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"
