"""How fast and how big: 10^7 MEDS events of 100,000 people read, windowed, labelled, counted, and rendered.

    python benchmarks/cohort.py [--events 10000000] [--data FOLDER] [--repeats 3] [--stage | --million]

The peer is a bare pyarrow + numpy pass over the same columns that finds the same labels and counts. Each measurement
runs in a process of its own, alternating with its peer, on one thread; seconds are CPU seconds, medians of the
repeats; memory is the peak of the process, the imports included. The whole stage, timelines and files included, has
an earlier commit of this repository as its peer, once each. `--million` is the whole stage over a million people of
100 events in 100 files, once, without a peer. Exits 1 when a goal is missed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

PER_PERSON, SHARDS, MILLION = 100, 10, 1_000_000
AGE, HORIZON = 70, 5.0
YEAR = 365.25


def generate(folder: Path, events: int, shards: int = SHARDS) -> None:
    """MEDS shards with about `events` rows: births, visits' worth of codes and labs over a life, some deaths."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = folder / "data"
    if (folder / "done").exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    codes = np.array(
        ["MEDS_BIRTH", "MEDS_DEATH", "SEX//F", "SEX//M", "ICD10//G30.9", "ICD10//F03.90", "ICD10//F01.50"]
        + [
            f"ICD10//{chr(65 + i % 26)}{i // 26:02d}.{i % 10}"
            for i in range(26 * 40)
            if chr(65 + i % 26) not in "FG"
        ]
        + [f"RxNorm//{1000 + i}" for i in range(500)]
        + [f"LAB//{50000 + i}//mg/dL" for i in range(400)]
    )
    weights = 1 / np.arange(1, len(codes) - 6)
    people = events // PER_PERSON
    for shard in range(shards):
        rng = np.random.default_rng(shard)
        n = people // shards
        person = np.repeat(np.arange(n), PER_PERSON)
        day = rng.integers(20 * 365, 82 * 365, len(person))
        code = 7 + rng.choice(len(weights), len(person), p=weights / weights.sum())
        first = np.arange(n) * PER_PERSON
        code[first], day[first] = 0, 0
        code[first + 1], day[first + 1] = 2 + rng.integers(0, 2, n), -1
        ill = rng.random(n) < 0.12
        code[first[ill] + 2], day[first[ill] + 2] = (
            4 + rng.integers(0, 3, ill.sum()),
            rng.integers(66 * 365, 82 * 365, ill.sum()),
        )
        dead = rng.random(n) < 0.3
        code[first[dead] + 3], day[first[dead] + 3] = 1, 83 * 365
        order = np.lexsort((day, person))
        person, day, code = person[order], day[order], code[order]
        birth = (np.datetime64("1930-01-01") + rng.integers(0, 7000, n)).astype("M8[us]")
        time_ = birth[person] + np.maximum(day, 0).astype("m8[D]").astype("m8[us]")
        null = day == -1
        value = np.where(
            np.char.startswith(codes, "LAB")[code], rng.normal(100, 20, len(code)), np.nan
        ).astype(np.float32)
        table = pa.table(
            {
                "subject_id": pa.array(person + shard * n + 1, pa.int64()),
                "time": pa.array(time_, pa.timestamp("us"), mask=null),
                "code": pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), pa.array(codes)),
                "numeric_value": pa.array(value, pa.float32(), mask=np.isnan(value)),
            }
        )
        pq.write_table(table, data / f"{shard}.parquet", compression="zstd")
    (folder / "done").touch()


def bare(folder: Path) -> dict[str, float]:
    """The peer: events before the prediction time, different codes, first code of the disease, label, per person."""
    import numpy as np
    import pyarrow.parquet as pq

    people = before = distinct = cases = 0
    for file in sorted((folder / "data").glob("*.parquet")):
        t = pq.read_table(
            file, columns=["subject_id", "time", "code", "numeric_value"], read_dictionary=["code"]
        ).combine_chunks()
        subject = t["subject_id"].combine_chunks().to_numpy()
        value = t["numeric_value"].combine_chunks().to_numpy(zero_copy_only=False)
        time_ = t["time"].combine_chunks().to_numpy(zero_copy_only=False).astype("M8[D]").astype(np.int64)
        array = t["code"].combine_chunks()
        names, code = array.dictionary.to_pylist(), array.indices.to_numpy()
        start = np.flatnonzero(np.append(True, subject[1:] != subject[:-1]))
        person = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(subject))))
        none = np.iinfo(np.int64).min
        birth = np.full(len(start), none)
        at = np.flatnonzero(code == names.index("MEDS_BIRTH"))
        birth[person[at]] = time_[at]
        index = birth + int(np.ceil(AGE * YEAR))
        seen = (time_ < index[person]) & (time_ != none)
        before += int(np.add.reduceat(seen.astype(np.int64), start).sum())
        pairs = np.sort(person[seen].astype(np.int64) << 32 | code[seen])
        distinct += int((np.diff(pairs) != 0).sum() + 1)
        wanted = np.array([n.startswith(("ICD10//F01", "ICD10//F03", "ICD10//G30")) for n in names])
        first = np.full(len(start), np.iinfo(np.int64).max)
        hit = np.flatnonzero(wanted[code])[::-1]
        first[person[hit]] = time_[hit]
        cases += int(((first > index) & (first <= index + HORIZON * YEAR)).sum())
        people += len(start)
        assert len(value) == len(code)
    return {"people": people, "cases": cases}


def ours(folder: Path) -> dict[str, float]:
    """The first pass of the stage."""
    from wherefore.cohort import build
    from wherefore.cohort.events import Place
    from wherefore.cohort.phenotype import code_set
    from wherefore.cohort.settings import Settings
    from wherefore.cohort.sources import meds

    start = time.process_time()
    settings, place = _settings(folder), Place(Path, 0, folder)
    records = meds.read(meds.Options(path=str(folder)), place)
    population, counts = build.first_pass(
        build.reading(records, settings, place.bad), settings, code_set("adrd", Path()), 0, None
    )
    assert isinstance(settings, Settings)
    cases = int((population["outcome"] == "onset").sum())
    return {"people": counts.people, "cases": cases, "work": time.process_time() - start}


def timelines(folder: Path) -> dict[str, float]:
    """People rendered, one shard, reading not counted."""
    import numpy as np

    from wherefore.cohort import build
    from wherefore.cohort.events import Place
    from wherefore.cohort.phenotype import code_set
    from wherefore.cohort.sources import meds
    from wherefore.cohort.task import asked
    from wherefore.cohort.tokens import counter

    settings, codes, place = _settings(folder), code_set("adrd", Path()), Place(Path, 0, folder)
    shard = next(iter(build.reading(meds.read(meds.Options(path=str(folder)), place), settings, place.bad)()))
    frame = asked(shard, settings, codes, 0)
    kept = frame[frame["reason"].isna()].assign(
        weight=1.0, sampling_weight=1.0, split="train", true_risk=None
    )
    start = time.process_time()
    cases, lines = build.rendered(shard, kept, settings, codes, counter(None), {})
    seconds = time.process_time() - start
    assert np.all(cases["n_total"] > 0)
    return {"seconds": seconds, "people": len(cases), "lines": len(lines)}


def stage(folder: Path) -> dict[str, float]:
    """The whole stage on disk, nobody sampled."""
    from wherefore.cohort.run import run
    from wherefore.study.config import Study

    source = {"name": "meds", "path": str(folder)}
    cohort = {
        "source": source,
        "predict": {"rule": "fixed_age", "age": AGE, "min_age": 60},
        "followup": {"until_age": 82},
        "horizon_years": HORIZON,
    }
    start = time.process_time()
    with tempfile.TemporaryDirectory(dir=folder.parent) as home:
        run(Study.model_validate({"name": "stage", "cohort": cohort}), Path(home))
        summary = json.loads((Path(home) / "cohort" / "summary.json").read_text())
    return {"cases": summary["cases"], "lines": summary["lines_total"], "work": time.process_time() - start}


def earlier(commit: str, data: Path) -> Path:
    """A folder in which `wherefore` is this repository at an earlier commit."""
    folder = data / commit
    if not (folder / "wherefore").exists():
        (folder / "wherefore").mkdir(parents=True)
        repository = Path(__file__).resolve().parents[1]
        tar = subprocess.run(["git", "archive", commit], cwd=repository, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", str(folder / "wherefore")], input=tar.stdout, check=True)
    return folder


def whole_stage(args: argparse.Namespace) -> list[tuple[str, float, float, float | None, str, bool]]:
    """Rows of the table: CPU seconds and memory of the whole stage, now and at the commit `BEFORE`."""
    folder, runs = args.data / str(args.events), dict[str, dict[str, float]]()
    for name, path in (("now", None), ("before", earlier(BEFORE, args.data))):
        runs[name] = measured("stage", folder, path)
    now, before = runs["now"], runs["before"]
    gib, ratio = now["mb"] / 1024, now["work"] / before["work"]
    print(f"whole stage: {now['cases']:.0f} cases of {now['lines']:.0f} lines; before: {before['cases']:.0f}")
    return [
        ("whole stage, nobody sampled (CPU s)", now["work"], before["work"], ratio, "<= 1.2", ratio <= 1.2),
        ("whole stage, peak memory (GiB)", gib, before["mb"] / 1024, None, "< 1", gib < 1),
    ]


def million(args: argparse.Namespace) -> list[tuple[str, float, float, float | None, str, bool]]:
    """Rows of the table: CPU seconds and memory of the whole stage over a million people."""
    folder = args.data / "million"
    generate(folder, MILLION * PER_PERSON, 10 * SHARDS)
    now = measured("stage", folder)
    gib = now["mb"] / 1024
    print(f"a million people: {now['cases']:.0f} cases of {now['lines']:.0f} lines")
    return [
        ("a million people (CPU s)", now["work"], float("nan"), None, "", True),
        ("a million people, peak memory (GiB)", gib, float("nan"), None, "< 2", gib < 2),
    ]


BEFORE = "bc7a28c"
"""The last commit that held all cases and their evidence in memory."""


def _settings(folder: Path) -> Any:
    from wherefore.cohort.settings import Settings

    return Settings.model_validate(
        {
            "source": {"name": "meds", "path": str(folder)},
            "predict": {"rule": "fixed_age", "age": AGE, "min_age": 60},
            "followup": {"until_age": 82},
            "horizon_years": HORIZON,
        }
    )


WORK = {"bare": bare, "ours": ours, "timelines": timelines, "stage": stage}


def measured(what: str, folder: Path, path: Path | None = None) -> dict[str, float]:
    """One run in a process of its own; with `path`, of the package that is there."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    env |= {"PYTHONPATH": str(path)} if path else {}
    out = subprocess.run(
        [sys.executable, __file__, "--run", what, "--data", str(folder)],
        capture_output=True,
        text=True,
        env=env,
    )
    if out.returncode:
        raise SystemExit(out.stderr)
    figures: dict[str, float] = json.loads(out.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "wherefore-benchmark-cohort"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stage", action="store_true", help="Only the whole stage, now and before.")
    parser.add_argument("--million", action="store_true", help="Only the whole stage over a million people.")
    parser.add_argument("--run", choices=list(WORK), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        start = time.process_time()
        figures = WORK[args.run](args.data)
        figures |= {
            "cpu": time.process_time() - start,
            "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(figures))
        return
    if args.million:
        report(million(args))
    if args.stage:
        generate(args.data / str(args.events), args.events)
        report(whole_stage(args))
    sizes = [args.events // 100, args.events // 10, args.events]
    for n in sizes:
        generate(args.data / str(n), n)
    seconds: list[float] = []
    rows: list[tuple[str, float, float, float | None, str, bool]] = []
    for n in sizes:
        runs: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
        for _ in range(args.repeats):
            for what in runs:
                runs[what].append(measured(what, args.data / str(n)))
        ours, peer = (median(r["cpu"] for r in runs[w]) for w in ("ours", "bare"))
        assert runs["ours"][0]["cases"] == runs["bare"][0]["cases"] or n < args.events, (
            runs["ours"][0],
            runs["bare"][0],
        )
        seconds.append(median(r["work"] for r in runs["ours"]))
        if n == args.events:
            rows.append(
                ("read, window, label, count (CPU s)", ours, peer, ours / peer, "<= 1.5", ours / peer <= 1.5)
            )
            memory = max(r["mb"] for r in runs["ours"]) / 1024
            rows.append(
                (
                    "peak memory (GiB)",
                    memory,
                    max(r["mb"] for r in runs["bare"]) / 1024,
                    None,
                    "< 0.5",
                    memory < 0.5,
                )
            )
    growth = (
        seconds[2] / sizes[2] / (seconds[1] / sizes[1])
    )  # imports left out; at 10^5 the ten files themselves count
    per_million = [s / n * 1e6 for s, n in zip(seconds, sizes, strict=True)]
    rows.append(
        (
            "s a million events, at 10 M against at 1 M",
            per_million[2],
            per_million[1],
            growth,
            "<= 1.2",
            growth <= 1.2,
        )
    )
    timelines = [measured("timelines", args.data / str(args.events)) for _ in range(args.repeats)]
    speed = median(r["people"] / r["seconds"] for r in timelines)
    rows.append(
        (
            f"timelines, {timelines[0]['lines'] / timelines[0]['people']:.0f} lines each (people/s)",
            speed,
            5000,
            speed / 5000,
            ">= 1",
            speed >= 5000,
        )
    )
    rows += whole_stage(args)
    report(rows)


def report(rows: list[tuple[str, float, float, float | None, str, bool]]) -> NoReturn:
    """Print the table and end the process: 1 when a goal is missed."""
    print(f"{'what':50} {'ours':>9} {'peer':>9} {'ratio':>6}  goal    ")
    for what, a, b, ratio, goal, ok in rows:
        print(
            f"{what:50} {a:9.2f} {b:9.2f} {'' if ratio is None else f'{ratio:.2f}':>6}  {goal:7} "
            f"{'ok' if ok else 'SHORT'}"
        )
    sys.exit(not all(r[-1] for r in rows))


if __name__ == "__main__":
    main()
