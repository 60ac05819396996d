"""Sentences of the methods paragraph on reference, tests, limits, repeated readings, benchmarks, models, scales."""

from collections.abc import Iterator

from .records import Summary

TESTS = {
    "mcnemar": "McNemar's test",
    "stuart_maxwell": "the Stuart-Maxwell test of equal margins",
    "bowker": "Bowker's test of symmetry",
    "kendall_w": "Kendall's W",
}

BENCHMARKS = {
    "landis_koch": "Landis & Koch (1977)",
    "fleiss": "Fleiss (1981)",
    "altman": "Altman (1991)",
    "cicchetti": "Cicchetti (1994)",
}


def sentences(s: Summary) -> Iterator[str]:
    """One sentence for each analysis that was made; nothing for the others."""
    dimensions = s.dimensions
    if any(d.reference for d in dimensions):
        yield (
            f"Each rater was compared with the reference standard ({s.reference or 'of the file'}): Wilson's "
            "intervals, with the design effect of clusters; Cohen's kappa."
        )
    tests = [
        name for name in TESTS if any(t.test == name and t.p is not None for d in dimensions for t in d.tests)
    ]
    if tests:
        yield (
            f"Raters' use of the categories was compared by {_and([TESTS[t] for t in tests])}"
            f"{'; p of the pairs adjusted after Holm' if set(tests) - {'kendall_w'} else ''}."
        )
    if any(row.bias is not None for d in dimensions for row in d.limits):
        yield "Limits of agreement of two raters after Bland & Altman (1999); concordance after Lin (1989)."
    if any(row.agreement for d in dimensions for row in d.repeats):
        yield "Agreement within raters is that of each rater's own readings of the same items."
    if any(d.mixed for d in dimensions):
        yield (
            "Intraclass correlations of the mixed model: items and raters crossed and random, restricted maximum "
            "likelihood (statsmodels), limits by the delta method."
        )
    if any(d.hierarchical for d in dimensions):
        yield (
            "The hierarchical model of yes-no ratings is a logistic regression with random items (and clusters) and "
            "fixed raters, fitted by Laplace's approximation (gpboost)."
        )
    for i in s.instruments:
        yield (
            f"Internal consistency of {i.name} ({len(i.items)} dimensions, {i.n_forms:,} complete forms) is "
            f"Cronbach's alpha (1951){f'; interval: {i.method}, n = {i.n_independent:,}' if i.method else ''}."
        )
    scales = list(dict.fromkeys(b.scale for d in dimensions for b in d.benchmarks))
    for scale in scales:
        yield (
            f"Words are those of {BENCHMARKS.get(scale, scale)}, the highest that a coefficient reaches with 95% "
            "probability (Gwet 2014, ch. 6)."
        )


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
