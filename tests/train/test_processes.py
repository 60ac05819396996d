"""Two processes that share a fit take the steps of one: the same losses, the same weights."""

import json
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from wherefore.cohort.records import Case
from wherefore.synth.records import Rationale
from wherefore.train.encoding.encoder import EncodedRow
from wherefore.train.targets import TARGETS

SCRIPT = """
import pickle, sys, torch
from pathlib import Path
from wherefore.study.grid import Cell
from wherefore.train.bases.models import load
from wherefore.train.fitting.fit import fit
from wherefore.train.fitting.processes import Processes
from wherefore.train.settings import Lora, Made, Settings
torch.set_num_threads(1)
rows, base, out = pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]), Path(sys.argv[3])
settings = Settings(epochs=2, batch=5, lora=Lora(rank=2, alpha=4), precision="float32", checkpoint_seconds=0)
cell = Cell(base="tiny", target="label_then_rationale", n=12, learning_rate=1e-2, seed=0, loss="group_mean")
model, _ = load(Made(make="tiny"), base, settings)
out.mkdir(exist_ok=True)
fit(model, rows, cell, settings, out, key="k", processes=Processes.launched())
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(
    base: Path, cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Any], tmp_path: Path
) -> None:
    build = TARGETS["label_then_rationale"].build
    rows: list[EncodedRow] = [loaded[1].row(build(c, reasons[c.id], "Dementia?")[0]) for c in cases[:12]]
    (tmp_path / "rows").write_bytes(pickle.dumps(rows))
    (tmp_path / "go.py").write_text(SCRIPT)
    script = [str(tmp_path / "go.py"), str(tmp_path / "rows"), str(base)]
    launch = [
        "-m",
        "accelerate.commands.launch",
        "--cpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
    ]
    subprocess.run([sys.executable, *script, str(tmp_path / "one")], check=True, timeout=200)
    two = [sys.executable, *launch, "--main_process_port", str(free_port()), *script, str(tmp_path / "two")]
    subprocess.run(two, check=True, timeout=250, capture_output=True)
    lines = [
        [json.loads(x) for x in (tmp_path / n / "metrics.jsonl").read_text().splitlines()]
        for n in ("one", "two")
    ]
    assert len(lines[0]) == len(lines[1]) == 6
    for one, other in zip(*lines, strict=True):
        assert one["tokens_1"] == other["tokens_1"]
        for name in ("loss", "nats_1", "nats_2", "gradient_norm"):
            assert other[name] == pytest.approx(one[name], rel=1e-4), name
    weights = [load_file(tmp_path / n / "adapter" / "adapter_model.safetensors") for n in ("one", "two")]
    for name, value in weights[0].items():
        assert weights[1][name].numpy() == pytest.approx(value.numpy(), abs=1e-4)
