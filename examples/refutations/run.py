"""Claims of the literature, each as a small study: `python examples/refutations/run.py [NAME ...] [--runs FOLDER]`.

Every study trains small models made on the spot, on simulated people and with the built-in teacher, over several
seeds: what it says is about these, not about the models of the papers. A claim is supported where the 95 % interval
of its difference lies above zero, contradicted where it lies below, and open otherwise.
"""

import argparse
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wherefore.analysis.records import Comparison
from wherefore.analysis.words import number, span, words
from wherefore.cli.run import run
from wherefore.study.config import load
from wherefore.study.errors import DataError
from wherefore.study.records import from_frame, read_table
from wherefore.train.reading.readouts import label

HERE = Path(__file__).parent


@dataclass(frozen=True)
class PaperClaim:
    """What a paper says, and the comparison that it stands or falls by."""

    study: str
    says: str
    source: str
    metric: str
    a: tuple[str, str]
    """Target and read-out that is claimed to have the larger value of the metric."""
    b: tuple[str, str]

    @property
    def file(self) -> Path:
        """Its study file."""
        return HERE / f"{self.study}.toml"


def claims() -> list[PaperClaim]:
    """All of them, in the order of `claims.toml`."""
    raw = tomllib.loads((HERE / "claims.toml").read_text())["claim"]
    return [PaperClaim(**{**one, "a": tuple(one["a"]), "b": tuple(one["b"])}) for one in raw]


def difference(claim: PaperClaim, rows: Iterable[Comparison]) -> tuple[float, float, float, int]:
    """Difference of the two sides, with its interval and the number of training runs.

    Raises:
        DataError: the study did not compare them, or the comparison has no interval.
    """
    for row in rows:
        sides = ((row.a, row.a_readout), (row.b, row.b_readout))
        is_about = row.metric == claim.metric and row.unit in ("target", "readout")
        if not is_about or row.difference is None or row.low is None or row.high is None:
            continue
        if sides == (claim.a, claim.b):
            return row.difference, row.low, row.high, row.seeds
        if sides == (claim.b, claim.a):
            return -row.difference, -row.high, -row.low, row.seeds
    raise DataError(
        f"{claim.study}: no comparison of {claim.a} and {claim.b} by {claim.metric} with an interval."
    )


def verdict(low: float, high: float) -> str:
    """What an interval says of a claim that the difference is above zero.

    >>> verdict(0.01, 0.2), verdict(-0.2, -0.01), verdict(-0.1, 0.1)
    ('supported', 'contradicted', 'open')
    """
    return "supported" if low > 0 else "contradicted" if high < 0 else "open"


def lines(claim: PaperClaim, home: Path) -> Iterator[str]:
    """What is printed of a claim whose study has been run."""
    rows = from_frame(read_table(home / "analysis" / "comparisons.parquet", Comparison), Comparison)
    value, low, high, seeds = difference(claim, rows)
    a, b = (f"{words(target)} read {label(readout)}" for target, readout in (claim.a, claim.b))
    yield f"{claim.says} ({claim.source})"
    runs = "one model" if seeds == 1 else f"{seeds} seeds"
    yield f"    {words(claim.metric)}, {a} minus {b}: {number(value)} ({span(low, high)}), {runs}"
    yield f"    here: {verdict(low, high)}"


def main() -> None:
    """Run the studies that are not done, and print every claim with its figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="studies to run; all where none is given")
    parser.add_argument("--runs", type=Path, default=Path("runs/refutations"))
    options = parser.parse_args()
    known = {c.study: c for c in claims()}
    unknown = [n for n in options.names if n not in known]
    if unknown:
        parser.error(f"{unknown[0]!r} is not a study here. Known: {', '.join(known)}.")
    out: list[str] = []
    for claim in [known[n] for n in options.names] or list(known.values()):
        out += lines(claim, run(load(claim.file), options.runs))
    print("\n".join(out))


if __name__ == "__main__":
    main()
