"""Gradients of label and reasons apart: compared, projected; and fits of two stages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wherefore.cohort.records import Case
from wherefore.study.grid import Cell
from wherefore.synth.records import Rationale
from wherefore.train.encoding.encoder import LABEL, EncodedRow, Encoder
from wherefore.train.fitting.checkpoint import Checkpoint
from wherefore.train.fitting.fit import fit
from wherefore.train.fitting.gradients import Parted
from wherefore.train.fitting.losses import loss as loss_of
from wherefore.train.fitting.optimise import Schedule, train
from wherefore.train.fitting.schedule import paces
from wherefore.train.settings import Lora, Settings
from wherefore.train.targets import TARGETS


@pytest.fixture
def rows(cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]) -> list[EncodedRow]:
    build = TARGETS["free_rationale"].build
    return [loaded[1].row(build(c, reasons[c.id], "Dementia?")[0]) for c in cases[:8]]


def by_hand(model: Any, rows: list[EncodedRow]) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of the label's part and of the rest of the group mean, from full logits of each row."""
    out = []
    n = {g: sum(r.groups.count(g) for r in rows) for g in (1, 2)}
    for group in (2, 1):
        model.zero_grad()
        total = torch.zeros(())
        for row in rows:
            logs = torch.log_softmax(model(input_ids=torch.tensor([row.ids])).logits[0], -1)
            for t, g in enumerate(row.groups):
                if g == group:
                    total = total - logs[t - 1, row.ids[t]] / n[g] / 2
        total.backward()
        out.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    model.zero_grad()
    return out[0], out[1]


def stepped(model: Any, rows: list[EncodedRow], **plan: Any) -> tuple[torch.Tensor, dict[str, float]]:
    """The gradient that one step follows, and its metrics."""
    found = {}

    def kept(parameters: Any, most: float) -> float:
        found["gradient"] = torch.cat([p.grad.flatten() for p in parameters])
        return 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.utils, "clip_grad_norm_", kept)
        schedule = Schedule(epochs=1, batch=8, learning_rate=0.0, seed=0, **plan)
        (line,) = train(model, rows, loss_of("group_mean"), schedule)
    return found["gradient"], line


@pytest.mark.parametrize("micro_batch", [None, 3])
def test_gradients_are_compared_and_projected_as_by_hand(
    micro_batch: int | None, rows: list[EncodedRow], loaded: tuple[Any, Encoder]
) -> None:
    model = loaded[0]
    label, others = by_hand(model, rows)
    cosine = float(torch.nn.functional.cosine_similarity(label, others, dim=0))
    whole, line = stepped(model, rows, micro_batch=micro_batch, compare_every=1)
    assert line["cosine"] == pytest.approx(cosine, abs=1e-3)
    assert line["norm_label"] == pytest.approx(float(label.norm()), rel=1e-3)
    assert line["norm_others"] == pytest.approx(float(others.norm()), rel=1e-3)
    assert float((whole - label - others).abs().max()) < 1e-5
    projected, _ = stepped(model, rows, micro_batch=micro_batch, projected=True)
    inner = float(label @ others)
    want = label + others - (inner / float(label @ label) * label if inner < 0 else 0)
    assert float((projected - want).abs().max()) < 1e-5


def test_only_what_works_against_the_label_is_taken_away() -> None:
    label, against, beside = (
        [torch.tensor([1.0, 0.0])],
        [torch.tensor([-2.0, 1.0])],
        [torch.tensor([2.0, 1.0])],
    )
    assert Parted(label, against).projected()[0].tolist() == [1.0, 1.0]
    assert Parted(label, beside).projected()[0].tolist() == [3.0, 1.0]
    assert Parted(label, against).compared()["cosine"] == pytest.approx(-2 / 5**0.5)
    assert "cosine" not in Parted(label, [torch.zeros(2)]).compared()


def fitted(target: str, base: Path, rows: Any, folder: Path, cell: dict[str, Any], **settings: Any) -> Any:
    from wherefore.train.bases.models import load
    from wherefore.train.settings import Made

    folder.mkdir()
    model, encoder = load(Made(make="tiny"), base, Settings())
    a_cell = Cell.model_validate(
        {"base": "tiny", "target": target, "n": 8, "learning_rate": 1e-2, "seed": 0, **cell}
    )
    lora = Lora(
        rank=2, alpha=4, dropout=0.1
    )  # dropout draws random numbers: a comparison may not use them up
    chosen = Settings(batch=4, lora=lora, precision="float32", **settings)
    result = fit(model, rows, a_cell, chosen, folder, classes=encoder.labels.tokens)
    return result, (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_a_comparison_changes_no_weight_and_stands_in_the_record(
    rows: list[EncodedRow], base: Path, tmp_path: Path
) -> None:
    never, bytes_ = fitted("free_rationale", base, rows, tmp_path / "a", {}, epochs=2, compare_every=0)
    often, same = fitted("free_rationale", base, rows, tmp_path / "b", {}, epochs=2, compare_every=2)
    assert same == bytes_
    assert (never.gradients, often.gradients.steps) == (None, 2)
    assert -1 <= often.gradients.cosine <= 1
    projected, other = fitted("free_rationale", base, rows, tmp_path / "c", {"projected": True}, epochs=2)
    assert other != bytes_
    assert projected.gradients.steps == 4
    labels = [EncodedRow(r.case, r.ids, tuple(g if g == LABEL else 0 for g in r.groups)) for r in rows]
    assert fitted("label_only", base, labels, tmp_path / "d", {}, epochs=1)[0].gradients is None


def test_each_stage_has_its_own_warm_up_and_optimiser(
    rows: list[EncodedRow], loaded: tuple[Any, Encoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Schedule(epochs=4, batch=4, learning_rate=1e-2, seed=0, warmup=0.5, stages=(2, 2))
    found = paces([[[r] for r in rows]] * 4, plan)
    assert [p for p, _ in found[:4]] == [p for p, _ in found[4:]]
    assert [i for i, (_, anew) in enumerate(found) if anew] == [0, 4]
    cleared: list[int] = []
    original = torch.optim.AdamW

    class Watched(original):  # type: ignore[misc, valid-type]
        def step(self, *args: Any) -> Any:
            cleared.append(len(self.state))
            return super().step(*args)

    monkeypatch.setattr(torch.optim, "AdamW", Watched)
    list(train(loaded[0], rows, loss_of("token_mean"), plan))
    assert [i for i, n in enumerate(cleared) if n == 0] == [0, 4]


def test_rows_of_each_epoch_are_taught_in_that_epoch_and_a_killed_fit_goes_on(
    rows: list[EncodedRow], base: Path, tmp_path: Path
) -> None:
    """Two stages with other rows in each, stopped after every possible step."""
    from wherefore.train.bases.models import load
    from wherefore.train.settings import Made

    second = [EncodedRow(r.case, r.ids, tuple(g if g == LABEL else 0 for g in r.groups)) for r in rows]
    each = [rows, second]
    plan = Schedule(epochs=2, batch=4, learning_rate=1e-2, seed=0, stages=(1, 1))

    def run(stop: int | None, path: Path) -> tuple[list[dict[str, float]], list[Any]]:
        model, _ = load(Made(make="tiny"), base, Settings())
        keeper = Checkpoint(path, "key", 0)
        lines = []
        for line in train(model, each, loss_of("token_mean"), plan, keeper=keeper):
            lines.append(line)
            if len(lines) == stop:
                break
        return lines, [p.detach().clone() for p in model.parameters()]

    want, weights = run(None, tmp_path / "whole.pt")
    assert [sorted(k for k in line if k.startswith("tokens_")) for line in want] == (
        [["tokens_1", "tokens_2"]] * 2 + [["tokens_2"]] * 2
    )
    for stop in (1, 2, 3):
        path = tmp_path / f"{stop}.pt"
        run(stop, path)
        lines, again = run(None, path)
        assert lines == want
        assert all(torch.equal(a, b) for a, b in zip(again, weights, strict=True))
    assert np.isfinite([line["loss"] for line in want]).all()
