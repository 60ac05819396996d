"""The tables behind the pages of docs/results, from a finished run folder.

    python benchmarks/results.py dial runs/dial          # writes docs/results/dial/*.csv; about a minute

A row of every table is found by its first column, which the page names beside the number. Nothing is fitted or read
anew: what stands here is computed from the predictions, texts and comparisons of the run.
"""

import json
import sys
from collections.abc import Iterator
from math import log
from pathlib import Path

import pandas as pd

from wherefore.analysis.cells import CellState, arm, states
from wherefore.analysis.factors import configurations, explained, non_inferior, unseen, variance
from wherefore.analysis.records import Average, Comparison, Metric, Written
from wherefore.study.config import load
from wherefore.study.records import read_table
from wherefore.synth.answers import parse
from wherefore.synth.grounding.checks import HistoryFacts, check
from wherefore.synth.histories import histories
from wherefore.synth.styles import Style
from wherefore.train import corpus
from wherefore.train.records import Prediction

PAGES = Path(__file__).parents[1] / "docs" / "results"
ORDERS = {"free_rationale": "reasons first", "label_then_rationale": "label first"}
NATIVE = {"reasons first": "own_rationale", "label first": "direct"}
FACTORS = ["order", "knew", "weight"]
MODELS = {
    "order": "auc ~ first",
    "dilution": "auc ~ C(weight)",
    "hindsight": "auc ~ first:hindsight",
    "dilution and hindsight": "auc ~ C(weight) + first:hindsight",
    "dilution and raw leakage": "auc ~ C(weight) + first:leakage",
    "dilution, hindsight and order": "auc ~ first + C(weight) + first:hindsight",
    "with their products": "auc ~ first * C(weight) + first:hindsight + first:hindsight:log_odds",
    "with every product": "auc ~ first * C(weight) + first:C(weight):hindsight",
}
"""Of the mean ROC-AUC of a configuration. `leakage` is how well a classifier reads the outcome off the rationales,
`hindsight` what of it stands above reading it off the histories; `log_odds` is of the label's share of the loss."""
CHOSEN = "with their products"
"""The model whose first draw is shown."""
HOLD, DRAWS, SEED, NEAR, MARGIN, TEXTS = 12, 200, 0, 0.02, 0.01, 100


def rows(home: Path, name: str, kind: type) -> pd.DataFrame:
    """A table of the analysis."""
    return read_table(home / "analysis" / f"{name}.parquet", kind)


def dial(home: Path) -> dict[str, pd.DataFrame]:
    """The tables of the dial, by the name of their file."""
    study = load(home / "study.toml")
    cells = [s for s in states(study, home) if s.state == "done"]
    told = leakage(home)
    every = trained(home, cells, told)
    runs = every[every.seed.isin(common_seeds(every))]
    found = configurations(runs, "auc", FACTORS)
    found.insert(0, "configuration", [name(*row) for row in zip(*(found[f] for f in FACTORS), strict=True)])
    of_reasons = {
        f"variance_{order.replace(' ', '_')}": variance(part, "auc", FACTORS[1:])
        for order, part in runs.groupby("order", sort=False)
    }
    return {
        "runs": every,
        "configurations": found,
        "corpora": told,
        "yardsticks": yardsticks(home),
        "variance": variance(runs, "auc", FACTORS),
        **of_reasons,
        **{order.replace(" ", "_"): pivot(part, told) for order, part in found.groupby("order", sort=False)},
        **predicted(found),
        "reasons": written(home, cells),
        "against_labels": against_labels(home, cells),
    }


def common_seeds(runs: pd.DataFrame) -> set[int]:
    """Seeds that every configuration was trained with."""
    return set.intersection(*(set(part.seed) for _, part in runs.groupby(FACTORS)))


def pivot(found: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Mean ROC-AUC: a row a position, a column a share of the label; positions in the order of their leakage."""
    wide = found.pivot(index="knew", columns="weight", values="auc")
    wide.columns = [f"w{weight:g}".replace(".", "_") for weight in wide.columns]
    order = told.sort_values("leakage", ascending=False).knew
    return wide.loc[order].reset_index()


def name(order: str, knew: str, weight: float) -> str:
    """A configuration in words."""
    return f"{order}, {knew}, {weight:g}"


def leakage(home: Path) -> pd.DataFrame:
    """How well the outcome is read off each corpus, and off the histories, by a text classifier."""
    out = []
    for one in corpus.corpora(home):
        card = json.loads(((corpus.told(home, one) or home / "synth") / "card.json").read_text())
        auc = {r["text"]: r["roc_auc"] for r in card["readability"]}
        claims = card["claims"]
        out.append(
            {
                "knew": one,
                "told": card["told"],
                "rationales": card["rationales"],
                "leakage": auc["rationale"],
                "without_conclusion": auc["rationale without its last claim"],
                "history": auc["history"],
                "supported": card["supported_claims"] / claims,
                "faulty": card["faulty_claims"] / claims,
            }
        )
    return pd.DataFrame(out)


def trained(home: Path, cells: list[CellState], told: pd.DataFrame) -> pd.DataFrame:
    """One row a training run of the factorial part, read in the format that it was taught in."""
    metrics = rows(home, "metrics", Metric)
    auc = metrics[(metrics.metric == "roc_auc") & (metrics.group == "all") & (metrics.population == "source")]
    auc = auc.set_index(["cell", "readout"])
    known = told.set_index("knew")
    out = []
    for cell in (s.cell for s in cells if s.cell.target in ORDERS):
        assert cell.weight is not None
        order = ORDERS[cell.target]
        row = auc.loc[cell.id, NATIVE[order]]
        direct = auc.loc[cell.id, "direct"]
        out.append(
            {
                "cell": cell.id,
                "order": order,
                "knew": cell.corpus,
                "weight": cell.weight,
                "seed": cell.seed,
                "first": int(order == "reasons first"),
                "leakage": known.leakage[cell.corpus],
                "hindsight": max(0.0, known.leakage[cell.corpus] - known.history[cell.corpus]),
                "log_odds": log(cell.weight / (1 - cell.weight)),
                "auc": row.value,
                "low": row.low,
                "high": row.high,
                "auc_direct": direct.value,
            }
        )
    return pd.DataFrame(out)


def yardsticks(home: Path) -> pd.DataFrame:
    """Labels alone, the baselines and the true risk."""
    found = rows(home, "averages", Average)
    found = found[(found.metric == "roc_auc") & (found.population == "source")]
    plain = found[found.readout.eq("baseline") | found.target.eq("label_only")]
    return plain[["target", "value", "low", "high", "cells", "seed_sd", "n", "n_positive"]]


def predicted(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What each model of the configurations explains, and how near it comes to configurations held out."""
    of_noise = (found.sd**2 / found.runs).mean() / found.auc.var(ddof=0)
    table, first = [], pd.DataFrame()
    for model, formula in MODELS.items():
        tried = unseen(found, formula, HOLD, DRAWS, SEED)
        one = tried[tried.draw == 0]
        table.append(
            {
                "model": model,
                "formula": formula,
                "explained": explained(found, formula),
                "not_noise": 1 - of_noise,
                "held_out": HOLD,
                "draws": DRAWS,
                "mean_error": tried.error.abs().mean(),
                "within": (tried.error.abs() <= NEAR).mean(),
                "largest_error": tried.error.abs().max(),
                "first_mean_error": one.error.abs().mean(),
                "first_within": int((one.error.abs() <= NEAR).sum()),
                "first_largest_error": one.error.abs().max(),
            }
        )
        if model == CHOSEN:
            first = one.assign(configuration=found.configuration.to_numpy()[one.row])
    unseen_first = first[["configuration", "value", "predicted", "error"]]
    return {"models": pd.DataFrame(table), "unseen": unseen_first}


def written(home: Path, cells: list[CellState]) -> pd.DataFrame:
    """What reasons-first models write, by configuration: their claims checked as the teacher's are."""
    counts = rows(home, "written", Written).set_index("cell")
    held_out = sorted(histories(home / "cohort", ("held_out",)), key=lambda h: h.case.id)[:TEXTS]
    facts = {h.case.id: HistoryFacts(h) for h in held_out}
    out = []
    for state in (s for s in cells if s.cell.target == "free_rationale"):
        table = read_table(state.predictions, Prediction)
        texts = table[table.readout.eq("own_rationale") & table.case.isin(facts)]
        verdicts = [
            v
            for case, text in zip(texts.case, texts.written, strict=True)
            for v in _checked(text, facts[case])
        ]
        count = counts.loc[state.cell.id]
        out.append(
            {
                "configuration": name("reasons first", state.cell.corpus, state.cell.weight or 0.0),
                "claims": len(verdicts),
                "supported": verdicts.count("supported"),
                "faulty": verdicts.count("fault"),
                "texts": count.texts,
                "loops": count.loops,
                "unfinished": count.unfinished,
            }
        )
    out.append(_read_back(home))
    total = pd.DataFrame(out).groupby("configuration", sort=False).sum().reset_index()
    for part, of in (
        ("supported", "claims"),
        ("faulty", "claims"),
        ("loops", "texts"),
        ("unfinished", "texts"),
    ):
        total[part] = total[part] / total[of]
    return total


def _read_back(home: Path) -> dict[str, object]:
    """The teacher's own rationales as text, through the same reading and check: what is found in good ones."""
    train = {h.case.id: h for h in histories(home / "cohort", ("train",))}
    some = corpus.all_of(home, corpus.TEACHER)[:TEXTS]
    verdicts = [v for r in some for v in _checked(r.text, HistoryFacts(train[r.case]))]
    found = {"supported": verdicts.count("supported"), "faulty": verdicts.count("fault")}
    return {
        "configuration": "the teacher",
        "claims": len(verdicts),
        **found,
        "texts": len(some),
        "loops": 0,
        "unfinished": 0,
    }


def _checked(text: str, facts: HistoryFacts) -> Iterator[str]:
    """The verdict on each claim of a text that a model wrote."""
    answer = {"choices": [{"message": {"content": f"Reasons: {text} Answer: no"}}]}
    for number, claim in enumerate(parse.read(answer, Style(name="own", form="text")).claims):
        yield check(number, claim, facts).verdict


def against_labels(home: Path, cells: list[CellState]) -> pd.DataFrame:
    """Each recipe in its own format against labels alone, on the same people and seeds: difference and margin."""
    arms = {arm(s.cell): s.cell for s in cells if s.cell.target in ORDERS}
    found = rows(home, "comparisons", Comparison)
    found = found[(found.family == "targets: roc_auc") & found.a.isin(arms) & found.difference.notna()]
    own = [r == NATIVE[ORDERS[arms[a].target]] for a, r in zip(found.a, found.a_readout, strict=True)]
    found = found.loc[pd.Series(own, index=found.index, dtype=bool)]
    columns = ["difference", "se", "df", "seeds", "n", "low", "high", "p", "p_adjusted"]
    table = found[columns].rename(
        columns={"low": "low_95", "high": "high_95", "p": "p_zero", "p_adjusted": "p_zero_holm"}
    )
    names = [name(ORDERS[arms[a].target], arms[a].corpus, arms[a].weight or 0.0) for a in found.a]
    table.insert(0, "configuration", names)
    return non_inferior(table, MARGIN)


KNEW = {
    "teacher": "the outcome",
    "late": "the outcome, after a draft",
    "half": "the outcome of every second person",
    "estimate": "an estimated risk",
    "blind": "nothing",
}
"""Positions of the dial, as the figure and the page name them."""


def picture(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """ROC-AUC over the label's share of the loss, a line for each position of the dial, a panel for each order."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    from wherefore.analysis.figures import _STYLE, MUTED, SERIES

    mpl.rcParams.update({**_STYLE, "figure.facecolor": "white", "svg.hashsalt": "wherefore"})
    found, known = tables["configurations"], tables["yardsticks"].set_index("target")
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.0), sharey=True)
    for ax, order in zip(axes, NATIVE, strict=True):
        labels = known.loc["label_only"]
        ax.axhspan(labels.low, labels.high, color=MUTED, alpha=0.15, lw=0)
        ax.axhline(labels.value, color=MUTED, lw=1)
        ax.axhline(known.loc["bayes"].value, color=MUTED, lw=1, ls=":")
        ax.axhline(0.5, color=MUTED, lw=0.6, ls="--")
        for (knew, said), colour in zip(KNEW.items(), SERIES, strict=False):
            part = found[found.order.eq(order) & found.knew.eq(knew)]
            ax.errorbar(
                part.weight,
                part.auc,
                part.sd,
                color=colour,
                label=said,
                marker="o",
                ms=3.5,
                lw=1.3,
                elinewidth=0.8,
            )
        ax.set_title("Reasons before the label" if order == "reasons first" else "Label before the reasons")
        ax.set_xscale("logit")
        ax.set_xticks(sorted(found.weight.unique()), [f"{w:g}" for w in sorted(found.weight.unique())])
        ax.minorticks_off()
        ax.set_xlabel("share of the label in the loss")
    axes[0].set_ylabel("ROC-AUC")
    axes[1].text(0.012, labels.high + 0.004, "labels alone", color=MUTED, fontsize=8)
    axes[1].text(0.012, known.loc["bayes"].value + 0.004, "true risk", color=MUTED, fontsize=8)
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(
        lines, names, title="What the teacher knew", loc="outside lower center", ncols=5, fontsize=8
    )
    figure.savefig(folder / "dial.svg", metadata={"Date": None})


def demo(home: Path) -> dict[str, pd.DataFrame]:
    """ROC-AUC of every recipe and read-out of the demo, and of the baselines."""
    found = rows(home, "averages", Average)
    found = found[(found.metric == "roc_auc") & (found.population == "source")]
    table = found[["value", "low", "high", "cells", "seed_sd", "n", "n_positive"]].copy()
    table.insert(0, "recipe", [f"{t}; {r}" for t, r in zip(found.target, found.readout, strict=True)])
    return {"averages": table}


def paper_small(home: Path) -> dict[str, pd.DataFrame]:
    """ROC-AUC of every configuration that is done, means by base and target, and how many of the grid they are."""
    study = load(home / "study.toml")
    assert study.grid is not None
    every = states(study, home)
    cells = {s.cell.id: s.cell for s in every if s.state == "done"}
    found = rows(home, "metrics", Metric)
    found = found[(found.metric == "roc_auc") & (found.group == "all") & (found.population == "source")]
    found = found[found.cell.isin(cells)]
    out = []
    for row in found.itertuples():
        cell = cells[row.cell]
        shape = {"base": cell.base, "target": cell.target, "n": cell.n, "learning_rate": cell.learning_rate}
        numbers = {"readout": row.readout, "value": row.value, "low": row.low, "high": row.high}
        out.append({"configuration": f"{cell.id} {row.readout}", **shape, **numbers})
    table = pd.DataFrame(out)
    means = (
        table.groupby(["base", "target"], sort=False).value.agg(["mean", "min", "max", "size"]).reset_index()
    )
    means.insert(0, "fits", means.pop("base") + ", " + means.pop("target"))
    ways = len(study.grid.decoding)
    count = {
        "part": "done",
        "fits": len(cells),
        "of_fits": len(every),
        "configurations": len(table),
        "of": ways * len(every),
    }
    return {"configurations": table, "means": means, "count": pd.DataFrame([count])}


STUDIES = {"dial": dial, "demo": demo, "paper-small": paper_small}
PICTURES = {"dial": picture}


def main() -> int:
    """Write the tables of a study's page."""
    if len(sys.argv) != 3 or sys.argv[1] not in STUDIES:
        print(
            f"python benchmarks/results.py STUDY RUN_FOLDER, with STUDY one of: {', '.join(STUDIES)}",
            file=sys.stderr,
        )
        return 2
    study, home = sys.argv[1], Path(sys.argv[2])
    folder = PAGES / study
    folder.mkdir(parents=True, exist_ok=True)
    tables = STUDIES[study](home)
    for file, table in tables.items():
        table.to_csv(folder / f"{file}.csv", index=False, float_format="%.6g", lineterminator="\n")
        print(f"{folder / file}.csv: {len(table)} rows")
    if study in PICTURES:
        PICTURES[study](folder, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
