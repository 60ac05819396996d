"""What the analysis of the paper's grid costs: 504 fits, from predictions on disk to the page.

    python benchmarks/report.py                    # about a minute; exits 1 when it takes 60 CPU s or more
    python benchmarks/report.py --keep here        # leaves the run folder there

People and reasons come from the built-in cohort and teacher; risks are the true ones with noise, so no model is
fitted. Two bases, three targets, three sizes, four learning rates, seven seeds: 504 fits. Reasons-first fits are read
twice, for 840 sets of predictions about the held-out people, weighted to the source population beside.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wherefore.analysis.run import run as analyse
from wherefore.cohort.records import Case
from wherefore.cohort.run import run as make_cohort
from wherefore.study import layout
from wherefore.study.config import DataUse, Study
from wherefore.study.grid import Cell, Grid
from wherefore.study.records import from_frame, read_table, to_frame, write_table, write_text
from wherefore.study.runs import Manifest
from wherefore.synth.run import run as make_corpus
from wherefore.train.records import Fit, Prediction

GOAL = 60.0
"""CPU seconds."""
NOISE = {"label_only": 0.8, "free_rationale": 1.6, "stepwise_rationale": 1.8}
"""Standard deviation of the log odds around the true ones."""


def study(held_out: int) -> Study:
    """Of the paper's size, with seven seeds in place of seven decodings."""
    return Study(
        name="grid",
        title="A grid of 504 fits",
        seed=1,
        data_use=DataUse(kind="synthetic", name="the built-in cohort"),
        cohort={
            "source": {"name": "simulated", "people": 40 * held_out},
            "sampling": {
                "case_share": 0.25,
                "train": held_out,
                "tuning": held_out // 4,
                "held_out": held_out,
            },
        },
        synth={"teacher": {"name": "reference"}, "styles": ["free", "stepwise"]},
        bases={"one": {"make": "tiny"}, "two": {"make": "tiny"}},
        grid=Grid(
            expect=504,
            base=("one", "two"),
            target=tuple(NOISE),
            n=(100, 300, 900),
            learning_rate=(1e-5, 3e-5, 1e-4, 3e-4),
            seed=tuple(range(7)),
        ),
    )


def fitted(of: Study, home: Path) -> None:
    """Write the folders that 504 fits leave."""
    cases = from_frame(read_table(layout.CASES.at(home), Case), Case)
    assert of.grid is not None
    for number, cell in enumerate(of.grid.cells()):
        rng, folder = np.random.default_rng(number), home / "train" / cell.id
        for name, split in ((layout.PREDICTIONS, "held_out"), (layout.TUNING, "tuning")):
            rows = predictions(cell, [c for c in cases if c.split == split], rng)
            write_table(folder / name, to_frame(rows, Prediction), Prediction)
        write_text(folder / layout.FIT, _fit(cell).model_dump_json())
        _finish(folder)
    _finish(home / "train")


def predictions(cell: Cell, cases: Sequence[Case], rng: np.random.Generator) -> list[Prediction]:
    """Of one fit: read directly, and where it was taught reasons after its own."""
    readouts = ("direct",) if cell.target == "label_only" else ("direct", "own_rationale")
    out = []
    for readout in readouts:
        true = np.array([c.true_risk for c in cases], dtype=float)
        logits = np.log(true / (1 - true)) + NOISE[cell.target] * rng.standard_normal(len(cases))
        text = "There is a history of stroke [E002], and risk follows." if readout != "direct" else None
        risks = (1 / (1 + np.exp(-logits))).tolist()
        out += [
            Prediction(cell=cell.id, readout=readout, case=c.id, risk=r, written=text)
            for c, r in zip(cases, risks, strict=True)
        ]
    return out


def _fit(cell: Cell) -> Fit:
    tokens = {"prompt": 9000, "label": 400} | ({} if cell.target == "label_only" else {"rationale": 20000})
    return Fit(
        cell=cell.id,
        base=cell.base,
        parameters=1_900_000,
        trained_parameters=120_000,
        examples=cell.n,
        epochs=4.0,
        steps=100,
        tokens=tokens,
        final_loss={group: 0.4 for group in tokens if group != "prompt"},
        seconds=30.0,
    )


def _finish(folder: Path) -> None:
    done = Manifest(key="benchmark", settings={}, inputs={}, outputs={}, seconds=1.0, provenance={})
    write_text(folder / "manifest.json", done.model_dump_json())


def main() -> int:
    """Make the run folder, analyse it, print what that took; 1 where it is more than the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="the folder to work in; a temporary one otherwise")
    parser.add_argument("--held-out", type=int, default=1000, help="people (default: 1000)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        of, home = study(args.held_out), (args.keep or Path(scratch)) / "grid"
        if not (home / "train" / "manifest.json").exists():
            make_cohort(of, home)
            make_corpus(of, home)
            fitted(of, home)
        wall, cpu = time.perf_counter(), time.process_time()
        analyse(of, home)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = layout.REPORT.at(home).stat().st_size / 1e6
    print(
        f"504 fits, {args.held_out} people: {cpu:.1f} CPU s ({wall:.0f} s by the clock), page of {size:.1f} MB"
    )
    return int(cpu >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
