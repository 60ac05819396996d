"""What `wherefore agree` prints: how the file was read, each dimension, comparisons, the methods paragraph."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import parts
from .parts import number, span

if TYPE_CHECKING:
    from ...analysis.agreement.reading.source import FileReading
    from ...analysis.agreement.records import DimensionSummary, Summary


def lines(s: "Summary") -> Iterator[str]:
    """The whole text, line by line."""
    yield from _reading(s.reading)
    yield ""
    for d in s.dimensions:
        yield from _dimension(d)
        yield ""
    for i in s.instruments:
        yield from parts.instrument(i)
        yield ""
    if s.differences:
        yield from _differences(s)
        yield ""
    yield from (f"{name}: not measured: {why}" for name, why in s.skipped.items())
    yield "Methods"
    yield f"  {s.methods}"


def _reading(r: "FileReading") -> Iterator[str]:
    yield f"{r.source}: {r.format}; {r.shape}"
    taken = [f"{role}: {column or 'the first column'}" for role, column in r.columns.items()]
    if taken:
        yield f"  {'; '.join(taken)}"
    if r.unused:
        yield f"  not used: {'; '.join(f'{name} ({why})' for name, why in list(r.unused.items())[:12])}" + (
            f"; and {len(r.unused) - 12} more" if len(r.unused) > 12 else ""
        )
    yield from (f"  note: {n}" for n in r.notes)


def _differences(s: "Summary") -> Iterator[str]:
    yield "Differences (same draws, p adjusted after Holm)"
    names = [f"{x.dimension + ': ' if x.dimension else ''}{x.a} - {x.b}" for x in s.differences]
    width = max(map(len, names))
    for x, name in zip(s.differences, names, strict=True):
        value = "none" if x.difference is None else f"{x.difference:+.3f} [{span(x.low, x.high)}]"
        p = "" if x.p_adjusted is None else f"  p {x.p_adjusted:.4f}"
        held = ""
        if x.non_inferior is not None:
            held = f"  {'not worse' if x.non_inferior else 'not shown'} by {x.margin:g}"
        yield f"  {name:<{width}} {value}{p}{held}" + (f"  ({x.why_missing})" if x.why_missing else "")


def _dimension(d: "DimensionSummary") -> Iterator[str]:
    scale = f"{d.level}{' (assumed)' if d.assumed else ''}, {', '.join(d.categories[:8])}"
    yield f"{d.name}: {scale}{', ...' if len(d.categories) > 8 else ''}"
    yield (
        f"  {d.n_ratings:,} ratings of {d.n_items:,} items by {d.n_raters} raters; {d.n_missing:,} not given, "
        f"{d.n_lone:,} items with one rating; {d.independent:,} independent {d.unit}s"
    )
    yield from map(parts.coefficient, (*d.agreement, *d.mixed))
    yield from map(parts.benchmark, d.benchmarks)
    yield from _raters(d)
    yield from parts.repeats(d)
    yield from parts.reference(d)
    if len(d.categories_used) <= 12:
        for c in d.categories_used:
            yield (
                f"  category {c.category:<12} {c.share:6.1%} of ratings, {c.least:.1%} to {c.most:.1%} by rater, "
                f"specific agreement {number(c.specific)}, kappa {number(c.kappa)}"
            )
    yield from parts.tests(d)
    yield from parts.limits(d)
    if d.hierarchical:
        yield from parts.hierarchical(d.hierarchical)
    disputed = [f"{i.item} ({', '.join(i.ratings.values())})" for i in d.items if i.disagreement > 0]
    if disputed:
        yield "  most disputed: " + "; ".join(disputed)
    if d.plan:
        hours = "" if d.plan.hours is None else f", {d.plan.hours:,.1f} hours in all"
        yield f"  plan: {d.plan.items:,} items for +-{d.plan.half_width:g} with these {d.plan.raters} raters{hours}"
    yield from (f"  note: {note}" for note in d.notes)


def _raters(d: "DimensionSummary") -> Iterator[str]:
    if not d.raters:
        return
    yield f"  {'rater':<20} {'n':>6} {'own':>7} {'effect':>7} {'without':>8} {'change':>7} {'drift':>7}"
    for r in d.raters:
        cells = (r.own, r.effect, r.without, r.change, r.drift)
        yield (
            f"  {r.rater[:20]:<20} {r.n:>6} "
            + " ".join(f"{number(v):>{w}}" for v, w in zip(cells, (7, 7, 8, 7, 7), strict=True))
            + (f"  {r.why_missing}" if r.why_missing else "")
        )
