"""How much of the outcome a corpus gives away at each position of the hindsight dial, on simulated people.

    python benchmarks/dial.py            # about three minutes on one core

Each row is a corpus of the built-in teacher without planted faults. A text classifier reads the outcome off the
rationales, cross-validated by person, with and without the conclusion, and off the histories: what can be known
without hindsight. Beside its AUC stand the share of claims that voice doubt, and the share of right verdicts among
those that were given without the outcome. Exits with 1 where leakage does not follow the dial.
"""

import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from wherefore.cohort.run import run as make_cohort
from wherefore.study.config import Study
from wherefore.synth.run import run as make_corpus

COHORT = {
    "source": {"name": "simulated", "people": 12_000, "effect": 2.0},
    "sampling": {"case_share": 0.3, "train": 700, "tuning": 20, "held_out": 100},
    "timeline": {"budget": 300},
}
POSITIONS: list[dict[str, Any]] = [
    {"label": "shown"},
    *({"label": "shown", "hindsight": strength} for strength in (0.75, 0.5, 0.25, 0.0)),
    {"label": "late"},
    {"label": "late", "hindsight": 0.5},
    *({"label": "partial", "shown_share": share} for share in (0.75, 0.5, 0.25)),
    *({"label": "probability", "risks": risks} for risks in ("true_risk", "estimate", "base_rate")),
    {"label": "hidden"},
    {"label": "filtered"},
]


def corpus(cohort: Path, position: dict[str, Any]) -> dict[str, Any]:
    """The card of the corpus at one position."""
    settings = dict(position)
    teacher = {"name": "reference", "faults": 0.0, "hindsight": settings.pop("hindsight", 1.0)}
    study = Study(
        name="dial", seed=7, cohort=COHORT, synth={"teacher": teacher, "styles": ["free"], **settings}
    )
    with tempfile.TemporaryDirectory(dir=cohort.parent) as scratch:
        run_folder = Path(scratch)
        (run_folder / "cohort").symlink_to(cohort, target_is_directory=True)
        make_corpus(study, run_folder)
        card: dict[str, Any] = json.loads((run_folder / "synth" / "card.json").read_text())
    return card


def row(card: dict[str, Any]) -> dict[str, float]:
    """What is printed of a card."""
    auc = {r["text"]: r["roc_auc"] or float("nan") for r in card["readability"]}
    claims = sum(h["claims"] for h in card["hedging"])
    blind = card["verdicts_without_the_outcome"]
    return {
        "rationale": auc["rationale"],
        "no conclusion": auc["rationale without its last claim"],
        "history": auc["history"],
        "doubt": sum(h["hedged"] for h in card["hedging"]) / claims,
        "right unaided": card["right_without_the_outcome"] / blind if blind else float("nan"),
    }


def main() -> int:
    """Print the table; 1 where leakage does not follow the dial."""
    table: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "people"
        make_cohort(Study(name="dial", seed=7, cohort=COHORT), home)
        for position in POSITIONS:
            name = ", ".join(str(v) if k in ("label", "risks") else f"{k} {v}" for k, v in position.items())
            table[name] = row(corpus(home / "cohort", position))
    print("position | " + " | ".join(next(iter(table.values()))))
    for name, numbers in table.items():
        print(f"{name} | " + " | ".join("-" if v != v else f"{v:.3f}" for v in numbers.values()))
    orders = [
        ["shown", *(f"shown, hindsight {s}" for s in (0.75, 0.5, 0.25, 0.0))],
        ["shown", *(f"partial, shown_share {s}" for s in (0.75, 0.5, 0.25)), "hidden"],
        ["shown", "late", "late, hindsight 0.5"],
    ]
    wrong = [
        f"{more} gives away less than {less}"
        for order in orders
        for more, less in itertools.pairwise(order)
        if table[more]["rationale"] < table[less]["rationale"] - 0.01
    ]
    blind = [name for name in table if name.startswith(("hidden", "probability"))]
    wrong += [
        f"{name} gives away more than the history holds"
        for name in blind
        if table[name]["rationale"] > table[name]["history"] + 0.02
    ]
    print("\n".join(wrong) or "leakage follows the dial")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
