"""A fit that is killed goes on to the same bytes; what makes a fit marks it, and nothing else does."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.errors import StaleError
from wherefore.study.grid import Cell
from wherefore.study.records import read_table
from wherefore.study.runs import MANIFEST
from wherefore.synth.records import Rationale
from wherefore.train.attempt import do_cell, is_done
from wherefore.train.bases.models import load
from wherefore.train.cell import work
from wherefore.train.encoding.encoder import EncodedRow
from wherefore.train.fitting import optimise
from wherefore.train.fitting.checkpoint import Checkpoint
from wherefore.train.fitting.fit import CHECKPOINT, fit
from wherefore.train.lesson import fitted, lesson
from wherefore.train.records import Fit, Prediction
from wherefore.train.settings import Lora, Made, Settings
from wherefore.train.targets import TARGETS

CELL = Cell(base="tiny", target="label_then_rationale", n=24, learning_rate=1e-2, seed=3)
SETTINGS = Settings(
    epochs=3, batch=8, lora=Lora(rank=2, alpha=4, dropout=0.1), precision="float32", checkpoint_seconds=0
)


class KilledError(Exception):
    """In place of SIGKILL: nothing runs after it."""


@pytest.fixture
def rows(cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Any]) -> list[EncodedRow]:
    build = TARGETS["label_then_rationale"].build
    return [loaded[1].row(build(c, reasons[c.id], "Dementia?")[0]) for c in cases[:24]]


def run(base: Path, rows: list[EncodedRow], folder: Path, **changes: Any) -> bytes:
    folder.mkdir(exist_ok=True)
    settings = SETTINGS.model_copy(update=changes)
    model, _ = load(Made(make="tiny"), base, settings)
    fit(model, rows, CELL, settings, folder, key="k", tuning=rows[:6])
    assert not list(folder.glob("*.pt"))
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("step", [1, 4, 8])
@pytest.mark.parametrize("changes", [{}, {"early_stopping": 1}, {"micro_batch": 3}], ids=str)
def test_killed_after_any_step_a_fit_ends_with_the_same_bytes(
    step: int,
    changes: dict[str, Any],
    base: Path,
    rows: list[EncodedRow],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = run(base, rows, tmp_path / "whole", **changes)
    after = Checkpoint.after

    def kill(self: Checkpoint, lines: Any, *rest: Any) -> None:
        after(self, lines, *rest)
        if len(lines) == step:
            raise KilledError

    monkeypatch.setattr(Checkpoint, "after", kill)
    with pytest.raises(KilledError):
        run(base, rows, tmp_path / "killed", **changes)
    monkeypatch.setattr(Checkpoint, "after", after)
    assert (tmp_path / "killed" / CHECKPOINT).exists()
    done: list[int] = []
    original = optimise.step
    monkeypatch.setattr(optimise, "step", lambda *a: done.append(1) or original(*a))
    assert run(base, rows, tmp_path / "killed", **changes) == whole
    assert len(done) <= 9 - step  # nothing is done twice
    metrics = [(tmp_path / f / "metrics.jsonl").read_text() for f in ("whole", "killed")]
    assert metrics[0] == metrics[1]


def test_a_checkpoint_of_another_fit_is_not_read(base: Path, rows: list[EncodedRow], tmp_path: Path) -> None:
    whole = run(base, rows, tmp_path / "whole")
    (tmp_path / "other").mkdir()
    torn = tmp_path / "other" / CHECKPOINT
    model, _ = load(Made(make="tiny"), base, SETTINGS)
    keeper = Checkpoint(torn, "another", 0)
    params = [p for p in model.parameters() if p.requires_grad]
    import torch

    keeper.after([{"step": 1.0}], params, torch.optim.AdamW(params))
    assert torn.exists()
    assert run(base, rows, tmp_path / "other") == whole


def test_early_stopping_keeps_the_best_epoch(base: Path, rows: list[EncodedRow], tmp_path: Path) -> None:
    """At a rate that wrecks the model the tuning loss rises, and what was best is what is kept."""
    cell = CELL.model_copy(update={"learning_rate": 3.0})
    settings = SETTINGS.model_copy(update={"early_stopping": 1, "epochs": 8})
    model, _ = load(Made(make="tiny"), base, settings)
    result = fit(model, rows, cell, settings, tmp_path, key="k", tuning=rows[:6])
    lines = [__import__("json").loads(x) for x in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    losses = [x["tuning_loss"] for x in lines if "tuning_loss" in x]
    assert len(losses) == result.epochs < 8
    assert losses.index(min(losses)) == len(losses) - 2
    plan = optimise.Schedule(epochs=1, batch=8, learning_rate=0, seed=0)
    from wherefore.train.fitting.loss import shaping_of
    from wherefore.train.fitting.losses import token_mean

    assert optimise.mean_loss(model, rows[:6], token_mean, plan, shaping_of(model)) == pytest.approx(
        min(losses), abs=1e-5
    )


@pytest.fixture
def one(study: Study) -> tuple[Study, Cell]:
    grid = {"expect": 1, "target": ("free_rationale",), "n": (16,), "learning_rate": (1e-2,)}
    study = Study.model_validate({**study.model_dump(), "grid": grid})
    assert study.grid
    return study, study.grid.cells()[0]


@pytest.fixture
def made(one: tuple[Study, Cell], toy: Path, base: Path) -> Path:
    """A run folder whose base is there."""
    import shutil

    folder = toy / "train" / "bases" / "tiny"
    shutil.copytree(base, folder / "model")
    return toy


def changed(study: Study, **train: Any) -> tuple[Study, Settings]:
    study = study.model_copy(update={"train": {**study.train, **train}})
    return study, study.section("train", Settings)


def test_what_makes_a_fit_marks_it(one: tuple[Study, Cell], made: Path) -> None:
    study, cell = one
    key = lesson(study, made, cell, changed(study)[1]).key
    same = {
        "workers": 1,
        "read_batch": 3,
        "micro_batch": 2,
        "activation_checkpointing": True,
        "checkpoint_seconds": 5,
        "baselines": ["age_sex"],
        "readouts": ["direct"],
        "max_new_tokens": 20,
    }
    for name, value in same.items():
        s, settings = changed(study, **{name: value})
        assert lesson(s, made, cell, settings).key == key, name
    other = {
        "epochs": 2,
        "batch": 4,
        "warmup": 0.5,
        "weight_decay": 0.1,
        "question": "Will it?",
        "lora": {"rank": 3, "alpha": 4},
        "precision": "bfloat16",
        "tune": "full",
        "rationales": "all",
    }
    keys = {key}
    for name, value in other.items():
        s, settings = changed(study, **{name: value})
        keys.add(lesson(s, made, cell, settings).key)
    assert len(keys) == 1 + len(other) - 1  # `rationales` changes no example here
    for name, value in {"n": 15, "learning_rate": 1e-3, "seed": 9, "loss": "group_mean"}.items():
        keys.add(lesson(study, made, cell.model_copy(update={name: value}), changed(study)[1]).key)
    assert len(keys) == 4 + len(other)
    weights = made / "train" / "bases" / "tiny" / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    assert lesson(study, made, cell, changed(study)[1]).key not in keys


@pytest.mark.slow
def test_a_fit_without_manifest_is_taken_over_only_for_the_same_inputs(
    one: tuple[Study, Cell], made: Path
) -> None:
    study, cell = one
    settings = changed(study)[1]
    folder = made / "train" / cell.id
    folder.mkdir(parents=True)
    work(study, made, cell, settings, folder)
    stamp = (folder / "fit.json").stat().st_mtime_ns
    work(study, made, cell, changed(study, read_batch=2)[1], folder)
    assert (folder / "fit.json").stat().st_mtime_ns == stamp
    longer = changed(study, epochs=2)
    work(
        longer[0], made, cell, longer[1], folder
    )  # no manifest: it is not called finished, so it is fitted anew
    assert Fit.model_validate_json((folder / "fit.json").read_text()).epochs == 2


@pytest.mark.slow
def test_other_readouts_are_read_from_the_fit_that_is_there(one: tuple[Study, Cell], made: Path) -> None:
    study, cell = one
    first = changed(study, readouts=["direct"])
    assert do_cell(first[0], made, cell, first[1]) is True
    folder = made / "train" / cell.id
    stamp = (folder / "fit.json").stat().st_mtime_ns
    more = changed(study, readouts=["direct", "teacher_rationale"])
    assert is_done(more[0], made, cell, more[1]) is False
    assert do_cell(more[0], made, cell, more[1]) is True
    assert (folder / "fit.json").stat().st_mtime_ns == stamp
    assert do_cell(more[0], made, cell, more[1]) is False
    with pytest.raises(StaleError, match="epochs 1 -> 2"):
        do_cell(*_with(changed(study, epochs=2), made, cell))
    assert (folder / MANIFEST).exists()
    assert fitted(folder)


def _with(pair: tuple[Study, Settings], run_folder: Path, cell: Cell) -> tuple[Any, ...]:
    return pair[0], run_folder, cell, pair[1]


SCRIPT = """
import sys, torch
from pathlib import Path
from wherefore.study.config import Study
from wherefore.train.cell import work
from wherefore.train.settings import Settings
if __name__ == "__main__":
    torch.set_num_threads(1)
    study = Study.model_validate_json(Path(sys.argv[1]).read_text())
    cell = study.grid.cells()[0]
    folder = Path(sys.argv[2]) / "train" / cell.id
    folder.mkdir(parents=True, exist_ok=True)
    work(study, Path(sys.argv[2]), cell, study.section("train", Settings), folder)
"""


@pytest.mark.slow
def test_sigkill_while_it_fits_costs_no_more_than_what_was_not_kept(
    one: tuple[Study, Cell], made: Path, tmp_path: Path
) -> None:
    study, settings = changed(one[0], epochs=30, batch=4, checkpoint_seconds=0.0)
    cell = one[1]
    (tmp_path / "study.json").write_text(study.model_dump_json())
    (tmp_path / "go.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "go.py"), str(tmp_path / "study.json"), str(made)]
    folder = made / "train" / cell.id
    with subprocess.Popen(command) as p:
        while p.poll() is None and not (folder / CHECKPOINT).exists():
            pass
        os.kill(p.pid, signal.SIGKILL)
    assert not (folder / "fit.json").exists()
    assert (folder / CHECKPOINT).exists()
    subprocess.run(command, check=True)
    resumed = (folder / "adapter" / "adapter_model.safetensors").read_bytes()
    other = made / "train" / "whole"
    other.mkdir()
    work(study, made, cell, settings, other)
    assert (other / "adapter" / "adapter_model.safetensors").read_bytes() == resumed


def test_a_new_readout_is_read_alone_and_fits_nothing(
    one: tuple[Study, Cell], made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read-outs and decodings are added, changed and taken away: one fit, and each read-out is read once."""
    from wherefore.train import read as reading
    from wherefore.train.fitting import fit as fitting
    from wherefore.train.reading.reader import Reader

    fits: list[str] = []
    read: list[str] = []
    original, predictions = fitting.fit, reading.predictions
    monkeypatch.setattr(fitting, "fit", lambda *a: fits.append(a[2].id) or original(*a))

    def counted(reader: Reader, names: list[str], cases: list[Case]) -> list[Any]:
        if cases and cases[0].split == "held_out":
            read.extend(names)
        return predictions(reader, names, cases)

    monkeypatch.setattr(reading, "predictions", counted)
    study, cell = one
    folder = made / "train" / cell.id

    def asked(readouts: list[str], **decodings: Any) -> tuple[list[str], bytes]:
        """What was read now, and the rows of `direct`."""
        read.clear()
        s, settings = changed(study, readouts=readouts, decodings=decodings)
        do_cell(s, made, cell, settings)
        table = read_table(folder / "predictions.parquet", Prediction)
        assert table["readout"].drop_duplicates().tolist() == readouts
        assert set(table.groupby("readout")["case"].count()) == {12}
        return list(read), table[table["readout"] == "direct"].to_csv().encode()

    warm, hot = {"temperature": 0.7}, {"temperature": 1.4}
    now, direct = asked(["direct"])
    assert now == ["direct"]
    assert asked(["direct", "own_rationale"]) == (["own_rationale"], direct)
    assert asked(["direct", "own_rationale", "own_rationale@w"], w=warm) == (["own_rationale@w"], direct)
    assert asked(["direct", "own_rationale", "own_rationale@w"], w=hot) == (["own_rationale@w"], direct)
    assert asked(["direct"]) == ([], direct)
    (folder / MANIFEST).unlink()
    (folder / "predictions.parquet").unlink()
    assert asked(["direct"]) == (["direct"], direct)  # a table went: no word of reading.json counts
    assert fits == [cell.id]
