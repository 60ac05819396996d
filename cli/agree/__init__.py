"""`wherefore agree`: how far raters agree, on any table of ratings, with or without a study around it."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...study import layout
from .. import _common

if TYPE_CHECKING:
    from ...analysis.agreement.reading.source import RatingReadSettings, RatingSource

F = TypeVar("F", bound=Callable[..., Any])


def _shape(name: str, says: str) -> Callable[[F], F]:
    return click.option(f"--{name}", "shape", flag_value=name, help=says)


@click.command()
@click.argument("ratings", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder that holds the run folders, if RATINGS is a study file.",
)
@click.option(
    "--column",
    multiple=True,
    metavar="ROLE=NAME",
    help="Which column is item, rater, value, dimension, cluster, group, order, replicate, reference or count. "
    "Repeat value= to measure several columns, item= to join several.",
)
@_shape("long", "One row per rating. Detected if not given, like the other shapes.")
@_shape("wide", "One column per rater.")
@_shape("transposed", "One row per rater, one column per item.")
@_shape("counts", "One row per item, one column per category: how many raters chose it.")
@_shape("contingency", "A cross-table of two raters.")
@click.option(
    "--names", metavar="PATTERN", help="Pattern of the column names, such as '{dimension}_{rater}'."
)
@click.option("--header/--no-header", default=None, help="Whether the first row names the columns.")
@click.option("--delimiter", metavar="CHARACTER", help="Delimiter of a text file.")
@click.option("--encoding", metavar="NAME", help="Encoding of a text file.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook.")
@click.option(
    "--missing",
    multiple=True,
    metavar="TEXT",
    help="Cell that stands for a missing rating, such as NA; an empty cell always does.",
)
@click.option(
    "--label-separator", metavar="TEXT", help="Separator of the labels in a multi-label cell; '' for none."
)
@click.option(
    "--level",
    multiple=True,
    metavar="[DIMENSION=]LEVEL",
    help="nominal, ordinal, interval or ratio; guessed, with a note, if not given.",
)
@click.option(
    "--categories",
    multiple=True,
    metavar="[DIMENSION=]A,B,...",
    help="All possible ratings, lowest first, used or not; 0..100 for whole numbers. Quote a category with "
    "a comma.",
)
@click.option("--statistic", multiple=True, metavar="NAME", help="Additional coefficient to report.")
@click.option(
    "--weights",
    metavar="NAME|FILE",
    help="Of --statistic: identity, linear, quadratic, ..., or a CSV file with your own matrix, categories as its "
    "first row and column; the level's own if not given.",
)
@click.option(
    "--interval",
    type=click.Choice(["auto", "bca", "expanded", "percentile", "jackknife", "goodness", "irr"]),
    default="auto",
    show_default=True,
    help="Method of the confidence intervals.",
)
@click.option(
    "--raters",
    type=click.Choice(["fixed", "random"]),
    default="fixed",
    show_default=True,
    help="Are the intervals about these raters, or about raters like these?",
)
@click.option(
    "--compare",
    multiple=True,
    type=click.Choice(["dimensions", "groups"]),
    help="Paired differences of alpha, Holm-adjusted.",
)
@click.option(
    "--judge", metavar="RATER", help="Does this rater agree with the others as they do with each other?"
)
@click.option(
    "--reference",
    metavar="RATER",
    help="This rater is the reference standard: sensitivity, specificity and kappa of each of the others. A column "
    "with the reference is --column reference=NAME.",
)
@click.option(
    "--benchmark",
    type=click.Choice(["landis_koch", "fleiss", "altman", "cicchetti"]),
    help="Label the coefficients in words, allowing for their uncertainty.",
)
@click.option(
    "--model",
    multiple=True,
    type=click.Choice(["mixed", "glmm"]),
    help="mixed: intraclass correlations with missing ratings; glmm: yes-no ratings of items in clusters.",
)
@click.option(
    "--instrument",
    multiple=True,
    metavar="NAME=A,B,...",
    help="Dimensions A, B, ... form one scale: Cronbach's alpha, and agreement on their mean.",
)
@click.option("--margin", type=float, help="Margin within which a coefficient counts as no worse.")
@click.option(
    "--half-width",
    type=float,
    help="Plan a study: items needed for an interval of +- this, with RATINGS as the pilot.",
)
@click.option("--minutes", type=float, help="Minutes a rater needs per item, for the hours of the plan.")
@click.option("--items", type=int, default=10, show_default=True, help="How many disputed items to list.")
@click.option("--confidence", type=float, default=0.95, show_default=True)
@click.option("--replicates", type=int, help="Bootstrap draws; 10,000, and more where items are few.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--figure",
    type=click.Path(path_type=Path),
    help="Draw a figure into this .svg, .png or .pdf, with its data beside it.",
)
@_common.as_json
def command(
    ratings: tuple[Path, ...], runs: Path, figure: Path | None, json_out: bool, **options: Any
) -> None:
    """How far raters agree: coefficients with intervals, raters, disputed items, and a methods paragraph.

    RATINGS is a table (CSV, TSV, text, .xlsx, .sav, .dta) with a row a rating, a column a rater or counts of raters;
    an export of Label Studio (JSON, JSON-MIN, CSV), Prodigy, Potato, Argilla, doccano, REDCap, Qualtrics or
    Mechanical Turk; JSON or JSON lines; a ratings.jsonl, a run folder, or a study file. Several files: one a rater.
    The output begins with what was taken for what.
    """
    from ...analysis.agreement.settings import AgreementSettings
    from ...analysis.agreement.summary import summarise
    from .text import lines

    reading = _reading(options)
    options["statistics"], options["models"] = options.pop("statistic"), options.pop("model")
    options["weights"] = _weights(options["weights"])
    instruments = _named(
        "instrument", options.pop("instrument"), needed="NAME=A,B, such as quality=accuracy,clarity"
    )
    options["instruments"] = {name: _categories(dimensions) for name, dimensions in instruments.items()}
    settings = _checked(AgreementSettings, options)
    summary = summarise(_source(ratings, runs, reading), settings)
    if figure is not None:
        from ...analysis.agreement.figure import write

        write(figure, summary)
    text = "\n".join(lines(summary))
    if figure is not None:
        text += f"\nfigure: {figure} and {figure.with_suffix('.csv').name}"
    _common.say(text, summary.model_dump(mode="json"), json_out)


def _checked(kind: Any, values: dict[str, Any]) -> Any:
    """A record of what was asked; what is wrong is one line.

    Raises:
        StudyError: a value that the record refuses.
    """
    from pydantic import ValidationError

    from ...study.errors import StudyError
    from ...study.records import first_fault

    try:
        return kind.model_validate(values)
    except ValidationError as e:
        raise StudyError(f"--{first_fault(e, kind)}") from e


def _reading(options: dict[str, Any]) -> "RatingReadSettings":
    """The options about the file, taken out of all of them."""
    from ...analysis.agreement.reading.source import RatingReadSettings

    columns: dict[str, list[str]] = {}
    for role, name in (
        _parted("column", text, "ROLE=NAME, such as item=case_id") for text in options.pop("column")
    ):
        columns.setdefault(role, []).append(name)
    own = {
        k: options.pop(k) for k in ("shape", "names", "header", "delimiter", "encoding", "sheet", "missing")
    }
    own["label_separator"] = options.pop("label_separator")
    own["columns"] = columns
    own["levels"] = _named("level", options.pop("level"))
    own["categories"] = {
        k: _categories(v) for k, v in _named("categories", options.pop("categories")).items()
    }
    return _checked(RatingReadSettings, own)  # type: ignore[no-any-return]


def _parted(option: str, text: str, needed: str = "") -> tuple[str, str]:
    """`key=value`; a bare value has the empty key, unless the form `needed` has one.

    Raises:
        StudyError: a key is needed.
    """
    from ...study.errors import StudyError

    key, sign, value = text.partition("=")
    if sign:
        return key.strip(), value
    if needed:
        raise StudyError(f"--{option} {text}: write {needed}.")
    return "", text


def _weights(weights: str | None) -> Any:
    """The name of weights, or a matrix from a file."""
    if weights is None or not Path(weights).suffix:
        return weights
    from ...analysis.agreement.reading.matrices import weight_matrix

    return weight_matrix(Path(weights))


def _named(option: str, values: Sequence[str], needed: str = "") -> dict[str, str]:
    """Values by dimension.

    Raises:
        StudyError: two for one dimension, or a value without a name where one is needed.
    """
    from ...study.errors import StudyError

    out: dict[str, str] = {}
    for key, value in (_parted(option, text, needed) for text in values):
        if key in out:
            raise StudyError(f"--{option}: given twice for {key or 'all dimensions'}.")
        out[key] = value
    return out


def _categories(text: str) -> tuple[str, ...]:
    """Categories divided by commas; one with a comma in quotes, whole numbers from..to.

    >>> _categories('0..3'), _categories('no,"yes, partly",yes')
    (('0', '1', '2', '3'), ('no', 'yes, partly', 'yes'))
    """
    out: list[str] = []
    for part in next(csv.reader([text], skipinitialspace=True), []):
        low, dots, high = part.strip().partition("..")
        if dots and low.lstrip("-").isdigit() and high.lstrip("-").isdigit():
            out += map(str, range(int(low), int(high) + 1))
        else:
            out.append(part.strip())
    return tuple(out)


def _source(paths: Sequence[Path], runs: Path, reading: "RatingReadSettings") -> "RatingSource":
    from ...analysis.agreement.reading.files import read
    from ...analysis.agreement.reading.study import of_study

    path = paths[0]
    if len(paths) > 1 or path.suffix != ".toml":
        return read(paths, reading)
    from ...annotate.rounds import people
    from ...annotate.run import resolve
    from ...study.records import read_jsonl
    from ...synth.records import Rationale

    study = _common.opened(path)
    run_folder, settings = runs / study.name, resolve(study)
    if settings.raters in ("simulated", "none") or (layout.VERDICTS.at(run_folder)).exists():
        return read(run_folder, reading)
    state = people(study, settings, run_folder)  # what is in so far; ratings.jsonl may be older
    rationales = list(read_jsonl(layout.RATIONALES.at(run_folder), Rationale))
    return of_study(state.ratings(), state.plan.rubric, state.plan.tasks, rationales, reading)
