"""`wherefore agree` on what a real Label Studio exports, and on a study whose grading is under way."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.analysis.agreement import coefficient
from wherefore.annotate import rounds
from wherefore.annotate.graded import GradedForm, Mark
from wherefore.annotate.label_studio import forms
from wherefore.annotate.run import resolve
from wherefore.cli.main import main
from wherefore.study.config import load

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="accept" toName="text"><Choice value="yes"/><Choice value="no"/></Choices>
  <Choices name="faults" toName="text" choice="multiple"><Choice value="dose"/><Choice value="date"/></Choices>
  <Rating name="quality" toName="text"/>
  <Number name="minutes" toName="text"/>
</View>"""

GIVEN = {
    "ann": [
        ("yes", ["dose"], 5, 2.5),
        ("no", [], 2, 1),
        ("yes", ["dose", "date"], 4, 3),
        ("no", ["date"], 1, 2),
    ],
    "ben": [("yes", ["dose"], 4, 2.5), ("no", ["date"], 2, 1), ("no", ["date"], 4, 4), None],
}
"""What each rater says of four texts; `ben` skips the last one."""


def form(accept: str, faults: list[str], quality: int, minutes: float) -> list[dict[str, Any]]:
    """The annotation as the page would send it."""
    values = [
        ("accept", "choices", [accept]),
        ("faults", "choices", faults),
        ("quality", "rating", quality),
        ("minutes", "number", minutes),
    ]
    return [
        {"from_name": name, "to_name": "text", "type": kind, "value": {kind: value}}
        for name, kind, value in values
        if value != []
    ]


@pytest.mark.service
def test_the_coefficients_of_an_export_are_those_of_what_was_clicked(
    label_studio: Any, tmp_path: Path
) -> None:
    project = label_studio.admin.call(
        "POST",
        "/api/projects/",
        json={"title": "any project", "label_config": CONFIG, "maximum_annotations": 2},
    )["id"]
    label_studio.admin.call(
        "POST", f"/api/projects/{project}/import", json=[{"text": f"text {i}"} for i in range(4)]
    )
    tasks = sorted(
        t["id"]
        for t in label_studio.admin.call("GET", f"/api/tasks/?project={project}&page_size=10")["tasks"]
    )
    for rater, rows in GIVEN.items():
        for task, given in zip(tasks, rows, strict=True):
            if given is None:
                label_studio.submit(rater, task, [], was_cancelled=True)
            else:
                label_studio.submit(rater, task, form(*given))
    path = tmp_path / "export.json"
    path.write_text(
        json.dumps(label_studio.admin.call("GET", f"/api/projects/{project}/export?exportType=JSON"))
    )
    words = ["agree", str(path), "--json", "--replicates", "200", "--categories", "accept=no,yes"]
    done = CliRunner().invoke(main, [*words, "--level", "quality=ordinal"])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.output)
    found = {d["name"]: d for d in summary["dimensions"]}
    assert (
        "lists of boxes left empty (1) count as none ticked: no for each box" in summary["reading"]["notes"]
    )
    assert set(found) == {"accept", "faults", "faults: date", "faults: dose", "quality", "minutes"}
    assert found["accept"]["agreement"][0]["value"] == pytest.approx(
        coefficient([["yes", "yes"], ["no", "no"], ["yes", "no"]], "krippendorff_alpha", "nominal")
    )
    assert found["quality"]["agreement"][0]["value"] == pytest.approx(
        coefficient([[5, 4], [2, 2], [4, 4]], "krippendorff_alpha", "ordinal")
    )
    assert found["minutes"]["level"] == "interval"
    number = {name.partition("@")[0]: str(id) for id, name in label_studio.admin.accounts().items()}
    assert {r["rater"] for r in found["accept"]["raters"]} == {number["ann"], number["ben"]}
    assert found["accept"]["n_items"] == 4
    assert found["faults: date"]["agreement"][0]["value"] == pytest.approx(
        coefficient([["no", "no"], ["no", "yes"], ["yes", "yes"]], "krippendorff_alpha", "nominal")
    )


def test_a_study_file_gives_what_is_in_so_far(graded: Path, tmp_path: Path) -> None:
    graded.rename(graded.with_name("quick"))
    before, _, _ = (files("wherefore.examples") / "quick.toml").read_text().partition("[annotate]")
    path, runs = tmp_path / "study.toml", ("--runs", str(graded.parent))
    path.write_text(
        f'{before}[annotate]\nraters = "files"\nrubric = "short"\nitems = 20\npeople = ["ann", "ben"]\n'
    )

    def call(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, [*words, *runs])
        assert done.exit_code == code, done.output
        return done.output

    assert "no ratings" in call("agree", str(path), code=1)
    call("annotate", "export", str(path), "--to", str(tmp_path / "out"))
    study = load(path)
    plan = rounds.people(study, resolve(study), graded.with_name("quick")).plan
    said: dict[str, dict[str, str]] = {}
    for rater, done in (("ann", 20), ("ben", 12)):
        tasks = json.loads((tmp_path / "out" / f"main-{rater}" / "tasks.json").read_text())
        rows = []
        for n, task in enumerate(sorted(tasks, key=lambda t: t["data"]["item"])[:done]):
            item = task["data"]["item"]
            grade = "yes" if (n + (rater == "ben" and n % 4 == 0)) % 2 else "no"
            said.setdefault(item, {})[rater] = grade
            marks = tuple(
                Mark(dimension=d.name, value=d.categories[grade == "yes"]) for d in plan.rubric.dimensions
            )
            answer = GradedForm(item=item, rater=rater, round="main", marks=marks)
            made = {
                "id": n,
                "completed_by": 1,
                "result": forms.write(answer),
                "was_cancelled": False,
                "lead_time": 9.0,
                "updated_at": "2026-11-22T10:00:00Z",
            }
            rows.append({**task, "id": n, "annotations": [made]})
        (tmp_path / f"{rater}.json").write_text(json.dumps(rows))
        call("annotate", "import", str(path), str(tmp_path / f"{rater}.json"), "--rater", rater)
        if rater == "ann":  # a run writes what is there; what comes in after it must count too
            call("annotate", "run", str(path), code=3)
            assert "1 rater" in call("agree", str(path), code=1)
    summary = json.loads(call("agree", str(path), "--json", "--replicates", "200"))
    dimension = summary["dimensions"][0]
    assert not summary["simulated"]
    assert (dimension["n_items"], dimension["n_ratings"], dimension["n_lone"]) == (20, 32, 8)
    both = [[x.get("ann"), x.get("ben")] for x in said.values()]
    percent = next(a for a in dimension["agreement"] if a["statistic"] == "percent_agreement")
    assert percent["value"] == pytest.approx(coefficient(both, "percent_agreement", "nominal"))
