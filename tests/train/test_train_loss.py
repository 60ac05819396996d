"""The loss is the cross-entropy one gets by hand, token by token, under either way of taking the mean."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wherefore.cohort.records import Case
from wherefore.study.grid import Cell
from wherefore.synth.records import Rationale
from wherefore.train.encoding.encoder import EncodedRow, Encoder
from wherefore.train.fitting.fit import fit
from wherefore.train.fitting.loss import Shaping
from wherefore.train.fitting.losses import LOSSES
from wherefore.train.fitting.optimise import Schedule, batches, token_losses, train
from wherefore.train.settings import Lora, Settings
from wherefore.train.targets import TARGETS


@pytest.fixture
def rows(cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]) -> list[EncodedRow]:
    build = TARGETS["label_then_rationale"].build
    return [loaded[1].row(build(c, reasons[c.id], "Dementia?")[0]) for c in cases]


def by_hand(model: Any, row: EncodedRow) -> dict[int, list[float]]:
    """Cross-entropy of each counted token of one row, alone and unpadded, by group."""
    logits = model(input_ids=torch.tensor([row.ids])).logits[0].double()
    nats: dict[int, list[float]] = {1: [], 2: []}
    for t in range(1, len(row.ids)):
        if row.groups[t]:
            nats[row.groups[t]].append(-float(torch.log_softmax(logits[t - 1], dim=0)[row.ids[t]].detach()))
    return nats


def test_token_losses_of_a_padded_batch_are_those_of_each_row_alone(
    rows: list[EncodedRow], loaded: tuple[Any, Encoder]
) -> None:
    model = loaded[0]
    some = rows[:5]
    assert len({len(r.ids) for r in some}) > 1
    groups = np.concatenate([[g for g in r.groups if g] for r in some])
    weights = np.linspace(0.1, 1.0, len(groups), dtype=np.float32)
    loss, nats = token_losses(model, some, weights, Shaping(), "cpu")
    for g in (1, 2):
        want = [x for r in some for x in by_hand(model, r)[g]]
        assert nats.numpy()[groups == g] == pytest.approx(want, abs=1e-5)
    assert float(loss.detach()) == pytest.approx(float((nats.numpy() * weights).sum()), abs=1e-4)


@pytest.mark.parametrize("loss", ["token_mean", "group_mean"])
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_the_loss_of_a_step_is_the_one_by_hand(
    loss: str, micro_batch: int | None, rows: list[EncodedRow], loaded: tuple[Any, Encoder]
) -> None:
    model, some = loaded[0], rows[:8]
    nats = [by_hand(model, r) for r in some]
    rationale, label = ([x for n in nats for x in n[g]] for g in (1, 2))
    want = {
        "token_mean": np.mean(rationale + label),
        "group_mean": (np.mean(rationale) + np.mean(label)) / 2,
    }[loss]
    plan = Schedule(epochs=1, batch=8, learning_rate=0.0, seed=0, micro_batch=micro_batch)
    (line,) = train(model, some, LOSSES[loss], plan)
    assert line["loss"] == pytest.approx(want, abs=1e-5)
    assert line["nats_2"] == pytest.approx(np.mean(label), abs=1e-5)
    assert (line["tokens_1"], line["tokens_2"]) == (len(rationale), 8)


def test_batches_hold_each_row_once_and_similar_lengths() -> None:
    lengths = np.random.default_rng(0).integers(10, 500, 400).tolist()
    made = batches(lengths, 8, np.random.default_rng(1))
    assert sorted(i for b in made for i in b) == list(range(400))
    spread = np.mean([max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in made])
    assert spread < 60  # 8 rows at random are 380 apart on average


@pytest.mark.parametrize("loss", ["token_mean", "group_mean"])
def test_mix_and_align_are_one_target_under_two_losses(
    loss: str, cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    build = TARGETS["two_branches"].build
    rows = [loaded[1].row(e) for c in cases[:4] for e in build(c, reasons[c.id], "Dementia?")]
    label = [x for r in rows[::2] for x in by_hand(loaded[0], r)[2]]
    reason = [x for r in rows[1::2] for x in by_hand(loaded[0], r)[1]]
    want = np.mean(label + reason) if loss == "token_mean" else 0.5 * np.mean(label) + 0.5 * np.mean(reason)
    plan = Schedule(epochs=1, batch=4, learning_rate=0.0, seed=0)
    (line,) = train(loaded[0], rows, LOSSES[loss], plan)  # one step: both branches of a case are in one batch
    assert line["loss"] == pytest.approx(want, abs=1e-5)


def quick(rows: list[EncodedRow], model: Any, folder: Path, seed: int = 0) -> dict[str, float]:
    folder.mkdir()
    cell = Cell(base="tiny", target="label_then_rationale", n=40, learning_rate=1e-2, seed=seed)
    settings = Settings(epochs=2, batch=8, lora=Lora(rank=2, alpha=4), precision="float32")
    return fit(model, rows, cell, settings, folder).final_loss


def test_the_same_seed_gives_the_same_adapter(rows: list[EncodedRow], base: Path, tmp_path: Path) -> None:
    from wherefore.train.bases.models import load
    from wherefore.train.settings import Made

    adapters = []
    for i, seed in enumerate((0, 0, 1)):
        model, _ = load(Made(make="tiny"), base, Settings())
        quick(rows, model, tmp_path / str(i), seed)
        adapters.append((tmp_path / str(i) / "adapter" / "adapter_model.safetensors").read_bytes())
    assert adapters[0] == adapters[1]
    assert adapters[0] != adapters[2]


def test_a_fit_lowers_the_loss_of_what_it_is_taught(
    rows: list[EncodedRow], loaded: tuple[Any, Encoder], tmp_path: Path
) -> None:
    before = {g: np.mean([x for r in rows for x in by_hand(loaded[0], r)[g]]) for g in (1, 2)}
    after = quick(rows, loaded[0], tmp_path / "fit")
    assert after["rationale"] < before[1]
    assert set(after) == {"rationale", "label"}
