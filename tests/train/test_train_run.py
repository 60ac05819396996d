"""The whole stage on a toy study: real fits of a model of a few thousand parameters, in worker processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from wherefore.study.config import Study
from wherefore.study.errors import StaleError, StudyError
from wherefore.study.records import read_table
from wherefore.study.runs import MANIFEST, manifest
from wherefore.train.records import Fit, Prediction
from wherefore.train.run import CellsFailedError, resolve, run

READ = {
    "label_only": {"direct"},
    "free_rationale": {"direct", "own_rationale", "teacher_rationale"},
    "stepwise_rationale": {"direct", "own_rationale", "teacher_rationale"},
    "label_then_rationale": {"direct"},
}


def predictions(home: Path) -> dict[str, pd.DataFrame]:
    return {
        p.parent.name: read_table(p, Prediction) for p in sorted(home.glob("train/*/predictions.parquet"))
    }


@pytest.mark.slow
def test_a_study_is_fitted_read_resumed_and_reproduced(toy: Path, study: Study, tmp_path: Path) -> None:
    assert run(study, toy) is True
    cells = pd.read_csv(toy / "train" / "cells.csv")
    assert cells["state"].tolist() == ["done"] * 5
    found = predictions(toy)
    held_out = [f"c{i:03d}" for i in range(40, 52)]
    for row in cells.itertuples():
        table = found[row.id]
        assert set(table["readout"]) == READ[row.target]
        for _, of_one in table.groupby("readout"):
            assert of_one["case"].tolist() == held_out
        fit = Fit.model_validate_json((toy / "train" / row.id / "fit.json").read_text())
        assert (fit.examples, fit.tokens["label"], fit.steps) == (24, 24, 3)
        assert (toy / "train" / row.id / "tuning.parquet").exists()
    baselines = found["baselines"]
    names = ("age_sex", "bayes", "gradient_boosting", "logistic_regression")
    assert baselines.groupby("cell")["case"].apply(list).to_dict() == dict.fromkeys(names, held_out)

    assert run(study, toy) is False  # all there
    with pytest.raises(StaleError, match="epochs 1 -> 2"):
        run(study.model_copy(update={"train": {**study.train, "epochs": 2}}), toy)

    # A cell whose fit is finished and whose reading was cut off is read again, not fitted again.
    cell = toy / "train" / cells["id"][0]
    (cell / MANIFEST).unlink()
    (cell / "predictions.parquet").unlink()
    fitted = (cell / "fit.json").stat().st_mtime_ns
    assert run(study, toy) is True
    assert (cell / "fit.json").stat().st_mtime_ns == fitted
    pd.testing.assert_frame_equal(predictions(toy)[cell.name], found[cell.name])


@pytest.mark.slow
def test_a_failed_cell_is_recorded_and_the_others_go_on(toy: Path, study: Study) -> None:
    grid = {"expect": 2, "target": ("label_only",), "n": (24, 32), "learning_rate": (1e-2,)}
    two = Study.model_validate(
        {**study.model_dump(), "grid": grid, "train": {**study.train, "baselines": []}}
    )
    first, second = two.grid.cells() if two.grid else []
    in_the_way = toy / "train" / second.id / "adapter"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("a file where a folder has to be")
    with pytest.raises(CellsFailedError, match="1 of 2 cells failed; first label_only n=32"):
        run(two, toy)
    cells = pd.read_csv(toy / "train" / "cells.csv").set_index("id")
    assert cells["state"].to_dict() == {first.id: "done", second.id: "failed"}
    assert "Traceback" in (toy / "train" / second.id / "failure.json").read_text()
    assert manifest(toy / "train" / first.id) is not None

    in_the_way.unlink()
    assert run(two, toy) is True
    assert pd.read_csv(toy / "train" / "cells.csv")["state"].tolist() == ["done"] * 2
    assert not (toy / "train" / second.id / "failure.json").exists()


@pytest.mark.slow
def test_killed_at_any_moment_the_same_call_finishes(toy: Path, study: Study, tmp_path: Path) -> None:
    study_file = tmp_path / "study.json"
    study_file.write_text(study.model_dump_json())
    script = (
        "import sys, pathlib\n"
        "from wherefore.study.config import Study\n"
        "from wherefore.train.run import run\n"
        "if __name__ == '__main__':\n"
        "    run(Study.model_validate_json(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2]))\n"
    )
    (tmp_path / "go.py").write_text(script)
    command = [sys.executable, str(tmp_path / "go.py"), str(study_file), str(toy)]
    finished: set[str] = set()
    for wanted in (0, 2):  # finished cells at which it is killed; 0: while the base is made
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            deadline = time.monotonic() + 120
            base = toy / "train" / "bases" / "tiny"
            while p.poll() is None and time.monotonic() < deadline:
                cells = {m.parent.name for m in toy.glob(f"train/*/{MANIFEST}")} - {"baselines"}
                if len(cells) >= wanted and (base / ("metrics.jsonl" if wanted == 0 else MANIFEST)).exists():
                    break
                time.sleep(0.01)
            os.kill(p.pid, signal.SIGKILL)
        now = {m.parent.name for m in toy.glob(f"train/*/{MANIFEST}")}
        assert finished <= now
        finished = now
        for done in now:
            written = manifest(toy / "train" / done)
            assert written is not None
            assert all((toy / "train" / done / name).exists() for name in written.outputs)
    time.sleep(1)  # the workers see that their parent is gone
    run(study, toy)
    assert pd.read_csv(toy / "train" / "cells.csv")["state"].tolist() == ["done"] * 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"epoch": 3}}, "train.epoch: unknown key; did you mean 'epochs'"),
        ({"train": {"readouts": ["dirct"]}}, "'dirct' is not a read-out; did you mean 'direct'"),
        ({"train": {"baselines": ["bays"]}}, "'bays' is not a baseline; did you mean 'bayes'"),
        (
            {"grid": {"expect": 1, "target": ["label"], "n": [1]}},
            "'label' is not a target; did you mean 'label_only'",
        ),
        ({"grid": {"expect": 1, "target": ["label_only"], "n": [1], "base": ["tny"]}}, "'tny' is not a base"),
        ({"bases": {"tiny": {"make": "huge"}}}, "bases.tiny.make"),
        ({"bases": {"tiny": {}}}, "found none of 'make', 'path', 'hub' and 'package'"),
        ({"bases": {"tiny": {"make": "tiny", "heads": 3}}}, "not an even multiple of 3 heads"),
    ],
)
def test_what_does_not_exist_is_refused_before_any_work(changes: dict, message: str, study: Study) -> None:
    wrong = Study.model_validate({**study.model_dump(), **changes})
    with pytest.raises(StudyError, match=message.replace("(", r"\(")):
        resolve(wrong)


def test_cells_and_shards_choose_and_refuse(study: Study) -> None:
    from wherefore.train.run import chosen

    cells = study.grid.cells() if study.grid else []
    assert chosen(cells, [], (2, 2)) == [cells[1], cells[3]]
    assert chosen(cells, [cells[4].id[:6]], (1, 1)) == [cells[4]]
    with pytest.raises(StudyError, match="'zzz' is not a cell"):
        chosen(cells, ["zzz"], (1, 1))
    with pytest.raises(StudyError, match="invalid shard 6/5"):
        chosen(cells, [], (6, 5))
