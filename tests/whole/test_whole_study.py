"""A study from records to report, as a user runs it."""

import json
import re
import shutil

import pytest

from wherefore.study.config import load
from wherefore.study.runs import manifest, sha256

from .conftest import QUICK, Whole, wherefore

pytestmark = pytest.mark.slow


def test_every_stage_left_a_true_manifest(quick: Whole) -> None:
    study = load(QUICK)
    assert study.grid is not None
    folders = [quick.home / s for s in ("cohort", "synth", "annotate", "analysis")]
    folders += [quick.home / "train" / c.id for c in study.grid.cells()]
    for folder in folders:
        made = manifest(folder)
        assert made is not None, folder
        for name, digest in made.outputs.items():
            assert sha256(folder / name) == digest


def test_the_end_is_a_table_and_the_name_of_the_report(quick: Whole) -> None:
    lines = quick.printed.splitlines()
    assert lines[-1].endswith("report.html")
    for word in (
        "label_only",
        "free_rationale",
        "stepwise_rationale",
        "label_then_rationale",
        "bayes",
        "logistic",
    ):
        assert re.search(word, quick.printed, re.IGNORECASE), word
    assert re.search(r"0\.\d{3} +0\.\d{3} to 0\.\d{3}", quick.printed), "no AUC with an interval"


def test_the_report_needs_no_network(quick: Whole) -> None:
    page = (quick.home / "analysis" / "report.html").read_text()
    assert len(page) > 20_000
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "@import" not in page
    assert "url(http" not in page
    assert "simulated" in page.lower()


def test_the_same_command_again_does_nothing(quick: Whole) -> None:
    before = {p: p.stat().st_mtime_ns for p in quick.home.rglob("manifest.json")}
    again = wherefore("run", QUICK, "--runs", quick.runs)
    assert again.returncode == 0, again.stderr
    assert {p: p.stat().st_mtime_ns for p in quick.home.rglob("manifest.json")} == before


def test_status_for_people_and_for_scripts(quick: Whole) -> None:
    shown = wherefore("status", QUICK, "--runs", quick.runs)
    assert shown.returncode == 0, shown.stderr
    data = json.loads(wherefore("status", QUICK, "--runs", quick.runs, "--json").stdout)
    assert {s["state"] for s in data["stages"].values()} == {"done"}
    assert data["fits"]["done"] == data["fits"]["total"] > 0
    watched = wherefore(
        "status", QUICK, "--runs", quick.runs, "--watch"
    )  # it ends where nothing is left to wait for
    assert watched.stdout == shown.stdout
    assert "5 total, 5 done, 0 running, 0 failed, 0 missing" in shown.stdout
    page = (quick.home / "train" / "grid.html").read_text()
    assert "nothing is running or missing" in page
    assert page.count('<td class="done"') == 5
    assert "http-equiv" not in page


def test_check_counts_without_doing(quick: Whole, tmp_path) -> None:  # type: ignore[no-untyped-def]
    shown = wherefore("check", QUICK, "--runs", tmp_path / "none")
    assert shown.returncode == 0, shown.stderr
    assert "fits" in shown.stdout
    assert not (tmp_path / "none").exists()


def test_a_changed_line_is_refused_by_name_and_a_longer_grid_is_welcome(quick: Whole, tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = QUICK.read_text()
    changed = tmp_path / "changed.toml"
    changed.write_text(re.sub(r"(?m)^seed = \d+", "seed = 99", text, count=1))
    refused = wherefore("run", changed, "--runs", quick.runs)
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "cohort" in refused.stderr
    assert "99" in refused.stderr


def test_a_longer_grid_adds_fits_beside_those_that_are_done(quick: Whole, tmp_path) -> None:  # type: ignore[no-untyped-def]
    runs = tmp_path / "runs"
    shutil.copytree(quick.runs, runs)
    before = {p: p.read_bytes() for p in (runs / "quick" / "train").glob("*/predictions.parquet")}
    text = QUICK.read_text().replace("expect = 5", "expect = 6")
    longer = tmp_path / "longer.toml"
    longer.write_text(text.replace("also = [", 'also = [{ target = "two_tasks", n = 130 }, '))
    done = wherefore("run", longer, "--runs", runs)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "two tasks" in done.stdout
    cells = [p for p in before if p.parent.name != "baselines"]
    assert len(cells) == 5
    assert {p: p.read_bytes() for p in cells} == {p: before[p] for p in cells}
    assert len(list((runs / "quick" / "train").glob("*/fit.json"))) == 6


def test_no_cell_has_fewer_predictions_than_held_out_cases(quick: Whole) -> None:
    from wherefore.cohort.records import Case
    from wherefore.study.records import read_table
    from wherefore.train.records import Prediction

    cases = read_table(quick.home / "cohort" / "cases.parquet", Case)
    held_out = set(cases[(cases.split == "held_out") & cases.label.notna()].id)
    assert len(held_out) > 50
    tables = list((quick.home / "train").glob("*/predictions.parquet"))
    assert len(tables) >= 4
    for path in tables:
        for (cell, readout), part in read_table(path, Prediction).groupby(["cell", "readout"]):
            assert set(part.case) == held_out, (cell, readout)


def test_no_fit_saw_a_held_out_person(quick: Whole) -> None:
    from wherefore.cohort.records import Case
    from wherefore.study.records import read_table

    cases = read_table(quick.home / "cohort" / "cases.parquet", Case)
    assert cases.groupby("subject").split.nunique().max() == 1
