"""The page: true to its tables, complete, safe, and one file."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.analysis.records import Average, Comparison
from wherefore.analysis.report.answer import answer, verdict
from wherefore.analysis.report.example import why_not
from wherefore.analysis.report.sections import SECTIONS
from wherefore.analysis.report.sections.methods import asked
from wherefore.analysis.report.strips import axis, strip
from wherefore.analysis.run import run
from wherefore.analysis.settings import Settings
from wherefore.cli.main import main
from wherefore.cohort.records import Evidence
from wherefore.study.config import DataUse, load
from wherefore.study.grid import Grid
from wherefore.study.records import from_frame, read_table, write_table


@pytest.fixture(scope="module")
def page(analysed: Any) -> str:
    return str((analysed.home / "analysis" / "report.html").read_text())


class Tags(HTMLParser):
    """Refuses what is not nested as HTML is."""

    VOID = frozenset({"meta", "br", "link", "img", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


def test_page_is_nested_and_needs_nothing_else(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"script", "link", "img", "iframe", "object"}
    outside = set(re.findall(r"https?://[^\s\"'<)]+", page))
    assert all(url.startswith("http://www.w3.org/") for url in outside), (
        outside
    )  # names of SVG, not addresses
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#", "", page)


class Access(HTMLParser):
    """What a screen reader needs: captions, scopes, names of pictures, ids that occur once."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.tables: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if "id" in has:
            self.ids.append(str(has["id"]))
        if tag == "table":
            self.tables.append(False)
        if tag == "caption":
            self.tables[-1] = True
        if tag == "th" and has.get("scope") not in ("col", "row"):
            self.faults.append(f"th without a scope at {self.getpos()}")
        if tag == "img" and not has.get("alt"):
            self.faults.append(f"img without alt at {self.getpos()}")
        if tag == "svg" and not {"aria-labelledby", "aria-label", "aria-hidden"} & has.keys():
            self.faults.append(f"svg without a name at {self.getpos()}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and not self.tables.pop():
            self.faults.append(f"table without a caption before {self.getpos()}")


def test_page_can_be_heard(page: str) -> None:
    access = Access()
    access.feed(page)
    assert access.faults == []
    assert len(access.ids) == len(set(access.ids))
    assert re.search(r'<html lang="en">', page)
    levels = [int(h) for h in re.findall(r"<h([1-4])", page)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels)), levels


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_is_on_the_page(page: str, name: str) -> None:
    """With its own heading, and more than a heading; this study has something for each."""
    own = page.split(f'<section id="{name}"')[1].split("</section>")[0]
    assert f"<h2>{SECTIONS[name].title}</h2>" in own
    assert f'<a href="#{name}">{SECTIONS[name].title}</a>' in page
    assert len(re.sub(r"<[^>]+>", "", own).split()) > 20


def test_page_names_only_files_that_are_there(analysed: Any, page: str) -> None:
    named = set(re.findall(r"<code>((?:cohort|synth|analysis)/[\w/.]+)</code>", page))
    assert len(named) > 10
    for name in named:
        assert (analysed.home / name).exists(), name


def test_every_headline_number_is_a_row(analysed: Any, page: str) -> None:
    table = page.split('id="models"')[1].split("</table>")[0]
    rows = from_frame(read_table(analysed.home / "analysis" / "averages.parquet", Average), Average)
    mine = [a for a in rows if a.metric == "roc_auc" and a.population == "source"]
    assert len(mine) == 7
    for a in mine:
        assert f'<td class="n">{a.value:.3f}</td><td class="span">{a.low:.3f} to {a.high:.3f}</td>' in table


def test_page_says_that_people_and_raters_are_simulated(page: str) -> None:
    assert "The people of this study are simulated, and so are its raters" in page
    assert "people made by a test" in page


def test_text_from_the_records_cannot_become_markup(trial: Any) -> None:
    path = trial.home / "cohort" / "evidence.parquet"
    table = read_table(path, Evidence)
    table["name"] = "<script>x</script> $a_1$"
    write_table(path, table, Evidence)
    study = trial.study.model_copy(update={"title": "<img src=x>", "grid": None})
    assert run(study, trial.home)
    text = (trial.home / "analysis" / "report.html").read_text()
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;x&lt;/script&gt; $a_1$" in text
    svg = (trial.home / "analysis" / "figures" / "evidence.svg").read_text()
    assert "<script" not in svg
    assert "$a_1$" in svg  # a dollar in a name is no formula


def test_nobody_real_is_shown_unasked(trial: Any) -> None:
    real = {
        "cohort": {"source": {"name": "meds"}},
        "grid": None,
        "data_use": DataUse(kind="agreement", name="B"),
    }
    study = trial.study.model_copy(update=real)
    assert run(study, trial.home)
    text = (trial.home / "analysis" / "report.html").read_text()
    assert "No single person is shown" in text
    assert "[E001]" not in text
    assert why_not(study, Settings(example="always")) is None
    assert why_not(trial.study, Settings(example="never"))
    assert why_not(trial.study, Settings()) is None


def comparison(
    low: float,
    high: float,
    target: str = "free_rationale",
    metric: str = "roc_auc",
    seeds: int = 3,
    b_value: float = 0.74,
) -> Comparison:
    gap = (low + high) / 2
    return Comparison(
        metric=metric,
        unit="target",
        family=f"targets: {metric}",
        a=target,
        a_readout="own_rationale",
        b="label_only",
        b_readout="direct",
        difference=gap,
        low=low,
        high=high,
        low_adjusted=low,
        high_adjusted=high,
        a_value=b_value + gap,
        b_value=b_value,
        p=0.01,
        n=100,
        seeds=seeds,
        pairs=seeds,
        pairs_expected=seeds,
        about="recipes" if seeds > 2 else "fits",
        seed_sd=0.01 if seeds > 1 else None,
    )


def average(target: str, readout: str, value: float, low: float = 0.6) -> Average:
    return Average(
        target=target,
        readout=readout,
        metric="roc_auc",
        value=value,
        low=low,
        high=0.9,
        cells=1,
        expected=1,
        n=100,
        n_positive=20,
    )


AVERAGES = [average("label_only", "direct", 0.74)]
GRID = Grid(expect=3, target=("label_only", "free_rationale", "stepwise_rationale"), n=(10,)).cells()


@pytest.mark.parametrize(
    ("rows", "finding", "said"),
    [
        ([(-0.2, -0.1), (-0.2, -0.05)], "hurt", "Teaching reasons before the label hurt"),
        ([(0.1, 0.2), (0.05, 0.2)], "helped", "Teaching reasons before the label helped"),
        ([(-0.1, 0.1), (-0.2, 0.01)], "unclear", "A loss of up to 0.200 and a gain of up to 0.100"),
        (
            [(-0.2, -0.1), (-0.1, 0.1)],
            "mixed",
            "free rationale hurt; stepwise rationale made no difference",
        ),
    ],
)
def test_answer_follows_the_intervals(rows: list[tuple[float, float]], finding: str, said: str) -> None:
    targets = ("free_rationale", "stepwise_rationale")
    found = answer([comparison(*r, t) for r, t in zip(rows, targets, strict=True)], AVERAGES, GRID)
    assert (found.finding, found.about) == (finding, "recipes")
    assert said in found.headline
    assert f"ROC-AUC {0.74 + sum(rows[0]) / 2:.3f} against 0.740 for label only" in found.support[0]


def test_answer_follows_the_adjusted_interval_not_the_single_one() -> None:
    row = comparison(-0.2, -0.01).model_copy(update={"low_adjusted": -0.24, "high_adjusted": 0.03})
    found = answer([row], AVERAGES, GRID)
    assert found.finding == "unclear"
    assert "(adjusted interval −0.240 to 0.030)" in found.support[0]


@pytest.mark.parametrize(("seeds", "said"), [(1, "one training run of each"), (2, "2 training runs of each")])
def test_fewer_than_three_seeds_are_about_fits(seeds: int, said: str) -> None:
    found = answer([comparison(-0.2, -0.1, seeds=seeds)], AVERAGES, GRID)
    assert found.about == "fits"
    assert found.headline.startswith("In these fits: ")
    assert said in found.headline
    assert "A verdict needs 3 seeds." in found.headline
    both = [comparison(-0.2, -0.1), comparison(-0.2, -0.1, "stepwise_rationale", seeds=2)]
    assert answer(both, AVERAGES, GRID).about == "fits"  # the weakest comparison decides


def test_answer_admits_a_useless_reference_and_an_empty_study() -> None:
    weak = [average("label_only", "direct", 0.52, low=0.45)]
    found = answer([comparison(-0.1, 0.1)], weak, GRID)
    assert any("cannot be told from guessing (0.450 to 0.900)" in line for line in found.support)
    assert "no grid" in answer([], [], []).headline
    assert "no reasons-first target" in answer([], [], GRID).headline


def test_hindsight_is_no_rival_and_says_what_it_gives_away() -> None:
    hindsight = comparison(0.1, 0.3).model_copy(
        update={
            "family": "readouts: roc_auc",
            "unit": "readout",
            "a_readout": "teacher_rationale",
            "b": "free_rationale",
            "b_readout": "own_rationale",
        }
    )
    found = answer([comparison(-0.2, -0.1), hindsight], AVERAGES, GRID)
    assert found.finding == "hurt"
    assert any("gives the outcome away" in line for line in found.support)


def test_settings_are_shown_without_the_machine(analysed: Any) -> None:
    study = analysed.study.model_copy(update={"bases": {"q": {"path": "/home/ann/models/Qwen3-8B"}}})
    assert dict(asked(study))["bases"] == "q path Qwen3-8B"
    assert (
        dict(asked(study))["grid"]
        == "target label_only, free_rationale, label_then_rationale; n 400; seed 0, 1, 2"
    )


def test_the_metric_says_which_end_is_good() -> None:
    assert verdict(comparison(-0.2, -0.1)) == "worse"
    assert verdict(comparison(-0.2, -0.1, metric="brier")) == "better"
    assert verdict(comparison(-0.2, 0.1)) == "unclear"
    assert (
        verdict(comparison(-0.4, -0.2, metric="calibration_slope", b_value=1.2)) == "better"
    )  # 0.9 is nearer to 1
    assert verdict(comparison(-0.4, -0.2, metric="calibration_slope", b_value=1.0)) == "worse"
    assert (
        verdict(comparison(0.2, 0.4, metric="calibration_in_the_large", b_value=-0.4)) == "better"
    )  # nearer to 0


def test_strips_share_an_axis_and_stay_in_the_cell() -> None:
    scale = axis([-0.31, 0.12], rule=0.0)
    assert scale.ticks == (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2)
    assert scale.x(-0.4) < scale.x(0.0) < scale.x(0.2)
    assert scale.x(5.0) == scale.x(0.2)
    assert "circle" not in strip(scale, None, None, None)


STUDY = """
name = "small"
data_use = { kind = "synthetic", name = "people made by a test" }
[cohort]
source = { name = "simulated" }
[synth]
teacher = { name = "reference" }
[annotate]
raters = "simulated"
[bases.tiny]
make = "tiny"
[grid]
expect = 2
target = ["label_only", "free_rationale"]
n = [100]
[analysis]
replicates = 100
"""


def test_commands_evaluate_and_report(tmp_path: Path, lay_out: Any) -> None:
    file = tmp_path / "small.toml"
    file.write_text(STUDY)
    empty = CliRunner().invoke(main, ["evaluate", str(file), "--runs", str(tmp_path)])
    assert empty.exit_code == 1
    assert "cohort/cases.parquet: not found. Run `wherefore cohort" in empty.output
    lay_out(tmp_path / "small", load(file))
    made = CliRunner().invoke(main, ["evaluate", str(file), "--runs", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert "ROC-AUC on 340 held-out cases" in made.output
    data = CliRunner().invoke(main, ["evaluate", str(file), "--runs", str(tmp_path), "--json"])
    assert data.output.startswith('{"averages": [{"target": "label_only"')
    copy = tmp_path / "copy.html"
    named = CliRunner().invoke(main, ["report", str(file), "--runs", str(tmp_path), "--to", str(copy)])
    assert named.exit_code == 0, named.output
    assert copy.read_text() == (tmp_path / "small" / "analysis" / "report.html").read_text()
