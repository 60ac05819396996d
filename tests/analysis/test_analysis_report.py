"""The page: true to its tables, complete, safe, and one file."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.analysis.records import Average, Comparison
from wherefore.analysis.report.answer import answer, verdict
from wherefore.analysis.report.example import why_not
from wherefore.analysis.report.sections import asked
from wherefore.analysis.report.strips import axis, strip
from wherefore.analysis.run import run
from wherefore.analysis.settings import Settings
from wherefore.cli.main import main
from wherefore.cohort.records import Evidence
from wherefore.study.config import DataUse, load
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


def test_page_names_only_files_that_are_there(analysed: Any, page: str) -> None:
    named = set(re.findall(r"<code>((?:cohort|synth|analysis)/[\w/.]+)</code>", page))
    assert len(named) > 10
    for name in named:
        assert (analysed.home / name).exists(), name


def test_every_headline_number_is_a_row(analysed: Any, page: str) -> None:
    table = page.split('id="models"')[1].split("</table>")[0]
    rows = from_frame(read_table(analysed.home / "analysis" / "averages.parquet", Average), Average)
    mine = [a for a in rows if a.metric == "roc_auc" and a.population == "sample"]
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
    low: float, high: float, target: str = "free_rationale", metric: str = "roc_auc"
) -> Comparison:
    return Comparison(
        metric=metric, unit="target", family=f"targets: {metric}", a=target, a_readout="own_rationale",
        b="label_only", b_readout="direct", difference=(low + high) / 2, low=low, high=high, p=0.01, n=100,
    )  # fmt: skip


def average(target: str, readout: str, value: float, low: float = 0.6) -> Average:
    return Average(
        target=target, readout=readout, metric="roc_auc", value=value, low=low, high=0.9, cells=1, expected=1, n=100,
        n_positive=20,
    )  # fmt: skip


AVERAGES = [
    average("label_only", "direct", 0.74),
    average("free_rationale", "own_rationale", 0.6),
    average("stepwise_rationale", "own_rationale", 0.6),
]


@pytest.mark.parametrize(
    ("rows", "finding", "said"),
    [
        ([(-0.2, -0.1), (-0.2, -0.05)], "appears", "Here it hurt"),
        ([(0.1, 0.2), (0.05, 0.2)], "reversed", "Here it helped"),
        ([(-0.1, 0.1), (-0.2, 0.01)], "unclear", "no difference was established"),
        (
            [(-0.2, -0.1), (-0.1, 0.1)],
            "mixed",
            "free rationale hurt and stepwise rationale made no difference",
        ),
    ],
)
def test_answer_follows_the_intervals(rows: list[tuple[float, float]], finding: str, said: str) -> None:
    targets = ("free_rationale", "stepwise_rationale")
    found = answer([comparison(*r, t) for r, t in zip(rows, targets, strict=True)], AVERAGES, trained=True)
    assert found.finding == finding
    assert said in found.headline
    assert "ROC-AUC 0.600 against 0.740 for label only" in found.support[0]


def test_answer_admits_a_useless_reference_and_an_empty_study() -> None:
    weak = [average("label_only", "direct", 0.52, low=0.45), *AVERAGES[1:]]
    found = answer([comparison(-0.1, 0.1)], weak, trained=True)
    assert any("not told from guessing here (0.450 to 0.900)" in line for line in found.support)
    assert "no grid" in answer([], [], trained=False).headline


def test_one_seed_is_said_and_several_are_not() -> None:
    one = answer([comparison(-0.2, -0.1)], AVERAGES, trained=True).support
    assert any("trained with one seed" in line for line in one)
    several = comparison(-0.2, -0.1).model_copy(update={"seed_sd": 0.02})
    assert not any("one seed" in line for line in answer([several], AVERAGES, trained=True).support)


def test_families_too_large_for_the_draws_are_named(trial: Any) -> None:
    assert run(trial.study, trial.home)
    assert "adjusted p below" not in (trial.home / "analysis" / "report.html").read_text()
    few = trial.study.model_copy(update={"analysis": {"replicates": 100}})
    assert run(few, trial.home)
    text = (trial.home / "analysis" / "report.html").read_text()
    assert "with 100 bootstrap draws none of them can have an adjusted p below 0.05" in text


def test_settings_are_shown_without_the_machine(analysed: Any) -> None:
    study = analysed.study.model_copy(update={"bases": {"q": {"path": "/home/ann/models/Qwen3-8B"}}})
    assert dict(asked(study))["bases"] == "q path Qwen3-8B"
    assert (
        dict(asked(study))["grid"]
        == "target label_only, free_rationale, label_then_rationale; n 400; seed 0, 1, 2"
    )


def test_lower_is_better_for_brier() -> None:
    assert verdict(comparison(-0.2, -0.1)) == "worse"
    assert verdict(comparison(-0.2, -0.1, metric="brier")) == "better"
    assert verdict(comparison(-0.2, 0.1)) == "unclear"


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
    assert "no cohort here" in empty.output
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
