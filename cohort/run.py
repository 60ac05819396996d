"""The stage on disk: `<home>/cohort/`."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study import layout, parts
from ..study.config import Study
from ..study.errors import StudyError
from ..study.records import digest
from ..study.runs import manifest, outcome, run_once, sha256
from .phenotype import code_set
from .reading.files import hidden
from .settings import Settings

if TYPE_CHECKING:
    from .events import Place, Records


def resolve(study: Study) -> Settings:
    """The section, with the source, its options and the code set looked up; no work.

    Raises:
        StudyError: a wrong key, value or name.
    """
    from . import sources

    settings = study.section("cohort", Settings)
    source = parts.find(sources, "source", settings.source.name, sources.Source)
    settings.source.options(source.Options, "cohort.source")
    if settings.predict.rule == "aces":
        _aces(study, settings)
    code_set(settings.phenotype.codes, study.path(settings.phenotype.codes))
    return settings


def _aces(study: Study, settings: Settings) -> None:
    """Refuse a task that is not understood, and records without rows to lay it over."""
    from .labels import task

    if settings.source.name != "meds":
        raise StudyError(
            f"cohort.predict.rule: 'aces' reads MEDS records, not {settings.source.name}. Run aces-cli on a copy of "
            "them in MEDS, and give its labels with rule 'per_row'."
        )
    task(settings.predict, study.path)


def describe(study: Study, home: Path) -> str:
    """What the stage would do or has done, in a line."""
    if manifest(home / "cohort"):
        return f"done: {_said(home / 'cohort', False).removeprefix('cohort: ')}"
    s = resolve(study)
    if s.predict.labelled:
        return f"{s.source.name} records, predicted and labelled by {s.predict.file}"
    when = {"fixed_age": f"age {s.predict.age}", "landmark": s.predict.date}.get(
        s.predict.rule, s.predict.rule
    )
    return (
        f"{s.source.name} records, predicted at {when}, {s.phenotype.codes} within {s.horizon_years:g} years"
    )


def run(study: Study, home: Path) -> bool:
    """Make the cases in `home/cohort`, unless they are there; True when it was done now."""
    settings = resolve(study)
    section = settings.model_dump(mode="json", exclude={"outcome", "question"})  # words make no case
    identity = {"cohort": section, "seed": study.seed, "files": _files(study, section)}
    done = run_once(home / "cohort", identity, (), lambda folder: _make(study, settings, folder))
    click.echo(_said(home / "cohort", done))
    return done


PATHS = ("path", "file", "predicates", "firsts_file", "codes", "tokenizer")
"""Keys of the section that name files."""
HASHED = 2_000_000_000
"""Bytes up to which the contents of the records are hashed; beyond them the sizes and times of change count."""


def _files(study: Study, section: dict[str, Any], at: str = "cohort") -> dict[str, str]:
    """What the named files are, by the key that names them: other records under the same path make a folder stale."""
    out: dict[str, str] = {}
    for key, value in section.items():
        if isinstance(value, dict):
            out |= _files(study, value, f"{at}.{key}")
        elif key in PATHS and isinstance(value, str) and (path := study.path(value)).exists():
            out[f"{at}.{key}"] = _mark(path)
    return out


def _mark(path: Path) -> str:
    """A file or a folder in a word: another one when anything in it changes, be the size the same."""
    inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    inside = [p for p in inside if not hidden(p.relative_to(path))]
    if sum(p.stat().st_size for p in inside) <= HASHED:
        return digest([[str(p.relative_to(path)), sha256(p)] for p in inside])
    return digest([[str(p.relative_to(path)), p.stat().st_size, p.stat().st_mtime_ns] for p in inside])


def _make(study: Study, settings: Settings, folder: Path) -> None:
    import pandas as pd

    from ..study.records import write_table, write_text
    from .build import build
    from .flow import figure, flow, said_of, summary, table1
    from .labels import rows
    from .records import Exclusion
    from .tokens import counter

    codes = code_set(settings.phenotype.codes, study.path(settings.phenotype.codes))
    tokenizer = settings.timeline.tokenizer
    with opened(study, settings) as (records, place):
        count = counter(study.path(tokenizer) if tokenizer else None)
        risk_of, labels = getattr(records, "true_risk", None), rows(settings.predict, place, records)
        cohort = build(records, settings, codes, study.seed, count, place.bad, folder, risk_of, labels)
    write_table(folder / layout.EXCLUSIONS.name, cohort.exclusions, Exclusion)
    steps = flow(cohort.population, said_of(cohort.counts, place.bad), settings.predict.asked)
    write_text(folder / layout.FLOW.name, steps.to_csv(index=False))
    write_text(folder / layout.FLOW_PICTURE.name, figure(steps))
    write_text(folder / layout.TABLE_ONE.name, table1(cohort.cases).to_csv(index=False))
    listed = pd.DataFrame(place.bad.rows, columns=["file", "row", "reason", "found"])
    write_text(folder / layout.BAD_ROWS.name, listed.to_csv(index=False))
    write_text(folder / layout.COHORT_SUMMARY.name, summary(cohort, place.bad))


def counted(study: Study) -> dict[str, Any]:
    """What the records of a study hold: people, events, rows, bad rows; nothing is cohort.

    Raises:
        DataError: more bad rows than allowed.
    """
    from .build import Counts, reading
    from .flow import holdings

    settings = resolve(study)
    codes = code_set(settings.phenotype.codes, study.path(settings.phenotype.codes))
    counts = Counts()
    with opened(study, settings) as (records, place):
        for shard in reading(records, settings, place.bad)():
            counts.add(shard, codes)
        place.bad.check()
        return holdings(counts, place.bad)


@contextmanager
def opened(study: Study, settings: Settings) -> Iterator[tuple["Records", "Place"]]:
    """The records of a study, and the place that counts what is wrong with them.

    Raises:
        WhereforeError: they cannot be read.
    """
    from . import sources
    from .events import Place
    from .reading.bad_rows import BadRows

    part = parts.find(sources, "source", settings.source.name, sources.Source)
    options = settings.source.options(part.Options, "cohort.source")
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(study.path, study.seed, Path(scratch), BadRows(settings.bad_rows))
        yield part.read(options, place), place


def _said(folder: Path, done: bool) -> str:
    known = json.loads((folder / layout.COHORT_SUMMARY.name).read_text())
    bad = f", {known['bad_rows']} bad rows listed in bad_rows.csv" if known["bad_rows"] else ""
    return f"cohort: {known['cases']} cases, {known['with_onset']} with onset{bad}; {outcome(done, folder)}"
