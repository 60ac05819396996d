"""How fast the bootstrap is: ROC-AUC of 504 configurations x 1,000 cases x 2,000 draws of persons.

    python benchmarks/evaluate.py [--configurations 504] [--repeats 3]

The peer is the loop that one writes first: scikit-learn's `roc_auc_score` on the resampled cases, draw by draw; it is
timed on a part of the same draws and scaled up, since all of it would take more than half an hour. Both get the same
counts, and the values must agree to 1e-12. CPU seconds on one thread, medians of the repeats, the two alternating;
memory is what our own run adds to the process at its peak. Exits 1 when a goal is missed.
"""

import argparse
import os
import resource
import sys
import time
from statistics import median

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from sklearn.metrics import roc_auc_score

from wherefore.analysis.performance.intervals import draws, replicates
from wherefore.analysis.performance.metrics import METRICS

CASES, REPLICATES, PART = 1_000, 2_000, 100
GOAL = 50.0


def data(configurations: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,), a fifth of them 1, and risks (configurations, n) of models between useless and good."""
    rng = np.random.default_rng(0)
    y = (np.arange(CASES) % 5 == 0).astype(np.int64)
    strength = np.linspace(0, 1.5, configurations)[:, None]
    return y, 1 / (1 + np.exp(-(strength * (y - 0.5) + rng.standard_normal((configurations, CASES)))))


def ours(y: np.ndarray, risk: np.ndarray, counts: np.ndarray, metric: str = "roc_auc") -> np.ndarray:
    """(configurations, replicates)"""
    every, one = np.ones(CASES, bool), np.ones(CASES)
    return np.array([replicates(METRICS[metric], y, r, one, counts, every) for r in risk])


def peer(y: np.ndarray, risk: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The same with scikit-learn, a call a draw."""
    rows = [np.repeat(np.arange(CASES), c) for c in counts]
    return np.array([[roc_auc_score(y[i], r[i]) for i in rows] for r in risk])


def timed(work, *args) -> tuple[float, np.ndarray]:  # type: ignore[no-untyped-def]
    """CPU seconds and the result."""
    start = time.process_time()
    out = work(*args)
    return time.process_time() - start, out


def main() -> int:
    """Measure and print a row a figure."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--configurations", type=int, default=504)
    asked.add_argument("--repeats", type=int, default=3)
    args = asked.parse_args()
    y, risk = data(args.configurations)
    counts = draws(np.arange(CASES), REPLICATES, seed=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mine, theirs = [], []
    for _ in range(args.repeats):
        seconds, found = timed(ours, y, risk, counts)
        mine.append(seconds)
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        seconds, known = timed(peer, y, risk[:5], counts[:PART])
        theirs.append(seconds * args.configurations / 5 * REPLICATES / PART)
    gap = float(np.abs(found[:5, :PART] - known).max())
    ratio = median(theirs) / median(mine)
    print(f"{args.configurations} configurations, {CASES} cases, {REPLICATES} draws; numpy {np.__version__}")
    print(f"{'figure':<34}{'ours':>10}{'peer':>12}{'ratio':>8}{'goal':>8}")
    rows = [
        ("ROC-AUC, CPU seconds", f"{median(mine):.1f}", f"{median(theirs):.0f}", ratio, GOAL, ratio >= GOAL),
        ("largest difference", f"{gap:.0e}", "0", None, 1e-12, gap <= 1e-12),
        ("added memory, MB", f"{memory:.0f}", "", None, 64, memory <= 64),
    ]
    for name, a, b, r, goal, ok in rows:
        print(
            f"{name:<34}{a:>10}{b:>12}{'' if r is None else f'{r:.0f}':>8}{goal:>8g}  {'ok' if ok else 'short'}"
        )
    for name in METRICS:
        seconds, _ = timed(ours, y, risk[:10], counts, name)
        print(f"{name + ', CPU ms a configuration':<46}{1000 * seconds / 10:>8.0f}")
    return 0 if all(row[-1] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
