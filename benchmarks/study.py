"""What the floor costs: start-up, checking a study, skipping what is done, asking for the state of a large grid.

python benchmarks/study.py        # about half a minute; exits non-zero when a row is short of its goal
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wherefore.study.grid import Grid
from wherefore.study.runs import run_once, sha256

ROOT = Path(__file__).parents[1]
WHEREFORE = Path(sys.executable).with_name("wherefore")


def median(work: Callable[[], object], times: int = 7) -> float:
    """Seconds, the middle one of several."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def command(*args: str) -> Callable[[], object]:
    return lambda: subprocess.run([WHEREFORE, *args], capture_output=True, check=True)


def rows() -> list[tuple[str, float, float, float]]:
    """Name, ours, peer or limit, most that ours may be of it."""
    paper = str(ROOT / "examples" / "paper.toml")
    bare = median(lambda: subprocess.run([sys.executable, "-c", "import click, pydantic"], check=True))
    out = [
        ("`wherefore --help`, s, against 0.5 s", median(command("--help")), 0.5, 1.0),
        (
            "`wherefore --help`, s, against python with click and pydantic",
            median(command("--help")),
            bare,
            2.5,
        ),
        ("`wherefore check examples/paper.toml`, s, against 2 s", median(command("check", paper)), 2.0, 1.0),
    ]
    grid = Grid(
        expect=504,
        target=tuple("abc"),
        n=tuple(range(1, 8)),
        seed=tuple(range(6)),
        learning_rate=(1e-5, 3e-5, 1e-4, 3e-4),
    )
    out.append(
        ("504 cells with their ids, s, against 0.1 s", median(lambda: [c.id for c in grid.cells()]), 0.1, 1.0)
    )
    with tempfile.TemporaryDirectory() as name:
        folder, big = Path(name), Path(name) / "big.bin"
        big.write_bytes(bytes(200_000_000))

        def nothing(_: Path) -> None:
            return None

        run_once(folder / "stage", {"a": 1}, [big], nothing)
        skip = median(lambda: run_once(folder / "stage", {"a": 1}, [big], nothing))
        out.append(
            (
                "skip a done stage of 200 MB input, s, against one SHA-256 of it",
                skip,
                median(lambda: sha256(big)),
                1.3,
            )
        )
    return out


def main() -> int:
    """Print a row a figure; 1 when any is short."""
    short = 0
    print(f"{'figure':<66}{'ours':>8}{'limit':>8}{'ratio':>7}{'goal':>7}")
    for name, ours, limit, goal in rows():
        ok = ours / limit <= goal
        short += not ok
        print(
            f"{name:<66}{ours:>8.3f}{limit:>8.3f}{ours / limit:>7.2f}{f'<={goal:g}':>7}  {'ok' if ok else 'SHORT'}"
        )
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main())
