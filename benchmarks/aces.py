"""Random ACES tasks over random records: the rows of `wherefore.cohort.aces` against those of ACES itself.

    python benchmarks/aces.py --aces /tmp/aces/bin/python [--tasks 2000] [--seed 1]

`--aces` is the Python of an environment in which es-aces is installed. Exits 1 when a task gives other rows.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

PREDICATES = """predicates:
  a: {{code: A}}
  b: {{code: {{any: [B, C]}}}}
  c: {{code: {{regex: '^[CD]'}}, value_min: {least}, value_min_inclusive: {inclusive}}}
  d: {{expr: 'or(a, b)'}}
  e: {{expr: 'and(b, c)'}}
"""
NAMES = "abcde"
ACES = """
import logging, sys, warnings
from pathlib import Path
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
import polars as pl
from omegaconf import DictConfig
from aces import config, predicates, query
for folder in sorted(Path(sys.argv[1]).iterdir()):
    task = config.TaskExtractorConfig.load(folder / "task.yaml")
    data = DictConfig({"path": str(folder / "data.parquet"), "standard": "meds"})
    found = query.query(task, predicates.get_predicates_df(task, data))
    if len(found):
        rows = found.select("subject_id", "index_timestamp", pl.col("label").cast(pl.Boolean))
        rows.write_parquet(folder / "expected.parquet")
"""


def write(folder: Path, rng: random.Random) -> None:
    """One task and its records."""
    import pandas as pd

    rows: list[tuple[int, datetime | None, str, float | None]] = []
    for person in range(1, rng.randint(2, 5)):
        if rng.random() < 0.7:
            rows.append((person, None, rng.choice("ST"), None))
        for _ in range(rng.randint(2, 40)):
            time = datetime(2010, 1, 1) + timedelta(hours=rng.choice([6, 6, 6, 12]) * rng.randint(0, 60))
            rows.append((person, time, rng.choice("ABCD"), rng.choice([None, 1.0, 2.5, 7.1])))
    rows.sort(key=lambda r: (r[0], r[1] or datetime.min))
    frame = pd.DataFrame(rows, columns=["subject_id", "time", "code", "numeric_value"])
    frame["time"] = pd.to_datetime(frame["time"]).astype("datetime64[us]")
    folder.mkdir()
    frame.astype({"numeric_value": "float32"}).to_parquet(folder / "data.parquet", index=False)
    (folder / "task.yaml").write_text(task(rng))


def task(rng: random.Random) -> str:
    """One to four windows, each bound to the trigger or to an earlier one."""
    text = PREDICATES.format(least=rng.choice([1, 2.5, 7.1]), inclusive=truth(rng))
    if rng.random() < 0.2:
        text += "patient_demographics:\n  s: {code: S}\n"
    text += f"trigger: {rng.choice([*NAMES, '_ANY_EVENT'])}\nwindows:\n"
    windows = rng.randint(1, 4)
    label, index = rng.randrange(windows), rng.randrange(windows)
    for i in range(windows):
        start, end = ends(rng, i)
        text += f"  w{i}:\n    start: {start}\n    end: {end}\n"
        text += f"    start_inclusive: {truth(rng)}\n    end_inclusive: {truth(rng)}\n"
        if rng.random() < 0.5:
            span = rng.choice(["None, 2", "1, None", "0, 5", "None, 0", "2, 4"])
            text += f"    has:\n      {rng.choice([*NAMES, '_ANY_EVENT'])}: ({span})\n"
        if i == label:
            text += f"    label: {rng.choice(NAMES)}\n"
        if i == index:
            text += f"    index_timestamp: {rng.choice(['start', 'end'])}\n"
    return text


def ends(rng: random.Random, i: int) -> tuple[str, str]:
    """Start and end of a window."""
    bound = rng.choice(["trigger", *(f"w{j}.{side}" for j in range(i) for side in ("start", "end"))])
    hours, name = rng.randint(1, 80), rng.choice(NAMES)
    outer = rng.choice(
        [
            bound,
            bound,
            f"{bound} + {hours}h",
            f"{bound} - {hours}h",
            f"{bound} -> {name}",
            f"{bound} <- {name}",
        ]
    )
    span, name = rng.choice([6, 12, 30, 72]), rng.choice(NAMES)
    if rng.random() < 0.5:
        return outer, rng.choice([f"start + {span}h", f"start -> {name}", "null"])
    return rng.choice([f"end - {span}h", f"end <- {name}", "null"]), outer


def truth(rng: random.Random) -> str:
    return rng.choice(["true", "false"])


def compared(folder: Path) -> str:
    """What came of a task: the same rows, others, or a refusal."""
    import pandas as pd

    from wherefore.cohort.aces import labels
    from wherefore.study.errors import DataError

    try:
        ours = labels(folder / "task.yaml", folder / "data.parquet")
    except DataError as e:
        if "takes the other end" not in str(e):
            return f"differs: {folder}: {e}"
        return "refused: index_timestamp of a window that starts at 'end - a span'"
    mine = sorted(zip(ours["subject_id"], ours["prediction_time"], ours["boolean_value"], strict=True))
    theirs = []
    if (folder / "expected.parquet").exists():
        rows = pd.read_parquet(folder / "expected.parquet").dropna(subset="index_timestamp")
        ids = rows["subject_id"].astype(int).astype(str)
        theirs = sorted(zip(ids, rows["index_timestamp"], rows["label"].astype(bool), strict=True))
    return ("the same rows" if mine else "no rows in both") if mine == theirs else f"differs: {folder}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--aces", required=True, help="Python of an environment with es-aces.")
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    folder = Path(tempfile.mkdtemp())
    for i in range(args.tasks):
        write(folder / f"{i:06d}", rng)
    subprocess.run([args.aces, "-c", ACES, str(folder)], check=True, env={"PATH": "/usr/bin:/bin"})
    outcomes = Counter(compared(f) for f in sorted(folder.iterdir()))
    for outcome, n in outcomes.most_common():
        print(f"{n:6} {outcome}")
    sys.exit(any(o.startswith("differs") for o in outcomes))


if __name__ == "__main__":
    main()
