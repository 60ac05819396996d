"""`wherefore agree` on files, as a person and as a script would call it."""

import csv
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wherefore.cli.main import main


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["agree", *map(str, words)])


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """60 patients, two rationales each, three raters; `eva` is generous; some grades are not given."""
    rng = random.Random(1)
    path = tmp_path / "ratings.csv"
    with path.open("w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["item", "rater", "value", "dimension", "patient", "arm", "order"])
        for i in range(120):
            quality = rng.gauss(0, 1)
            for k, g in enumerate(("ann", "ben", "eva")):
                grade = min(5, max(1, round(3 + quality + rng.gauss(0, 0.7) + (g == "eva") * 0.8)))
                value = "" if rng.random() < 0.1 else grade
                arm = "free" if i % 2 else "stepwise"
                out.writerow([i, g, value, "accuracy", i // 2, arm, 10 * i + k])
                out.writerow([i, g, "yes" if quality > -1 else "no", "accept", i // 2, arm, 10 * i + k])
    return path


def test_a_csv_alone_gives_a_table_and_a_methods_paragraph(ratings: Path) -> None:
    done = call(ratings, "--replicates", 300)
    assert done.exit_code == 0, done.output
    assert "accuracy: ordinal (assumed), 1, 2, 3, 4, 5" in done.output
    assert "60 independent patients" in done.output
    assert "krippendorff_alpha" in done.output
    assert "categories not declared" in done.output
    assert "Agreement was measured on accuracy" in done.output


def test_json_is_the_whole_of_it_and_the_same_on_the_same_seed(ratings: Path) -> None:
    words = (ratings, "--json", "--replicates", 300, "--seed", 5, "--categories", "accuracy=1,2,3,4,5")
    first, second = call(*words), call(*words)
    assert first.output == second.output
    s = json.loads(first.output)
    accuracy = next(d for d in s["dimensions"] if d["name"] == "accuracy")
    assert {a["statistic"] for a in accuracy["agreement"]} >= {
        "krippendorff_alpha",
        "gwet_ac",
        "percent_agreement",
    }
    eva = next(r for r in accuracy["raters"] if r["rater"] == "eva")
    assert eva["effect_low"] > 0
    assert accuracy["n_missing"] + accuracy["n_ratings"] == 360
    assert s["methods"].startswith("Agreement was measured on")


def test_comparison_judge_plan_and_figure(ratings: Path, tmp_path: Path) -> None:
    picture = tmp_path / "agreement.svg"
    done = call(
        ratings,
        "--replicates",
        300,
        "--categories",
        "accuracy=1,2,3,4,5",
        "--categories",
        "accept=no,yes",
        "--compare",
        "groups",
        "--judge",
        "eva",
        "--margin",
        "0.2",
        "--half-width",
        "0.1",
        "--minutes",
        "3",
        "--statistic",
        "light_kappa",
        "--figure",
        picture,
    )
    assert done.exit_code == 0, done.output
    for part in (
        "accuracy: free - stepwise",
        "eva in the place of one of 2",
        "plan: ",
        "hours in all",
        "light_kappa",
    ):
        assert part in done.output, part
    assert picture.read_text(encoding="utf-8").count("<svg") == 1
    with (tmp_path / "agreement.csv").open() as f:
        rows = list(csv.DictReader(f))
    assert {r["panel"] for r in rows} == {"coefficients", "items", "severity"}
    alpha = next(r for r in rows if (r["dimension"], r["name"]) == ("accuracy", "alpha"))
    assert float(alpha["low"]) < float(alpha["value"]) < float(alpha["high"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.csv"], "none.csv: not found"),
        (
            ["{ratings}", "--level", "acuracy=ordinal"],
            "'acuracy' is not a dimension; did you mean 'accuracy'",
        ),
        (["{ratings}", "--level", "accuracy=ordinary"], "levels.accuracy"),
        (["{ratings}", "--categories", "accuracy=1,2,3"], "outside the scale. Allowed: 1, 2, 3."),
        (["{ratings}", "--statistic", "kapa"], "'kapa' is not a coefficient"),
        (["{ratings}", "--statistic", "gwet_ac"], "declare the categories"),
        (["{ratings}", "--column", "item=itm"], "no column 'itm' for item; did you mean 'item'"),
        (["{ratings}", "--judge", "gpt"], "--judge: 'gpt' is not a rater"),
        (["{ratings}", "--confidence", "2"], "confidence"),
        (["{ratings}", "--figure", "x.bmp"], "ends in '.bmp'"),
    ],
)
def test_bad_input_is_one_line_and_no_figure(ratings: Path, words: list[str], says: str) -> None:
    done = call(*[w.format(ratings=ratings) for w in words], "--replicates", 200)
    assert done.exit_code == 1
    assert says in done.output
    assert done.output.count("\n") == 1
    assert done.output.startswith("wherefore: ")


def test_help_names_every_kind_of_input() -> None:
    text = " ".join(call("--help").output.split())
    for part in (
        "CSV",
        ".xlsx",
        "Label Studio",
        "Prodigy",
        "REDCap",
        "ratings.jsonl",
        "run folder",
        "study file",
    ):
        assert part in text
