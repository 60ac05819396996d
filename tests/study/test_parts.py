"""Every kind of part is walked: each has the shape of its kind, and CONTRIBUTING's table of kinds is true."""

import re
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.agreement.coefficients.formulas import COEFFICIENTS
from wherefore.analysis.measures.metrics import METRICS
from wherefore.analysis.report.sections import SECTIONS
from wherefore.cohort import sources
from wherefore.cohort.sources import Source
from wherefore.study import parts
from wherefore.study.records import Record
from wherefore.synth import teachers
from wherefore.synth.styles import STYLES
from wherefore.synth.teachers import Teacher
from wherefore.train.reading.readouts import READOUTS
from wherefore.train.targets import TARGETS

ROOT = Path(__file__).parents[2]
CATALOGUES = {c.group: c for c in (COEFFICIENTS, METRICS, READOUTS, SECTIONS, TARGETS)}
MODULES = [
    *((sources, "source", name, Source) for name in parts.names(sources)),
    *((teachers, "teacher", name, Teacher) for name in parts.names(teachers)),
]


@pytest.mark.parametrize(
    ("folder", "kind", "name", "shape"), MODULES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_source_and_teacher_fits_its_protocol(folder: Any, kind: str, name: str, shape: type) -> None:
    module = parts.find(folder, kind, name)
    assert parts.misfit(module, shape) is None
    assert module.__doc__
    assert issubclass(module.Options, Record)


@pytest.mark.parametrize("group", sorted(CATALOGUES))
def test_every_entry_of_a_table_has_the_type_of_its_kind(group: str) -> None:
    catalogue = CATALOGUES[group]
    assert catalogue.group == group
    assert len(catalogue.own) > 2
    for name in catalogue:
        assert parts.misfit(catalogue[name], catalogue.shape) is None


def test_every_style_has_its_template() -> None:
    for name in STYLES:
        assert (ROOT / "templates" / "prompts" / f"{name}.jinja").exists(), name


def _rows() -> list[list[str]]:
    table = re.findall(r"^\| (?!to add)(?!---)(.+) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in table]


def test_what_the_table_of_contributing_names_is_there() -> None:
    rows = _rows()
    assert len(rows) >= 9
    for what, touch, tested in rows:
        for place in re.findall(r"`([\w./]+)`", touch):
            assert (ROOT / place).exists(), (what, place)
        named = re.findall(r"`(tests/[\w./]+)::(\w+)`", tested)
        assert named, what
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(), (what, file, test)


OPENS = re.compile(
    r"^\s*(?:import|from) (?:httpx|openai|urllib\.request|huggingface_hub)\b"
    r"|\bcreate_connection\(|\bsocket\.socket\(|^\s*\"pip\",$|\"-m\", \"pip\"",
    re.MULTILINE,
)
"""What opens a connection to another process or machine, or has pip do it."""


def test_contributing_names_every_file_that_opens_a_connection() -> None:
    (said,) = re.findall(r"^- \*\*HTTP\*\*:(.*?)^- ", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)
    stages = ("study", "cohort", "synth", "annotate", "train", "analysis", "cli")
    files = {p.relative_to(ROOT).as_posix() for s in stages for p in (ROOT / s).rglob("*.py")}
    assert set(re.findall(r"`(\S+\.py)`", said)) == {f for f in files if OPENS.search((ROOT / f).read_text())}
