"""Reading risk from a fit: each read-out is read once and kept, whatever is asked of the same fit later."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..study import layout
from ..study.config import Study
from ..study.grid import Cell
from ..study.reads import sha256
from ..study.records import digest, from_frame, read_record, read_table, to_frame, write_table, write_text
from . import corpus
from .bases import models as bases
from .bases.sources import folder_of
from .encoding.encoder import Encoder
from .lesson import fitted, histories
from .reading.parity import ParityGate
from .reading.reader import Reader
from .reading.readouts import asked, expanded, predictions
from .records import FitReading, Parity, Prediction
from .settings import OF_NEITHER, Settings
from .settings import bases as bases_of
from .targets import TARGETS

Rows = dict[str, list[Prediction]]
"""Predictions by read-out."""


def read(study: Study, run_folder: Path, cell: Cell, settings: Settings, folder: Path) -> None:
    """Write the predictions of every read-out that fits the target, from the fit as it stands on disk.

    Of every held-out case; and of the tuning split, on which the best cell of a grid is chosen. A read-out that is
    there, of the same fit, cases and settings, is kept: only what is new goes through the model.

    Raises:
        ParityError: the fit gives other risks when its adapter is merged or served.
    """
    start = time.monotonic()
    decodings = study.grid.decoding if study.grid else ()
    names = expanded(settings.readouts, TARGETS[cell.target], decodings)
    keys = _keys(study, run_folder, settings, folder, names)
    old, tables = _kept(folder, keys)
    missing = [name for name in names if old is None or old.keys.get(name) != keys[name]]
    if missing or old is None:
        old, fresh = _read_anew(study, run_folder, cell, settings, folder, missing)
        tables = {file: tables[file] | fresh[file] for file in TABLES}
    (folder / layout.READING).unlink(
        missing_ok=True
    )  # it vouches for the tables, so it goes first and comes last
    for file in TABLES:
        rows = [p for name in names for p in tables[file].get(name, ())]
        write_table(folder / file, to_frame(rows, Prediction), Prediction)
    reading = old.model_copy(update={"keys": keys, "seconds": round(time.monotonic() - start, 3)})
    write_text(folder / layout.READING, reading.model_dump_json(indent=1))


TABLES = (layout.PREDICTIONS, layout.TUNING)


def _keys(
    study: Study, run_folder: Path, settings: Settings, folder: Path, names: Sequence[str]
) -> dict[str, str]:
    """Hash of everything that makes the rows of each read-out: fit, cases, rationales, settings, decoding."""
    shared = {
        "fit": fitted(folder),
        "inputs": {str(p.relative_to(run_folder)): sha256(p) for p in corpus.files(run_folder)},
        "settings": settings.model_dump(mode="json", exclude={*OF_NEITHER, "readouts", "decodings"}),
        "seed": study.seed,
    }
    ways = {name: asked(name, settings.decodings)[1].decoding for name in names}
    return {
        name: digest({**shared, "readout": name, "decoding": way and way.model_dump()})
        for name, way in ways.items()
    }


def _kept(folder: Path, keys: Mapping[str, str]) -> tuple[FitReading | None, dict[str, Rows]]:
    """What was read before and holds still: how it was read, and its rows by table and read-out."""
    tables: dict[str, Rows] = {file: {} for file in TABLES}
    path = folder / layout.READING
    whole = all((folder / file).exists() for file in (layout.READING, *TABLES))
    old = read_record(path, FitReading) if whole else None
    same = {name for name, key in keys.items() if old is not None and old.keys.get(name) == key}
    for file in TABLES if same else ():
        for p in from_frame(read_table(folder / file, Prediction), Prediction):
            if p.readout in same:
                tables[file].setdefault(p.readout, []).append(p)
    return (old if same else None), tables


def _read_anew(
    study: Study, run_folder: Path, cell: Cell, settings: Settings, folder: Path, names: Sequence[str]
) -> tuple[FitReading, dict[str, Rows]]:
    """Ask the model."""
    target = TARGETS[cell.target]
    adapter = folder / "adapter" if target.fitted else None
    model, encoder = loaded(study, run_folder, cell, settings, adapter, merge=False)
    shorten = histories(encoder, run_folder, settings)
    rationales = corpus.teacher_rationales(run_folder, target.style, cell.corpus)
    cases = corpus.cases(run_folder)
    held_out = corpus.held_out(cases)

    def reader(model: Any) -> Reader:
        return Reader(
            model,
            encoder,
            settings,
            cell.id,
            target,
            rationales,
            shorten,
            cases,
            corpus.demonstrations(run_folder, target.style, settings, cell.corpus),
            corpus.order_for(study, run_folder, settings)[: cell.n],
        )

    beside = reader(model)
    sample = [beside.before_label(c, None) for c in held_out[: settings.parity_cases]]
    risks = {"beside its base": beside.engine.probabilities(sample)} if sample else {}
    merged = reader(bases.merged(model))
    parity = _gate(merged, sample, risks, settings) if sample else []
    foresight = [n for n in names if not asked(n)[0].hindsight]
    rows = {
        layout.PREDICTIONS: predictions(merged, names, held_out),
        layout.TUNING: predictions(merged, foresight, corpus.of_split(cases, "tuning")),
    }
    reading = FitReading(
        cell=cell.id,
        cases=len(held_out),
        shortened=sum(bool(shorten(c).removed) for c in held_out),
        parity=tuple(parity),
        seconds=0,
    )
    return reading, {
        file: {name: [p for p in of_file if p.readout == name] for name in names}
        for file, of_file in rows.items()
    }


def _gate(reader: Reader, sample: list[list[int]], risks: dict[str, Any], settings: Settings) -> list[Parity]:
    """How far the merged and the served fit are from the one beside its base."""
    risks["merged"] = reader.engine.probabilities(sample)
    if reader.server is not None:
        risks["served"] = reader.server.probabilities(sample)
    return ParityGate(settings.parity).compare(risks)


def loaded(
    study: Study,
    run_folder: Path,
    cell: Cell,
    settings: Settings,
    adapter: Path | None = None,
    merge: bool = True,
) -> tuple[Any, Encoder]:
    base, folder = bases_of(study)[cell.base], folder_of(study, run_folder, cell.base)
    return bases.load(base, folder, settings, adapter, f"bases.{cell.base}", merge)
