"""Shards by hand and over Ray: together they ask everything once, and the whole stage needs no request more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import BusyError, StaleError
from wherefore.study.records import read_jsonl
from wherefore.study.runs import locked
from wherefore.synth.records import Rationale, Refusal
from wherefore.synth.run import run
from wherefore.synth.shards import run_shard

Write = Callable[..., Path]
Start = Callable[..., Any]


def study(url: str, **job: Any) -> Study:
    teacher = {"name": "openai", "model": "m", "base_url": url}
    return Study(
        name="t", cohort={}, synth={"teacher": teacher, "styles": ["free"], "job": {"in_flight": 8, **job}}
    )


def rows(home: Path) -> tuple[list[Rationale], list[Refusal]]:
    folder = home / "synth"
    return (
        list(read_jsonl(folder / "rationales.jsonl", Rationale)),
        list(read_jsonl(folder / "refusals.jsonl", Refusal)),
    )


def test_shards_and_the_whole_ask_everything_once(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server, alone = endpoint(), endpoint()
    home = cohort(tmp_path / "shards", 40)
    for i in (1, 2, 3):
        run_shard(study(server.url), home, (i, 3))
    asked = sum(server.received.values())
    run(study(server.url), home)
    assert sum(server.received.values()) == asked == len(rows(home)[0])
    other = cohort(tmp_path / "whole", 40)
    run(study(alone.url), other)
    assert (home / "synth" / "rationales.jsonl").read_bytes() == (
        other / "synth" / "rationales.jsonl"
    ).read_bytes()
    assert run_shard(study(server.url), home, (1, 3)) == asked
    with pytest.raises(StaleError, match="made from other"):
        run_shard(study(server.url).model_copy(update={"seed": 5}), home, (1, 3))


def test_a_shard_waits_for_the_whole_stage(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    home = cohort(tmp_path, 5)
    with locked(home / "synth"), pytest.raises(BusyError, match="running the whole stage"):
        run_shard(study(endpoint().url), home, (1, 2))


def test_again_sets_aside_and_pays_for_nothing_twice(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint()
    home = cohort(tmp_path, 12)
    run(study(server.url), home)
    asked = sum(server.received.values())
    more = Study.model_validate(
        {**study(server.url).model_dump(), "synth": {**study(server.url).synth, "reask": 3}}
    )
    with pytest.raises(StaleError, match="reask"):
        run(more, home)
    assert run(more, home, again=True)
    assert sum(server.received.values()) == asked
    assert len(list(home.glob("synth-*/manifest.json"))) == 1


@pytest.mark.slow
def test_two_ray_workers_share_one_limit(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    server = endpoint(latency=0.05)
    home = cohort(tmp_path, 80)
    run(study(server.url, ray=2), home)
    made, refused = rows(home)
    assert len(made) + len(refused) == 80
    assert set(server.received.values()) == {1}
    assert {p.name for p in (home / "synth" / "ledger").iterdir()} == {"1-of-2", "2-of-2", "main"}
    assert (
        server.most_in_flight <= 12
    )  # 8 of both together; a part that was given away may be in use a moment yet


def test_without_ray_the_switch_is_one_line(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        from wherefore.study.errors import MissingPartError

        with pytest.raises(MissingPartError, match=r"synth\.job\.ray: Ray is not installed"):
            run(study(endpoint().url, ray=2), cohort(tmp_path, 3))
