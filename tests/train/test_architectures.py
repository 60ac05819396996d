"""Twenty-seven architectures: read in batches, written, fitted, killed and resumed, saved and read again."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from wherefore.study.grid import Cell
from wherefore.train.bases.models import load
from wherefore.train.encoding.encoder import EncodedRow, Encoder
from wherefore.train.fitting.checkpoint import Checkpoint
from wherefore.train.fitting.fit import fit
from wherefore.train.fitting.loss import shaping_of
from wherefore.train.reading.engine import Engine, ends
from wherefore.train.reading.writing import Stop
from wherefore.train.settings import Lora, Settings, StoredBase


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    out = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(out)
    return out


architectures, families = module("architectures"), module("families")
SETTINGS = Settings(
    epochs=2, batch=2, lora=Lora(rank=2, alpha=4), precision="float32", checkpoint_seconds=0, max_length=250
)
CELL = Cell(base="x", target="label_only", n=4, learning_rate=1e-2, seed=0)


@pytest.fixture(scope="module", params=architectures.ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp(request.param)
    architectures.small(request.param).save_pretrained(out)
    families.tokenizer("gpt2").save_pretrained(out)
    return out


def fresh(folder: Path, adapter: Path | None = None) -> tuple[Any, Encoder]:
    return load(StoredBase(path=str(folder)), folder, SETTINGS, adapter)


def texts(lengths: tuple[int, ...]) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [rng.integers(3, 300, n).tolist() for n in lengths]


def test_batches_prompts_and_writing_are_what_each_row_alone_gives(folder: Path) -> None:
    model, encoder = fresh(folder)
    no, yes = (t[0] for t in encoder.labels.tokens)
    rows = texts((90, 33, 71, 12))
    engine = Engine(model, encoder, 4)
    with torch.no_grad():
        alone = [
            torch.softmax(model(input_ids=torch.tensor([r])).logits[0, -1, [no, yes]].double(), 0)
            for r in rows
        ]
    want = np.array([p.numpy() for p in alone])
    assert engine.probabilities(rows) == pytest.approx(want, abs=1e-5)
    engine.prime([r[:-5] for r in rows])
    assert engine.probabilities(rows) == pytest.approx(want, abs=1e-5)
    written = Engine(model, encoder, 4).write(rows, Stop("\nAnswer:", ends(model, encoder), 8, loops=False))
    for row, w in zip(rows, written, strict=True):
        ids = torch.tensor([row])
        options = {"max_new_tokens": 8, "do_sample": False, "pad_token_id": 0}
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **options)[0, len(row) :]
        assert out.tolist()[: len(w.ids)] == list(w.ids)


def test_a_fit_is_resumed_to_the_same_bytes_and_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        EncodedRow(str(i), tuple(r), (0,) * (len(r) - 3) + (1, 1, 2))
        for i, r in enumerate(texts((40, 25, 33, 18)))
    ]

    def run(name: str) -> bytes:
        (tmp_path / name).mkdir(exist_ok=True)
        model, _ = fresh(folder)
        assert shaping_of(model) is not None  # its head is read in chunks
        fit(model, rows, CELL, SETTINGS, tmp_path / name, key="k")
        assert not any("lora" in n for n, _ in model.get_output_embeddings().named_parameters())
        return (tmp_path / name / "adapter" / "adapter_model.safetensors").read_bytes()

    whole = run("whole")
    after = Checkpoint.after

    def kill(self: Checkpoint, lines: Any, *rest: Any) -> None:
        after(self, lines, *rest)
        if len(lines) == 2:
            raise InterruptedError

    monkeypatch.setattr(Checkpoint, "after", kill)
    with pytest.raises(InterruptedError):
        run("killed")
    monkeypatch.setattr(Checkpoint, "after", after)
    assert run("killed") == whole

    model, encoder = fresh(folder)
    untrained = Engine(model, encoder, 4).probabilities([r.ids for r in rows])
    (tmp_path / "again").mkdir()
    fit(model, rows, CELL, SETTINGS, tmp_path / "again", key="k")
    fitted = Engine(model, encoder, 4).probabilities([r.ids for r in rows])
    merged, _ = fresh(folder, tmp_path / "again" / "adapter")
    assert Engine(merged, encoder, 4).probabilities([r.ids for r in rows]) == pytest.approx(fitted, abs=1e-5)
    assert np.abs(fitted - untrained).max() > 1e-4
