"""Speed, memory and coverage of agreement: `python benchmarks/agreement.py [speed|files|coverage|raters] [--full]`.

Speed: our bootstrap against a loop over the package `krippendorff` on the same resamples in the same run, CPU
seconds. The loop over the two large tables is timed on some replicates and scaled up. Coverage: how often the
default interval holds the true value, over the designs of the table in docs/agreement.md (`--full`), or some of them;
`--only` and `--items` take a part of it. Files: the command on large files. Raters: the same for raters as a sample.
Prints a row a figure and ends with an error where a goal is missed.
"""

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import krippendorff
import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from wherefore.analysis.agreement import estimates, table
from wherefore.analysis.agreement.coefficients.bound import bind
from wherefore.analysis.agreement.coefficients.table import MISSING, RatingTable, Scale
from wherefore.analysis.agreement.notes import few
from wherefore.analysis.agreement.raters.rows import rater_rows
from wherefore.analysis.agreement.uncertainty.resample import draw
from wherefore.study.records import Level

Floats = NDArray[np.float64]
DOMAIN = [1, 2, 3, 4, 5]
REPLICATES = 10_000


class SpeedRow(NamedTuple):
    name: str
    ours: float
    peer: float | None
    ratio: float | None
    goal: str
    ok: bool

    def __str__(self) -> str:
        peer = "" if self.peer is None else f"{self.peer:10.3f}"
        ratio = "" if self.ratio is None else f"{self.ratio:8.0f}x"
        return f"{self.name:<58}{self.ours:10.3g}{peer:>10}{ratio:>9}  {self.goal:<22}{'ok' if self.ok else 'SHORT'}"


def ratings(n: int, raters: int, seed: int = 0, missing: float = 0.3) -> Floats:
    """(n, raters) five ordered categories, missing at random; units that nobody rated are left out."""
    rng = np.random.default_rng(seed)
    x = 3 + rng.normal(size=(n, 1)) + 0.8 * rng.normal(size=(n, raters))
    x = np.clip(np.round(x), 1, 5)
    x[rng.random(x.shape) < missing] = np.nan
    return x[~np.isnan(x).all(1)]


def cpu(work: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Median CPU seconds, and the last result."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        out = work()
        spent.append(time.process_time() - start)
    return float(np.median(spent)), out


def ours(x: Floats) -> Floats:
    ratings = table(x, "ordinal", DOMAIN)
    return draw([bind(ratings, "krippendorff_alpha")], REPLICATES, 1)[0].replicates


def loop(x: Floats, replicates: int) -> Floats:
    rng = np.random.default_rng(1)
    out = np.empty(replicates)
    for b in range(replicates):
        rows = x[rng.integers(0, len(x), len(x))]
        out[b] = krippendorff.alpha(rows.T, level_of_measurement="ordinal", value_domain=DOMAIN)
    return out


def speed() -> Iterator[SpeedRow]:
    x = ratings(1000, 5)
    ours(x)  # warm
    seconds, a = cpu(lambda: ours(x), 5)
    peer, b = cpu(lambda: loop(x, REPLICATES))
    yield SpeedRow(
        "10,000 alphas, 1,000 x 5: CPU s", seconds, peer, peer / seconds, ">= 50x", peer / seconds >= 50
    )
    apart = float(np.abs(a - b).max())
    yield SpeedRow("  largest difference of a replicate", apart, None, None, "<= 1e-12", apart <= 1e-12)
    tracemalloc.start()
    ours(x)
    extra = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    yield SpeedRow("  extra memory, MiB", extra, None, None, "< 16", extra < 16)
    for n, r, some in ((5000, 10, 400), (100_000, 5, 40)):
        x = ratings(n, r)
        seconds, a = cpu(lambda x=x: ours(x), 3)
        spent, b = cpu(lambda x=x, some=some: loop(x, some))
        peer = spent * REPLICATES / some
        name = f"10,000 alphas, {n:,} x {r}: CPU s (loop from {some})"
        yield SpeedRow(name, seconds, peer, peer / seconds, ">= 80x", peer / seconds >= 80)
        z = float((a.mean() - b.mean()) / (b.std() / some**0.5))
        yield SpeedRow(
            "  mean of the replicates, loop's standard errors apart", z, None, None, "within 4", abs(z) < 4
        )
    ratings_table = table(ratings(1000, 5), "ordinal", DOMAIN)
    whole(ratings_table)
    start = time.perf_counter()
    seconds, _ = cpu(lambda: whole(ratings_table), 3)
    wall = (time.perf_counter() - start) / 3
    yield SpeedRow(
        "7 coefficients, BCa, leave-one-rater-out, 1,000 x 5: CPU s",
        seconds,
        None,
        None,
        "< 0.5",
        seconds < 0.5,
    )
    yield SpeedRow("  wall s", wall, None, None, "(shared machine)", True)


SEVEN = [
    "krippendorff_alpha",
    ("gwet_ac", "quadratic"),
    "fleiss_kappa",
    "brennan_prediger",
    "conger_kappa",
    "percent_agreement",
    "within_one_agreement",
]


class RatingFile(NamedTuple):
    """A file of ratings, and how long `wherefore agree` may take for it."""

    name: str
    items: int
    raters: int
    each: int
    """Raters of an item."""
    slider: bool
    seconds: float
    megabytes: float

    def write(self, path: Path) -> None:
        """A row a rating: five grades, or 0 to 100."""
        rng = np.random.default_rng(0)
        with path.open("w") as f:
            f.write("item,rater,value\n")
            for i in range(self.items):
                quality = rng.normal()
                some = range(self.raters)
                if self.each < self.raters:
                    some = rng.choice(self.raters, self.each, replace=False)
                for g in some:
                    x = quality + 0.7 * rng.normal()
                    grade = np.clip(50 + 20 * x, 0, 100) if self.slider else np.clip(3 + x, 1, 5)
                    f.write(f"i{i},r{g},{grade:.0f}\n")


FILES = [
    RatingFile("1,000 items, 3 of 300 raters each", 1000, 300, 3, False, 5, 512),
    RatingFile("0-100 sliders, 150 x 3", 150, 3, 3, True, 2, 512),
    RatingFile("100,000 x 5", 100_000, 5, 5, False, 10, 1024),
]


def files() -> Iterator[SpeedRow]:
    """The whole command on a file, start of Python and imports included."""
    with TemporaryDirectory() as folder:
        for file in FILES:
            path = Path(folder) / "ratings.csv"
            file.write(path)
            words = [sys.executable, "-m", "wherefore", "agree", str(path)]
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            spent, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
            ok = process.returncode == 0 and spent < file.seconds
            yield SpeedRow(
                f"wherefore agree, {file.name}: CPU s", spent, None, None, f"< {file.seconds:g}", ok
            )
            enough = memory < file.megabytes
            yield SpeedRow("  memory, MiB", memory, None, None, f"< {file.megabytes:g}", enough)


def whole(ratings: RatingTable) -> None:
    """Seven coefficients with BCa intervals, and alpha without each rater with intervals of the change."""
    estimates(ratings, SEVEN, replicates=REPLICATES)
    rater_rows(ratings, replicates=REPLICATES)


class SimulatedRatings(NamedTuple):
    """Latent normal quality plus own error, cut at the quantiles of the margins; missing at random."""

    name: str
    level: Level
    margins: tuple[float, ...]
    raters: int
    missing: float
    noise: float
    n: int
    claims: int = 1
    """Claims a rationale; above 1 they share half of their latent variance and are resampled by rationale."""

    def draw(self, rng: np.random.Generator, n: int) -> RatingTable:
        """Ratings of n independent units."""
        groups = np.repeat(np.arange(n), self.claims)
        quality = rng.normal(size=len(groups))
        if self.claims > 1:
            quality = (quality + rng.normal(size=n)[groups]) / 2**0.5
        latent = quality[:, None] + self.noise * rng.normal(size=(len(groups), self.raters))
        cuts = norm.ppf(np.cumsum(self.margins)[:-1]) * (1 + self.noise**2) ** 0.5
        codes = np.searchsorted(cuts, latent.ravel()).reshape(latent.shape).astype(np.int32)
        codes[rng.random(codes.shape) < self.missing] = MISSING
        scale = Scale(self.level, tuple(range(len(self.margins))), declared=True)
        clusters = tuple(groups.tolist()) if self.claims > 1 else ()
        ratings = RatingTable(codes, scale, tuple(range(len(codes))), tuple(range(self.raters)), clusters)
        return ratings.of_units(np.flatnonzero(ratings.seen > 0))


FIVE = {"balanced": (0.2,) * 5, "skewed": (0.03, 0.07, 0.15, 0.35, 0.4)}
TWO = {"balanced": (0.5, 0.5), "rare": (0.15, 0.85)}
TENTH = (0.1, 0.9)
SCALES: list[tuple[str, Level, tuple[float, ...]]] = [
    *((f"ordinal, 5 {k}", "ordinal", m) for k, m in FIVE.items()),
    *((f"nominal, 5 {k}", "nominal", m) for k, m in FIVE.items()),
    *((f"binary, {k}", "nominal", m) for k, m in TWO.items()),
]  # type: ignore[list-item]
SIMULATIONS = {20: 600, 30: 2000, 100: 1000, 300: 600}
"""Of each design, by its number of items: most where the method is at its limits (standard error 0.005)."""

FEW_SIMULATIONS = 600
"""Of the designs with a rare category on few units."""


def designs(full: bool) -> list[SimulatedRatings]:
    """All, or one of each scale."""
    crews = ((2, 0.0), (3, 0.3), (5, 0.3)) if full else ((3, 0.3),)
    sizes = (30, 100, 300) if full else (60,)
    noises = (0.5, 1.0) if full else (0.7,)
    out = [
        SimulatedRatings(name, level, margins, raters, missing, noise, n)
        for name, level, margins in SCALES
        for raters, missing in crews
        for noise in noises
        for n in sizes
    ]
    out += [
        SimulatedRatings("claims by rationale, rare", "nominal", TWO["rare"], 3, 0.0, 0.7, n, 8)
        for n in sizes
    ]
    return out + (rare_on_few() if full else [])


def rare_on_few() -> list[SimulatedRatings]:
    """A category of 10 or 15 % on 20 or 30 items, or in as many clusters."""
    out = []
    for share, margins in (("10 %", TENTH), ("15 %", TWO["rare"])):
        for n in (20, 30):
            for noise in (0.5, 1.0):
                out += [
                    SimulatedRatings(f"few items, {share}", "nominal", margins, raters, missing, noise, n)
                    for raters, missing in ((2, 0.0), (3, 0.3), (5, 0.3))
                    if (share, n) != ("15 %", 30)  # that is `binary, rare`
                ]
                out += [
                    SimulatedRatings(
                        f"few clusters, {share}", "nominal", margins, raters, 0.0, noise, n, claims
                    )
                    for raters, claims in ((2, 6), (3, 8))
                ]
    return out


def rare(d: SimulatedRatings) -> bool:
    """A rare category on fewer than 100 units: the interval may be wider than it need be, never too narrow."""
    return d.margins in (TWO["rare"], TENTH) and d.n < 100


COVERED = ["krippendorff_alpha", "gwet_ac", "percent_agreement"]


class Covered(NamedTuple):
    """How one coefficient fared in the simulations of one design."""

    share: float
    """Of the default 95 % intervals, those that hold the true value."""
    width: float
    none: int
    """Simulations without an interval."""
    noted: int
    """Simulations in which the output warns of a category on too few items."""


def covered(d: SimulatedRatings, seed: int, simulations: int, replicates: int) -> dict[str, Covered]:
    rng = np.random.default_rng(seed)
    big = d.draw(rng, 400_000 // d.claims)
    truth = {s: bind(big, s).value() for s in COVERED}
    hit, width, none = dict.fromkeys(COVERED, 0), dict.fromkeys(COVERED, 0.0), dict.fromkeys(COVERED, 0)
    noted = 0
    for i in range(simulations):
        ratings = d.draw(rng, d.n)
        noted += bool(few(ratings))
        for row in estimates(ratings, COVERED, replicates=replicates, seed=i):
            name = row.statistic
            if row.low is None or row.high is None:
                none[name] += 1
                continue
            hit[name] += row.low <= truth[name] <= row.high
            width[name] += row.high - row.low
    given = {s: max(simulations - none[s], 1) for s in COVERED}
    return {s: Covered(hit[s] / given[s], width[s] / given[s], none[s], noted) for s in COVERED}


def coverage(full: bool, only: str, items: int | None, simulations: int | None) -> Iterator[SpeedRow]:
    """Every design by itself, then the mean, the least and the most of those within the promise."""
    shares_of: dict[str, list[float]] = {s: [] for s in COVERED}
    on_few: dict[str, list[float]] = {s: [] for s in COVERED}
    slack = 0.0
    print(
        f"{'design':<28}{'raters':>7}{'noise':>6}{'n':>5}  "
        + "".join(f"{s:>24}" for s in COVERED)
        + "  noted"
    )
    for seed, d in enumerate(designs(full)):
        named = f"{d.name}, {d.raters} raters, SD {d.noise}"
        if only not in named or (items is not None and items != d.n):
            continue
        n = simulations or (SIMULATIONS[d.n] if full else 300)
        if d.name.startswith("few") and not simulations:
            n = FEW_SIMULATIONS
        slack = max(slack, 2 * (0.95 * 0.05 / n) ** 0.5)
        result = covered(d, seed, n, 1000)
        cells = "".join(f"{c.share:10.3f} w{c.width:5.2f} -{c.none:<5d}" for c in result.values())
        noted = result[COVERED[0]].noted / n
        print(f"{d.name:<28}{d.raters:>7}{d.noise:>6}{d.n:>5}   {cells}{noted:6.0%}", flush=True)
        for s, c in result.items():
            (on_few if rare(d) else shares_of)[s].append(c.share)
    for s, shares in shares_of.items():
        if shares:
            mean, least, most = float(np.mean(shares)), min(shares), max(shares)
            yield SpeedRow(
                f"coverage of {s}'s interval, mean", mean, None, None, "0.92 to 0.97", 0.92 <= mean <= 0.97
            )
            yield SpeedRow(
                "  least of a design", least, None, None, f">= 0.92 - {slack:.3f}", least >= 0.92 - slack
            )
            yield SpeedRow(
                "  most of a design", most, None, None, f"<= 0.97 + {slack:.3f}", most <= 0.97 + slack
            )
    for s, shares in on_few.items():
        if shares:
            least = min(shares)
            name = f"coverage of {s}'s, rare category on few units, least"
            yield SpeedRow(name, least, None, None, f">= 0.92 - {slack:.3f}", least >= 0.92 - slack)
            yield SpeedRow(
                "  mean of the designs", float(np.mean(shares)), None, None, "(may be above 0.97)", True
            )


def sampled_raters(simulations: int = 300) -> Iterator[SpeedRow]:
    """Raters differ in severity and another study would have others: alpha of all such raters is to be held."""
    cuts = norm.ppf(np.cumsum(FIVE["balanced"])[:-1])

    def grades(rng: np.random.Generator, n: int, raters: int, severity: float) -> Floats:
        latent = (
            rng.normal(size=(n, 1)) + 0.7 * rng.normal(size=(n, raters)) + severity * rng.normal(size=raters)
        )
        return np.searchsorted(cuts, latent.ravel() / 1.2).reshape(latent.shape).astype(float)

    for severity in (0.25, 0.6):
        population = table(grades(np.random.default_rng(0), 1500, 300, severity), "ordinal", range(5))
        truth = bind(population, "krippendorff_alpha").value()
        for raters in (3, 5, 8):
            rng, hit = np.random.default_rng(raters), {"fixed": 0, "random": 0}
            for _ in range(simulations):
                ratings = table(grades(rng, 100, raters, severity), "ordinal", range(5))
                for kind in hit:
                    row = estimates(ratings, ["krippendorff_alpha"], raters=kind, method="jackknife")[0]  # type: ignore[arg-type]
                    hit[kind] += row.low <= truth <= row.high  # type: ignore[operator]
            fixed, random = (hit[k] / simulations for k in ("fixed", "random"))
            name = f"raters as a sample: {raters} of them, severity SD {severity}"
            yield SpeedRow(name, random, fixed, None, ">= 0.90 (peer: fixed)", random >= 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("speed", "files", "coverage", "raters", "all"), default="all"
    )
    parser.add_argument("--full", action="store_true", help="all designs (half an hour)")
    parser.add_argument(
        "--only", default="", help="designs such as 'binary, rare, 2 raters, SD 0.5', or a part"
    )
    parser.add_argument("--items", type=int, help="designs of this many items")
    parser.add_argument("--simulations", type=int, help="of each design; as in the docs where not given")
    options = parser.parse_args()
    short = 0
    print(f"{'figure':<58}{'ours':>10}{'peer':>10}{'ratio':>9}  goal")
    parts: dict[str, Callable[[], Iterator[SpeedRow]]] = {
        "speed": speed,
        "files": files,
        "coverage": lambda: coverage(options.full, options.only, options.items, options.simulations),
        "raters": lambda: sampled_raters(300 if options.full else 60),
    }
    with threadpool_limits(1):
        for part, rows in parts.items():
            if options.what in (part, "all"):
                for row in rows():
                    print(row, flush=True)
                    short += not row.ok
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
