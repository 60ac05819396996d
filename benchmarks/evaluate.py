"""Whether intervals hold, and how fast they are.

    python benchmarks/evaluate.py                      # all of it, a quarter of an hour on one core
    python benchmarks/evaluate.py seeds auc            # some parts
    python benchmarks/evaluate.py --studies 500        # fewer simulated studies a row
    python benchmarks/evaluate.py seeds --rows "noise 0.4"    # rows of `seeds` whose name holds this

- seeds: two recipes compared over 3, 5 and 10 training runs each; coverage of the 95 % interval, and how often one
  recipe is called different from itself. Beside ours: persons only, which is what a bootstrap of persons or DeLong's
  test gives, and the percentile bootstrap over persons and seeds.
- auc: one ROC-AUC with few people or near 1. Beside ours: DeLong's interval and the percentile bootstrap.
- metrics: every metric of the table, in a random and in a case-control sample.
- bars: the calibration bars of a case-control sample. Beside ours: Wilson's interval on Kish's effective number.
- speed: the bootstrap of ROC-AUC against a loop over scikit-learn; the variance of 504 fits in closed form.

Each row says what was simulated and how often. Exits 1 when a goal is missed by more than the simulation's error.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from wherefore.analysis.measures import bootstrap
from wherefore.analysis.measures.arrays import expit, kish
from wherefore.analysis.measures.calibration_curve import bar, wilson
from wherefore.analysis.measures.discrimination import roc_auc, roc_auc_influence
from wherefore.analysis.measures.inference import combined
from wherefore.analysis.measures.limits import Basis, Z, area, straight
from wherefore.analysis.measures.metrics import METRICS
from wherefore.analysis.measures.variance import SamplingDesign, degrees

LOW, HIGH, ERROR = 0.93, 0.97, 0.06
"""Goals: coverage of 95 % intervals, type I error of 5 % tests."""


class CoverageRow(NamedTuple):
    """A line of the output."""

    name: str
    figures: tuple[str, ...]
    ok: bool | None
    """None: a figure without a goal."""


def table(title: str, heads: tuple[str, ...], rows: list[CoverageRow]) -> bool:
    """Print a part; whether its goals are met."""
    print(f"\n{title}")
    width = max(len(r.name) for r in rows)
    print("  " + " " * width + "".join(f"{h:>16}" for h in heads))
    for r in rows:
        verdict = "" if r.ok is None else "  ok" if r.ok else "  short"
        print(f"  {r.name:<{width}}" + "".join(f"{f:>16}" for f in r.figures) + verdict, flush=True)
    return all(r.ok is not False for r in rows)


def within(share: float, n: int, low: float = LOW, high: float = HIGH) -> bool:
    """Whether a share of n simulated studies is inside the goal, up to twice the error of the simulation."""
    slack = 2 * np.sqrt(0.05 * 0.95 / n)
    return low - slack <= share <= high + slack


# Seeds


class Recipes(NamedTuple):
    """Two recipes, `gap` apart, tried on people. Risks are normal with variance 1 around 0 and around a distance."""

    cases: int
    controls: int
    noise: float
    """Standard deviation over training runs of the distance; 0.1 is about 0.025 in ROC-AUC."""
    gap: float = 0.0
    collapse: float = 0.0
    """Chance of a training run that fails and ranks 0.1 lower, as in decisions/0064."""

    def fits(self, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(2, seeds, n) risks and (n,) outcomes; the fits of a recipe share part of what they see in a person."""
        y = np.repeat([1, 0], [self.cases, self.controls])
        signal, own = rng.normal(0, np.sqrt(0.5), len(y)), rng.normal(0, np.sqrt(0.35), (2, 1, len(y)))
        distance = DISTANCE + np.array([[0.0], [self.gap]]) + rng.normal(0, self.noise, (2, seeds))
        distance = distance - FALL * (rng.random((2, seeds)) < self.collapse)
        return distance[:, :, None] * y + signal + own + rng.normal(0, np.sqrt(0.15), (2, seeds, len(y))), y

    def truth(self) -> float:
        """Mean difference in ROC-AUC over people and training runs: the normal integral has a closed form."""
        root = np.sqrt(2 + self.noise**2)

        def auc(d: float) -> float:
            whole, fallen = norm.cdf(d / root), norm.cdf((d - FALL) / root)
            return float((1 - self.collapse) * whole + self.collapse * fallen)

        return auc(DISTANCE) - auc(DISTANCE + self.gap)


DISTANCE, FALL = 0.68, 0.37
"""ROC-AUC 0.685, and 0.1 less."""
STUDIES_OF_SEEDS = {
    f"{m} with, {n} without, noise {noise}": Recipes(m, n, noise, gap)
    for m, n in ((30, 120), (200, 800))
    for noise, gap in ((0.0, 0.1), (0.05, 0.1), (0.15, 0.2), (0.4, 0.4))
} | {"200 with, 800 without, one run in six collapses": Recipes(200, 800, 0.01, 0.0, 1 / 6)}


def seeds_part(studies: int, only: str = "") -> bool:
    """Coverage and type I error of comparisons between recipes; `only` those whose name holds this text."""
    rows = []
    for name, recipes in ((n, r) for n, r in STUDIES_OF_SEEDS.items() if only in n):
        for seeds in (3, 5, 10):
            coverage = {
                gap: _tried(recipes._replace(gap=gap), seeds, studies) for gap in sorted({0.0, recipes.gap})
            }
            wrong = 1 - coverage[0.0]["ours"]
            covered = coverage[recipes.gap]["ours"]
            ok = within(wrong, studies, 0.0, ERROR) and (bool(recipes.collapse) or within(covered, studies))
            others = [f"{1 - coverage[0.0][k]:.3f}" for k in ("persons", "percentile")]
            figures = (f"{covered:.3f}", f"{wrong:.3f}", *others)
            rows.append(CoverageRow(f"{name}; {seeds} seeds", figures, ok))
    heads = ("coverage", "type I error", "persons only", "percentile")
    title = f"Two recipes: coverage of a true difference, and how often one differs from itself ({studies} studies)"
    return table(title, heads, rows)


def _tried(recipes: Recipes, seeds: int, studies: int) -> dict[str, float]:
    """How often each kind of interval holds the true difference."""
    rng = np.random.default_rng(seeds)
    truth, inside = recipes.truth(), {"ours": 0, "persons": 0, "percentile": 0}
    for _ in range(studies):
        risk, y = recipes.fits(seeds, rng)
        design, one, every = (
            SamplingDesign.of(np.arange(len(y)), y, False),
            np.ones(len(y)),
            np.ones(len(y), bool),
        )
        auc = np.array([[roc_auc(y, r, one[None])[0] for r in of_one] for of_one in risk])
        influence = np.array(
            [roc_auc_influence(y, a, one) - roc_auc_influence(y, b, one) for a, b in zip(*risk, strict=True)]
        )
        gaps, vectors = auc[0] - auc[1], [design.deviations(row, every) for row in influence]
        spread = combined(list(gaps), vectors, recipes.cases, recipes.controls)
        low, high = straight(spread.value, spread.basis) or (0.0, 0.0)
        inside["ours"] += low <= truth <= high
        mean = np.mean(vectors, axis=0)
        inside["persons"] += abs(gaps.mean() - truth) <= Z * np.sqrt(mean @ mean)
        low, high = _percentile(gaps, influence, rng)
        inside["percentile"] += low <= truth <= high
    return {k: v / studies for k, v in inside.items()}


def _percentile(gaps: np.ndarray, influence: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """The interval of a bootstrap that draws persons and seeds, to first order in the persons' weights."""
    draws, (seeds, n) = 200, influence.shape
    persons = rng.multinomial(n, np.full(n, 1 / n), draws) - 1.0
    runs = rng.multinomial(seeds, np.full(seeds, 1 / seeds), draws) / seeds
    values = (runs * (gaps + persons @ influence.T)).sum(axis=1)
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


# One ROC-AUC


class RiskShape(NamedTuple):
    """People with risks that are normal, or at two values, or exponential."""

    kind: str
    cases: int
    controls: int
    shape: tuple[float, ...]

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """(cases + controls,) risks, those with the outcome first."""
        m, n = self.cases, self.controls
        if self.kind == "normal":
            gap, spread = self.shape
            return np.r_[rng.normal(gap, spread, m), rng.normal(0, 1, n)]
        if self.kind == "two values":
            return (rng.random(m + n) < np.repeat(self.shape, [m, n])).astype(float)
        return np.r_[rng.exponential(self.shape[0], m), rng.exponential(1, n)]

    def truth(self) -> float:
        """The ROC-AUC of a million people."""
        if self.kind == "normal":
            gap, spread = self.shape
            return float(norm.cdf(gap / np.sqrt(1 + spread**2)))
        if self.kind == "two values":
            return (self.shape[0] + 1 - self.shape[1]) / 2
        return self.shape[0] / (1 + self.shape[0])


SAMPLES = (
    RiskShape("normal", 5, 20, (3.0, 1.0)),
    RiskShape("normal", 5, 20, (1.2, 1.0)),
    RiskShape("normal", 10, 10, (1.2, 1.0)),
    RiskShape("normal", 10, 100, (3.0, 1.0)),
    RiskShape("normal", 10, 100, (1.2, 1.0)),
    RiskShape("normal", 20, 80, (0.7, 1.0)),
    RiskShape("normal", 50, 200, (3.0, 1.0)),
    RiskShape("normal", 50, 200, (0.7, 2.0)),
    RiskShape("normal", 50, 200, (1.5, 0.5)),
    RiskShape("normal", 200, 800, (0.7, 1.0)),
    RiskShape("two values", 20, 80, (0.5, 0.1)),
    RiskShape("two values", 200, 800, (0.5, 0.1)),
    RiskShape("exponential", 50, 200, (3.0,)),
    RiskShape("exponential", 20, 80, (30.0,)),
)


def auc_part(studies: int) -> bool:
    """Coverage of the interval of one ROC-AUC."""
    rows = []
    for sample in SAMPLES:
        covered, width = _auc_covered(sample, studies)
        name = f"{sample.kind}, AUC {sample.truth():.3f}, {sample.cases} with and {sample.controls} without"
        figures = [f"{covered[k]:.3f}" for k in ("ours", "delong", "percentile")]
        ok = within(covered["ours"], studies, 0.93, 0.985)
        rows.append(CoverageRow(name, (*figures, f"{width:.3f}"), ok))
    return table(
        f"One ROC-AUC: coverage ({studies} studies)", ("ours", "DeLong", "percentile", "our width"), rows
    )


def _auc_covered(sample: RiskShape, studies: int) -> tuple[dict[str, float], float]:
    rng, truth = np.random.default_rng(1), sample.truth()
    y = np.repeat([1, 0], [sample.cases, sample.controls])
    design, one, every = (
        SamplingDesign.of(np.arange(len(y)), y, False),
        np.ones(len(y)),
        np.ones(len(y), bool),
    )
    inside, width = {"ours": 0, "delong": 0, "percentile": 0}, 0.0
    for _ in range(studies):
        risk = sample.draw(rng)
        auc, influence = float(roc_auc(y, risk, one[None])[0]), roc_auc_influence(y, risk, one)
        vector = design.deviations(influence, every)
        variance = float(vector @ vector)
        limits = area(auc, Basis(variance, degrees(vector), sample.cases, sample.controls)) or (auc, auc)
        inside["ours"] += limits[0] <= truth <= limits[1]
        width += limits[1] - limits[0]
        inside["delong"] += abs(auc - truth) <= Z * np.sqrt(variance)
        values = roc_auc(y, risk, bootstrap.draws(design, 200, int(rng.integers(2**31))).astype(float))
        low, high = np.nanquantile(values, [0.025, 0.975])
        inside["percentile"] += low <= truth <= high
    return {k: v / studies for k, v in inside.items()}, width / studies


# Every metric


class SimulatedPeople(NamedTuple):
    """A population with a true risk, and a model that sees it through noise and is too sure of itself."""

    name: str
    level: float
    """Mean log odds."""
    size: int
    drawn: tuple[int, int] | None = None
    """How many with and without the outcome; None: a random sample."""

    def sample(self, rng: np.random.Generator, size: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(y, risk)."""
        odds = self.level + rng.normal(0, 1.2, size or self.size)
        y = (rng.random(len(odds)) < expit(odds)).astype(np.int64)
        return y, expit(1.2 * (odds + rng.normal(0, 0.8, len(odds))) + 0.3)

    def study(self, rng: np.random.Generator, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(y, risk, w): a random sample, or one drawn by outcome with the weights that undo it."""
        if self.drawn is None:
            y, risk = self.sample(rng)
            return y, risk, np.ones(len(y))
        m, n = self.drawn
        y, risk = self.sample(rng, int(1.5 * max(m / rate, n / (1 - rate))) + 200)
        taken = np.r_[np.flatnonzero(y == 1)[:m], np.flatnonzero(y == 0)[:n]]
        return y[taken], risk[taken], np.where(y[taken] == 1, 1.0, (1 - rate) / rate * m / n)


POPULATIONS = (
    SimulatedPeople("random, 300 people, 18 % with the outcome", -1.8, 300),
    SimulatedPeople("random, 1,000 people, 18 %", -1.8, 1000),
    SimulatedPeople("drawn by outcome, 50 and 200 of 7 %", -3.0, 250, (50, 200)),
    SimulatedPeople("drawn by outcome, 200 and 800 of 7 %", -3.0, 1000, (200, 800)),
)


def metrics_part(studies: int) -> bool:
    """Coverage of every metric's interval."""
    covered = {p.name: _metrics_covered(p, studies) for p in POPULATIONS}
    rows = []
    for name in (n for n in METRICS if METRICS[n].scale is not None):
        shares = [covered[p.name][name] for p in POPULATIONS]
        rows.append(
            CoverageRow(
                METRICS[name].label,
                tuple(f"{s:.3f}" for s in shares),
                all(within(s, studies, 0.9) for s in shares),
            )
        )
    for i, p in enumerate(POPULATIONS):
        print(f"  ({i + 1}) {p.name}")
    return table(f"Every metric: coverage ({studies} studies)", ("(1)", "(2)", "(3)", "(4)"), rows)


def _metrics_covered(people: SimulatedPeople, studies: int) -> dict[str, float]:
    rng = np.random.default_rng(2)
    y, risk = people.sample(rng, 1_000_000)
    rate = float(y.mean())
    names = [n for n in METRICS if METRICS[n].influence is not None]
    truth = {n: float(METRICS[n].compute(y, risk, np.ones((1, len(y))))[0]) for n in names}
    inside = dict.fromkeys(names, 0)
    for _ in range(studies):
        y, risk, w = people.study(rng, rate)
        design, every = (
            SamplingDesign.of(np.arange(len(y)), y, people.drawn is not None),
            np.ones(len(y), bool),
        )
        for n in names:
            measure = METRICS[n]
            assert measure.influence is not None
            assert measure.scale is not None
            vector = design.deviations(measure.influence(y, risk, w), every)
            basis = Basis(float(vector @ vector), degrees(vector), kish(w[y == 1]), kish(w[y == 0]))
            limits = measure.scale(float(measure.compute(y, risk, w[None])[0]), basis)
            inside[n] += limits is not None and limits[0] <= truth[n] <= limits[1]
    return {n: hits / studies for n, hits in inside.items()}


# Calibration bars


def bars_part(studies: int) -> bool:
    """Coverage and width of the bars of a calibration curve in a sample drawn by outcome."""
    people, rng = POPULATIONS[3], np.random.default_rng(3)
    y, risk = people.sample(rng, 1_000_000)
    rate, edges = float(y.mean()), np.quantile(risk, np.linspace(0, 1, 6))
    truth = [float(y[(risk > a) & (risk <= b)].mean()) for a, b in pairwise(edges)]
    hits, old_hits, width, old_width, bars = 0, 0, 0.0, 0.0, 0
    for _ in range(studies):
        y, risk, w = people.study(rng, rate)
        for a, b, share in zip(edges[:-1], edges[1:], truth, strict=True):
            here = (risk > a) & (risk <= b)
            if not here.any():
                continue
            low, high = bar(y, w, here, by_outcome=True)
            kish_low, kish_high = wilson(float(np.average(y[here], weights=w[here])), kish(w[here]))
            hits, old_hits, bars = (
                hits + (low <= share <= high),
                old_hits + (kish_low <= share <= kish_high),
                bars + 1,
            )
            width, old_width = width + high - low, old_width + kish_high - kish_low
    rows = [
        CoverageRow(
            "the design's variance", (f"{hits / bars:.3f}", f"{width / bars:.4f}"), within(hits / bars, bars)
        ),
        CoverageRow("Wilson on Kish's number", (f"{old_hits / bars:.3f}", f"{old_width / bars:.4f}"), None),
    ]
    return table(f"Calibration bars of {people.name} ({bars} bars)", ("coverage", "width"), rows)


# Speed

CASES, REPLICATES, PART = 1_000, 2_000, 100


def speed_part(repeats: int) -> bool:
    """The bootstrap against the loop that one writes first, and the closed form beside it; CPU seconds, one thread.

    The loop is timed on a part of the same draws and scaled up, since all of it would take more than half an hour.
    """
    fits, rng = 504, np.random.default_rng(0)
    y = (np.arange(CASES) % 5 == 0).astype(np.int64)
    risk = expit(np.linspace(0, 1.5, fits)[:, None] * (y - 0.5) + rng.normal(0, 1, (fits, CASES)))
    design, one, every = SamplingDesign.of(np.arange(CASES), y, False), np.ones(CASES), np.ones(CASES, bool)
    counts = bootstrap.draws(design, REPLICATES, seed=1)
    ours, theirs, closed = [], [], []
    for _ in range(repeats):
        seconds, replicates = timed(
            lambda: [bootstrap.replicates(roc_auc, y, r, one, counts, every) for r in risk]
        )
        ours.append(seconds)
        seconds, known = timed(lambda: _loop(y, risk[:5], counts[:PART]))
        theirs.append(seconds * fits / 5 * REPLICATES / PART)
        seconds, _ = timed(lambda: [design.deviations(roc_auc_influence(y, r, one), every) for r in risk])
        closed.append(seconds)
    ratio, gap = median(theirs) / median(ours), float(np.abs(np.array(replicates)[:5, :PART] - known).max())
    rows = [
        CoverageRow(
            "bootstrap of ROC-AUC",
            (f"{median(ours):.1f}", f"{median(theirs):.0f}", f"{ratio:.0f}", "50"),
            ratio >= 50,
        ),
        CoverageRow(
            "closed form", (f"{median(closed):.2f}", "", f"{median(theirs) / median(closed):.0f}", ""), None
        ),
        CoverageRow("largest difference", (f"{gap:.0e}", "0", "", "1e-12"), gap <= 1e-12),
    ]
    title = f"{fits} fits, {CASES} cases, {REPLICATES} draws, CPU seconds, median of {repeats}"
    return table(title, ("ours", "scikit-learn", "ratio", "goal"), rows)


def timed(work: Callable[[], list[np.ndarray] | np.ndarray]) -> tuple[float, list[np.ndarray] | np.ndarray]:
    """CPU seconds and the result."""
    start = time.process_time()
    out = work()
    return time.process_time() - start, out


def _loop(y: np.ndarray, risk: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """ROC-AUC of every draw with scikit-learn, a call a draw."""
    rows = [np.repeat(np.arange(CASES), c) for c in counts]
    return np.array([[roc_auc_score(y[i], r[i]) for i in rows] for r in risk])


PARTS: dict[str, tuple[Callable[[int], bool], int]] = {
    "seeds": (seeds_part, 2000),
    "auc": (auc_part, 2000),
    "metrics": (metrics_part, 1000),
    "bars": (bars_part, 1000),
    "speed": (speed_part, 3),
}
"""Each with how many studies, or repeats, it takes."""


def main() -> int:
    """Run the parts asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    asked.add_argument("--studies", type=int, help="simulated studies a row")
    asked.add_argument("--rows", default="", help="part of a name: only such rows of `seeds`")
    args = asked.parse_args()
    parts = PARTS | {"seeds": (partial(seeds_part, only=args.rows), PARTS["seeds"][1])}
    good = [
        part(args.studies if args.studies and n > 3 else n)
        for part, n in (parts[p] for p in args.parts or PARTS)
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
