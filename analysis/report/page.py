"""The report: one HTML file that needs nothing else, made of `sections.SECTIONS`."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FunctionLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from ...cohort.question import question
from ...study import layout
from ...study.config import Study
from ...study.provenance import release
from ...study.records import write_text
from .. import figures
from ..measures.metrics import METRICS
from ..performance.formats import YARDSTICKS, Formats, label
from ..settings import Settings
from ..tables import Tables
from ..words import number, span, words
from . import checklist, legends, shown, table_one
from .answer import answer, finding, verdict
from .material import Material, ReportNumbers
from .notices import notices, unsound
from .rows import RowIds, archive
from .section import Section
from .sections import SECTIONS
from .strips import axis, heat, ruler, stack, strip
from .task import facts


def write(study: Study, run_folder: Path, settings: Settings, tables: Tables, folder: Path) -> None:
    """Draw the figures and write `report.html`, the checklists and Table 1 beside them."""
    drawn = figures.write(folder / "figures", tables.curves, legends.notes(tables))
    material = Material(study=study, run_folder=run_folder, settings=settings, tables=tables, figures=drawn)
    handed_in = dict(_beside(material))
    for name, text in handed_in.items():
        write_text(folder / name, text)
    write_text(folder / layout.REPORT.name, render(material, handed_in))


def _beside(m: Material) -> Iterator[tuple[str, str]]:
    """Files that can be handed in with a manuscript."""
    table = table_one.table_one(m)
    if table is not None:
        yield "table1.csv", shown.as_csv(table_one.as_rows(table))
    for name in checklist.GUIDELINES:
        yield f"checklist_{name}.csv", shown.as_csv(checklist.as_rows(checklist.filled(m, name)))


def render(m: Material, beside: dict[str, str]) -> str:
    """The page as HTML."""
    env = environment(m.rows)
    parts = [(name, s, s.make(m)) for name, s in SECTIONS.items()]
    cells = [s.cell for s in m.tables.cells]
    return env.get_template("report.html.j2").render(
        m=m,
        study=m.study,
        task=question(m.study),
        answer=answer(m.tables.comparisons, m.tables.averages, cells, m.tables.optima),
        unsound=unsound(m.tables.comparisons, m.tables.written),
        notices=notices(m),
        facts=facts(m),
        programs=any(a.simulated for a in m.tables.agreement),
        release=release(),
        archive=archive(m.rows, m.figures, beside),
        sections=[
            (
                name,
                s.title,
                _absent(s) if context is None else body(env, m, s.template, context),
                context is None,
            )
            for name, s, context in parts
            if context is not None or s.absent
        ],
    )


def _absent(section: Section) -> Markup:
    return Markup("<p>{}</p>").format(section.absent)


def body(env: Environment, m: ReportNumbers, template: str, context: dict[str, Any]) -> Markup:
    """A section as HTML; the templates escape what they are given.

    Args:
        env: of `environment`.
        m: what the page is about.
        template: a name in `templates/report/sections/`, or the text of a template.
        context: what it shows.
    """
    inline = "\n" in template or "{" in template
    source = env.from_string(template) if inline else env.get_template(f"sections/{template}")
    return Markup(source.render(m=m, **context))


class _Compiled(BytecodeCache):
    """Templates that this process has compiled, for its next page."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


def environment(rows: RowIds) -> Environment:
    """Everything that is put into the page is escaped; a name that the page uses and nobody gives is an error."""
    pages = files("wherefore.templates") / "report"
    env = Environment(
        loader=FunctionLoader(
            lambda name: ((pages / name).read_text(encoding="utf-8"), str(pages / name), None)
        ),
        autoescape=True,
        bytecode_cache=COMPILED,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {"words": words, "number": number, "percent": shown.percent, "p": shown.p_text}
    env.filters |= {"heading": shown.heading, "count": shown.count, "readout": label, "svg": Markup}
    env.globals |= {
        "span": span,
        "strip": strip,
        "ruler": ruler,
        "stack": stack,
        "axis": axis,
        "strength": heat,
    }
    env.globals |= {"finding": finding, "verdict": verdict, "hindsight": Formats.hindsight, "row": rows}
    env.globals |= {"yardsticks": YARDSTICKS, "metrics": METRICS}
    return env
