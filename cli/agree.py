"""`wherefore agree`: how far raters agree, on any table of ratings, with or without a study around it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study import layout
from . import _common

if TYPE_CHECKING:
    from ..analysis.agreement.reading.files import Source
    from ..analysis.agreement.records import DimensionSummary, Summary


def _named(values: tuple[str, ...]) -> dict[str, str]:
    """`dimension=x` by dimension; a bare `x` under the empty name."""
    return {(k if e else ""): (v if e else k) for k, e, v in (x.partition("=") for x in values)}


@click.command()
@click.argument("ratings", type=click.Path(path_type=Path))
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Where run folders are, if RATINGS is a study file.")  # fmt: skip
@click.option("--column", multiple=True, metavar="ROLE=NAME",
              help="Which column of a CSV is item, rater, value, dimension, cluster, group or order.")  # fmt: skip
@click.option("--missing", multiple=True, metavar="TEXT",
              help="What stands for a rating that was not given, such as NA; an empty cell does.")  # fmt: skip
@click.option("--level", multiple=True, metavar="[DIMENSION=]LEVEL",
              help="nominal, ordinal, interval or ratio; guessed, and said so, where not given.")  # fmt: skip
@click.option("--categories", multiple=True, metavar="[DIMENSION=]A,B,...",
              help="All that raters could give, lowest first, used or not.")  # fmt: skip
@click.option("--statistic", multiple=True, metavar="NAME", help="Beside those that suit the scale.")
@click.option(
    "--weights", help="For --statistic: identity, linear, quadratic, ...; the level's own if not given."
)
@click.option("--raters", type=click.Choice(["fixed", "random"]), default="fixed", show_default=True,
              help="Are the intervals about these raters, or about raters like these?")  # fmt: skip
@click.option("--compare", multiple=True, type=click.Choice(["dimensions", "groups"]),
              help="Paired differences of alpha, Holm-adjusted.")  # fmt: skip
@click.option(
    "--judge", metavar="RATER", help="Does this rater agree with the others as they do with each other?"
)
@click.option("--margin", type=float, help="How much worse still counts as no worse.")
@click.option(
    "--half-width", type=float, help="Plan: items for an interval of +- this, RATINGS being the pilot."
)
@click.option("--minutes", type=float, help="A rater takes for an item, for the hours of the plan.")
@click.option(
    "--items", type=int, default=10, show_default=True, help="How many of the most disputed to list."
)
@click.option("--confidence", type=float, default=0.95, show_default=True)
@click.option("--replicates", type=int, help="Bootstrap draws; 10,000, and more where items are few.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--figure", type=click.Path(path_type=Path), help="Draw into this .svg, .png or .pdf, data beside it."
)
@_common.as_json
def command(
    ratings: Path,
    runs: Path,
    column: tuple[str, ...],
    missing: tuple[str, ...],
    figure: Path | None,
    json_out: bool,
    **asked: Any,
) -> None:
    """How far raters agree: coefficients with intervals, raters, disputed items, and a methods paragraph.

    RATINGS is a CSV with a row for each rating (columns item, rater, value; dimension, cluster, group, order if
    there are some), a Label Studio export (JSON), a ratings.jsonl, a run folder, or a study file.
    """
    from pydantic import ValidationError

    from ..analysis.agreement.summary import Wanted, summarise
    from ..study.errors import StudyError
    from ..study.records import first_fault

    asked["levels"] = _named(asked.pop("level"))
    asked["categories"] = {
        k: tuple(c.strip() for c in v.split(",")) for k, v in _named(asked["categories"]).items()
    }
    asked["statistics"] = asked.pop("statistic")
    try:
        wanted = Wanted.model_validate(asked)
    except ValidationError as e:
        raise StudyError(f"--{first_fault(e, Wanted)}") from e
    summary = summarise(ratings.name, _source(ratings, runs, _named(column), missing), wanted)
    if figure is not None:
        from ..analysis.agreement.figure import write

        write(figure, summary)
    text = "\n".join(_lines(summary))
    if figure is not None:
        text += f"\nfigure: {figure} and {figure.with_suffix('.csv').name}"
    _common.say(text, summary.model_dump(mode="json"), json_out)


def _source(path: Path, runs: Path, columns: dict[str, str], missing: tuple[str, ...]) -> "Source":
    from ..analysis.agreement.reading.files import of_study, read

    if path.suffix != ".toml":
        return read(path, columns, missing)
    from ..annotate.rounds import people
    from ..annotate.run import resolve
    from ..study.records import read_jsonl
    from ..synth.records import Rationale

    study = _common.opened(path)
    folder, settings = runs / study.name, resolve(study)
    if settings.raters in ("simulated", "none") or (layout.VERDICTS.at(folder)).exists():
        return read(folder)
    state = people(study, settings, folder)  # what is in so far; ratings.jsonl may be older
    rationales = list(read_jsonl(layout.RATIONALES.at(folder), Rationale))
    return of_study(state.ratings(), state.plan.rubric, state.plan.tasks, rationales)


def _lines(s: "Summary") -> Iterator[str]:
    for d in s.dimensions:
        yield from _dimension(d)
        yield ""
    if s.differences:
        yield "Differences (same draws, p adjusted after Holm)"
        names = [f"{x.dimension + ': ' if x.dimension else ''}{x.a} - {x.b}" for x in s.differences]
        width = max(map(len, names))
        for x, name in zip(s.differences, names, strict=True):
            value = "none" if x.difference is None else f"{x.difference:+.3f} [{_span(x.low, x.high)}]"
            p = "" if x.p_adjusted is None else f"  p {x.p_adjusted:.4f}"
            held = (
                ""
                if x.non_inferior is None
                else f"  {'not worse' if x.non_inferior else 'not shown'} by {x.margin:g}"
            )
            yield f"  {name:<{width}} {value}{p}{held}" + (f"  ({x.why_missing})" if x.why_missing else "")
        yield ""
    yield from (f"{name}: not measured: {why}" for name, why in s.skipped.items())
    if s.note:
        yield s.note
    yield "Methods"
    yield f"  {s.methods}"


def _dimension(d: "DimensionSummary") -> Iterator[str]:
    scale = f"{d.level}{' (assumed)' if d.assumed else ''}, {', '.join(d.categories[:8])}"
    yield f"{d.name}: {scale}{', ...' if len(d.categories) > 8 else ''}"
    yield (
        f"  {d.n_ratings:,} ratings of {d.n_items:,} items by {d.n_raters} raters; {d.n_missing:,} not given, "
        f"{d.n_lone:,} items with one rating; {d.independent:,} independent {d.unit}s"
    )
    for row in d.agreement:
        name = row.statistic + (
            f" ({row.weights})" if row.weights not in ("", "identity", "within_one") else ""
        )
        if row.value is None:
            yield f"  {name:<34} none    {row.why_missing}"
            continue
        span = f"[{_span(row.low, row.high)}]" if row.low is not None else f"no interval: {row.why_missing}"
        yield f"  {name:<34} {row.value:6.3f}  {span}" + (f"  {row.note}" if row.note else "")
    yield f"  {'rater':<20} {'n':>6} {'own':>7} {'effect':>7} {'without':>8} {'change':>7} {'drift':>7}"
    for r in d.raters:
        cells = (r.own, r.effect, r.without, r.change, r.drift)
        yield (
            f"  {r.rater[:20]:<20} {r.n:>6} "
            + " ".join(f"{_number(v):>{w}}" for v, w in zip(cells, (7, 7, 8, 7, 7), strict=True))
            + (f"  {r.why_missing}" if r.why_missing else "")
        )
    for c in d.categories_used:
        if len(d.categories_used) <= 12:
            yield (
                f"  category {c.category:<12} {c.share:6.1%} of ratings, {c.least:.1%} to {c.most:.1%} by rater, "
                f"specific agreement {_number(c.specific)}"
            )
    if d.items:
        yield "  most disputed: " + "; ".join(
            f"{i.item} ({', '.join(i.ratings.values())})" for i in d.items if i.disagreement > 0
        )
    if d.plan:
        hours = "" if d.plan.hours is None else f", {d.plan.hours:,.1f} hours in all"
        yield f"  plan: {d.plan.items:,} items for +-{d.plan.half_width:g} with these {d.plan.raters} raters{hours}"
    for note in d.notes:
        yield f"  note: {note}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f}, {high:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
