"""The commands on a real run folder: shards, inspect, export; and the limiter on its own."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from wherefore.cli.main import main
from wherefore.study.records import read_jsonl
from wherefore.synth.asking.limiter import Limiter
from wherefore.synth.records import Rationale

Write = Callable[..., Path]
STUDY = """
name = "t"
[cohort]
source = {{ name = "simulated", people = 100 }}
[synth]
teacher = {{ name = "reference", faults = 0.2 }}
{more}
"""


def command(*args: object) -> Any:
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture
def run_folder(cohort: Write, tmp_path: Path) -> tuple[Path, Path]:
    """A study file, and the folder of runs in which its cohort stands."""
    cohort(tmp_path / "runs" / "t", 30)
    study = tmp_path / "study.toml"
    study.write_text(STUDY.format(more=""))
    return study, tmp_path / "runs"


def test_shards_synth_inspect_and_export(run_folder: tuple[Path, Path], tmp_path: Path) -> None:
    study, runs = run_folder
    for i in (1, 2):
        out = command("synth", study, "--runs", runs, "--shard", f"{i}/2")
        assert f"shard {i}/2 is done" in out.output, out.output
    assert "rationales" in command("synth", study, "--runs", runs).output
    assert "up to date" in command("synth", study, "--runs", runs).output

    shown = command("inspect", study, "--runs", runs, "--fault", "any", "--most", "2").output
    assert shown.count("FAULT") >= 2
    assert "[E0" in shown
    assert (
        "'futur' is not a fault; did you mean 'future'?"
        in command("inspect", study, "--runs", runs, "--fault", "futur").output
    )

    made = list(read_jsonl(runs / "t" / "synth" / "rationales.jsonl", Rationale))
    for form, name in (
        ("datasets", "data/train.parquet"),
        ("parquet", "train.parquet"),
        ("jsonl", "train.jsonl"),
    ):
        target = tmp_path / form
        out = command("export", study, "--runs", runs, "--to", target, "--form", form)
        assert out.exit_code == 0, out.output
        path = target / name
        rows = (
            [json.loads(line) for line in path.read_text().splitlines()]
            if form == "jsonl"
            else pq.read_table(path).to_pylist()
        )
        assert rows[0]["text"] in {r.text for r in made}
        assert "history" not in rows[0]
        assert (target / "README.md").exists()
    assert (
        "exists. Choose a new folder"
        in command("export", study, "--runs", runs, "--to", tmp_path / "jsonl").output
    )


def test_the_datasets_library_reads_the_export(
    run_folder: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HOME", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    study, runs = run_folder
    command("synth", study, "--runs", runs)
    command("export", study, "--runs", runs, "--to", tmp_path / "corpus", "--with-history")
    found = datasets.load_dataset(str(tmp_path / "corpus"), cache_dir=str(tmp_path / "cache"))
    made = {r.id: r for r in read_jsonl(runs / "t" / "synth" / "rationales.jsonl", Rationale)}
    rows = [row for split in found.values() for row in split]
    assert {row["id"] for row in rows} == set(made)
    for row in rows:
        claims = [c.model_dump() | {"cites": list(c.cites)} for c in made[row["id"]].claims]
        assert row["claims"] == claims
        assert "[E0" in row["history"]


def test_a_bad_shard_or_form_is_one_line(run_folder: tuple[Path, Path], tmp_path: Path) -> None:
    study, runs = run_folder
    assert "invalid shard '3/2'" in command("synth", study, "--runs", runs, "--shard", "3/2").output
    command("synth", study, "--runs", runs)
    out = command("export", study, "--runs", runs, "--to", tmp_path / "x", "--form", "csv")
    assert out.exit_code == 1
    assert "'csv' is not a form; known: datasets, jsonl, parquet." in out.output
    assert not (tmp_path / "x").exists()


def simulated(bears: int, lone_429: float = 0.0, most: int = 400, rounds: int = 4000) -> tuple[Limiter, int]:
    """Requests against an endpoint that bears so many at once; in simulated order, without waiting."""
    import random

    rng = random.Random(3)

    async def work() -> tuple[Limiter, int]:
        limiter, refused = Limiter(most), 0
        for _ in range(rounds // 40):
            n = min(int(limiter.limit), most)
            for _ in range(n):
                await limiter.acquire()
            over = max(0, n - bears)
            for i in range(n):
                no = i < over or rng.random() < lone_429
                refused += no
                limiter.release(latency=None if no else 0.001, refused=no)
            await asyncio.sleep(0.002)
        return limiter, refused

    return asyncio.run(work())


def test_the_limiter_finds_what_the_endpoint_bears() -> None:
    limiter, _ = simulated(bears=100)
    assert 70 <= limiter.limit <= 130
    assert limiter.cuts >= 1


def test_lone_refusals_do_not_slow_it_down() -> None:
    limiter, refused = simulated(bears=10_000, lone_429=0.01)
    assert refused > 100
    assert limiter.limit == limiter.most
