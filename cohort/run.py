"""The stage on disk: `<home>/cohort/`."""

import tempfile
from pathlib import Path
from typing import Any

import click

from ..study import parts
from ..study.config import Study
from ..study.runs import manifest, run_once
from .phenotype import code_set
from .settings import Settings


def resolve(study: Study) -> Settings:
    """The section, with the source, its options and the code set looked up; no work.

    Raises:
        StudyError: a wrong key, value or name.
    """
    from . import sources

    settings = study.section("cohort", Settings)
    source = parts.find(sources, "source", settings.source.name)
    settings.source.options(source.Options, "cohort.source")
    code_set(settings.phenotype.codes, study.path(settings.phenotype.codes))
    return settings


def describe(study: Study, home: Path) -> str:
    """What the stage would do or has done, in a line."""
    if manifest(home / "cohort"):
        return f"done: {_said(home / 'cohort', False).removeprefix('cohort: ')}"
    s = resolve(study)
    when = {"fixed_age": f"age {s.predict.age}", "landmark": s.predict.date}.get(
        s.predict.rule, s.predict.rule
    )
    return (
        f"{s.source.name} records, predicted at {when}, {s.phenotype.codes} within {s.horizon_years:g} years"
    )


def run(study: Study, home: Path) -> bool:
    """Make the cases in `home/cohort`, unless they are there; True when it was done now."""
    settings = resolve(study)
    done = run_once(home / "cohort", {"cohort": settings.model_dump(mode="json"), "seed": study.seed}, (),
                    lambda folder: _make(study, settings, folder))  # fmt: skip
    click.echo(_said(home / "cohort", done))
    return done


def _make(study: Study, settings: Settings, folder: Path) -> None:
    from ..study.records import write_table, write_text
    from . import sources
    from .build import build
    from .events import Place
    from .flow import flow, table1
    from .records import Case, Evidence, Exclusion
    from .tokens import counter

    part = parts.find(sources, "source", settings.source.name)
    options = settings.source.options(part.Options, "cohort.source")
    codes = code_set(settings.phenotype.codes, study.path(settings.phenotype.codes))
    tokenizer = settings.timeline.tokenizer
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(study.path, study.seed, Path(scratch))
        place.bad.limit = settings.bad_rows
        opened = part.read(options, place)
        made = build(opened, settings, codes, study.seed, counter(study.path(tokenizer) if tokenizer else None),
                     getattr(opened, "true_risk", None))  # fmt: skip
    write_table(folder / "cases.parquet", made.cases, Case)
    write_table(folder / "evidence.parquet", made.evidence, Evidence)
    write_table(folder / "exclusions.parquet", made.exclusions, Exclusion)
    write_text(folder / "flow.csv", flow(made.population, len(made.population)).to_csv(index=False))
    write_text(folder / "table1.csv", table1(made.cases).to_csv(index=False))


def _said(folder: Path, done: bool) -> str:
    import pyarrow.parquet as pq

    labels: Any = pq.read_table(folder / "cases.parquet", columns=["label"])["label"].to_pylist()
    state = "made" if done else "already there"
    return f"cohort: {len(labels)} cases, {sum(labels)} with onset; {state}: {folder}"
