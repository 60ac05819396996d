"""One page about predictions that were made elsewhere, made of the sections of the report that need no text."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...study.provenance import release
from ...study.records import write_text
from .. import figures
from ..measures.metrics import METRICS
from ..performance.contrasts import family
from ..records import Comparison
from ..report import legends
from ..report.answer import finding
from ..report.material import ReportNumbers
from ..report.notices import about_numbers
from ..report.page import body, environment
from ..report.rows import archive
from ..report.sections import calibration, methods, models, sample_size, subgroups
from ..report.sections.comparison import of_family
from ..tables import Tables, save
from ..words import number, span
from .arrays import MODELS

REPORT = "report.html"


class _Part(NamedTuple):
    make: Callable[[ReportNumbers], dict[str, Any] | None]
    template: str
    title: str


def write(tables: Tables, folder: Path, title: str, notes: Sequence[str] = ()) -> Path:
    """Write every table, the figures and the page; return the page.

    Args:
        tables: of `arrays.evaluate`.
        folder: a new one.
        title: the page's heading.
        notes: how the files were understood.
    """
    save(tables, folder)
    drawn = figures.write(folder / "figures", tables.curves, legends.notes(tables))
    assert tables.evaluation is not None
    numbers = ReportNumbers(settings=tables.evaluation.settings, tables=tables, figures=drawn)
    write_text(folder / REPORT, render(numbers, title, notes))
    return folder / REPORT


def render(m: ReportNumbers, title: str, notes: Sequence[str]) -> str:
    """The page as HTML."""
    env = environment(m.rows)
    sections = [(name, part, part.make(m)) for name, part in _parts()]
    return env.get_template("predictions.html.j2").render(
        m=m,
        title=title,
        headline=headline(m),
        support=[sentence(c) for c in _compared(m)],
        notices=about_numbers(m),
        notes=notes,
        release=release(),
        archive=archive(m.rows, m.figures, {}),
        sections=[
            (name, part.title, body(env, m, part.template, context), False)
            for name, part, context in sections
            if context is not None
        ],
    )


def _parts() -> Iterator[tuple[str, _Part]]:
    yield "models", _Part(models.section, models.SECTION.template, models.SECTION.title)
    yield "comparison", _Part(comparison, "comparison.html.j2", "The comparison")
    yield "calibration", _Part(calibration.section, calibration.SECTION.template, calibration.SECTION.title)
    yield "subgroups", _Part(subgroups.section, subgroups.SECTION.template, subgroups.SECTION.title)
    yield "sample_size", _Part(sample_size.section, sample_size.SECTION.template, sample_size.SECTION.title)
    yield "methods", _Part(methods.statistics, "statistics.html.j2", methods.SECTION.title)


def comparison(m: ReportNumbers) -> dict[str, Any] | None:
    """Every model against the reference; None where there is one model."""
    compared = m.settings.compared
    main = of_family(m.tables.comparisons, MODELS, compared[0])
    if not main["rows"]:
        return None
    others = [of_family(m.tables.comparisons, MODELS, metric) for metric in compared[1:]]
    return {
        "main": main,
        "others": others,
        "beside": [],
        "paper": False,
        "noun": "model",
        "intro": f"Each model minus {m.settings.reference}, on the people predicted by both.",
    }


def _compared(m: ReportNumbers) -> list[Comparison]:
    """The comparisons that the first sentence rests on."""
    return [c for c in m.tables.comparisons if c.family == family(MODELS, "roc_auc")]


def headline(m: ReportNumbers) -> str:
    """What was found, in a sentence that follows the adjusted intervals."""
    rows = [c for c in _compared(m) if c.difference is not None]
    if not rows:
        a = next(a for a in m.tables.averages if a.metric == "roc_auc" and a.population == m.population)
        if a.value is None:
            return f"{a.target} has no ROC-AUC: {a.why_missing}."
        return f"{a.target} ranks people with a ROC-AUC of {number(a.value)} ({span(a.low, a.high)})."
    verdict = {
        "higher": "ranks people better than {b}",
        "lower": "ranks people worse than {b}",
        "unclear": "and {b}: no difference in ranking was established",
    }
    parts = [f"{c.a} {verdict[finding(c)].format(b=c.b)}" for c in rows]
    about = (
        f"The intervals include people and {min(c.seeds for c in rows)} training runs of each model."
        if all(c.about == "recipes" for c in rows)
        else "The intervals are over people: this is about these predictions, not about how the models were made."
    )
    return f"{'; '.join(parts)}. {about}"


def sentence(c: Comparison) -> str:
    """One comparison in numbers."""
    if c.difference is None:
        return f"{c.a} against {c.b}: {c.why_missing}."
    gap = f"difference {number(c.difference)} (adjusted interval {span(c.low_adjusted, c.high_adjusted)})"
    label = METRICS[c.metric].label
    return (
        f"{c.a} against {c.b}: {label} {number(c.a_value)} against {number(c.b_value)}, {gap}, {c.n:,} cases."
    )
