"""The report: every table of the analysis and what the other stages say of themselves, as one HTML file."""

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined

from ...study import layout
from ...study.config import Study
from ...study.records import write_text
from .. import figures
from ..performance.formats import Formats, label
from ..settings import Settings
from ..tables import Tables
from ..words import number, span, words
from .answer import finding, verdict
from .sections import sections
from .strips import axis, ruler, stack, strip


def write(study: Study, home: Path, settings: Settings, tables: Tables, folder: Path) -> None:
    """Draw the figures and write `report.html` beside them."""
    drawn = figures.write(folder / "figures", tables.curves)
    page = environment().get_template("report.html.j2")
    write_text(folder / layout.REPORT.name, page.render(sections(study, home, settings, tables, drawn)))


def environment() -> Environment:
    """Everything that is put into the page is escaped; a name that the page uses and nobody gives is an error."""
    pages = files("wherefore.templates") / "report"
    env = Environment(
        loader=FunctionLoader(lambda name: (pages / name).read_text(encoding="utf-8")),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.filters |= {"words": words, "number": number, "percent": percent, "p": p_text, "count": count}
    env.globals |= {"span": span, "strip": strip, "ruler": ruler, "stack": stack, "axis": axis}
    env.globals |= {"finding": finding, "verdict": verdict, "label": label, "hindsight": Formats.hindsight}
    return env


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage.

    >>> percent(0.1234), percent(0.004, 1), percent(None)
    ('12 %', '0.4 %', '–')
    """
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def count(n: float) -> str:
    """A count with its thousands apart.

    >>> count(1900000)
    '1,900,000'
    """
    return f"{n:,.0f}"


def p_text(p: float | None) -> str:
    """A p value as journals print it.

    >>> p_text(0.0004), p_text(0.0312), p_text(None)
    ('< 0.001', '0.031', '–')
    """
    return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
