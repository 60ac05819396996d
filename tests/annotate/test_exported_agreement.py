"""`wherefore agree` on what a real Label Studio exports: one project, several raters, and a project a rater."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.analysis.agreement import coefficient
from wherefore.cli.main import main

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="accept" toName="text"><Choice value="yes"/><Choice value="no"/></Choices>
  <Choices name="faults" toName="text" choice="multiple"><Choice value="dose"/><Choice value="date"/></Choices>
  <Rating name="quality" toName="text"/>
  <Number name="minutes" toName="text"/>
</View>"""

GIVEN = {
    "ann": [("yes", ["dose"], 5, 2.5), ("no", [], 2, 1), ("yes", ["dose", "date"], 4, 3), ("no", ["date"], 1, 2)],
    "ben": [("yes", ["dose"], 4, 2.5), ("no", ["date"], 2, 1), ("no", ["date"], 4, 4), None],
}  # fmt: skip
"""What each rater says of four texts; `ben` skips the last one."""


def form(accept: str, faults: list[str], quality: int, minutes: float) -> list[dict[str, Any]]:
    """The annotation as the page would send it."""
    values = [
        ("accept", "choices", [accept]), ("faults", "choices", faults), ("quality", "rating", quality),
        ("minutes", "number", minutes),
    ]  # fmt: skip
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
    exported = label_studio.admin.export(project)
    assert exported == []  # nobody has annotated yet
    tasks = sorted(
        t["id"]
        for t in label_studio.admin.call("GET", f"/api/tasks/?project={project}&page_size=10")["tasks"]
    )
    for rater, forms in GIVEN.items():
        for task, given in zip(tasks, forms, strict=True):
            if given is None:
                label_studio.submit(rater, task, [], was_cancelled=True)
            else:
                label_studio.submit(rater, task, form(*given))
    path = tmp_path / "export.json"
    path.write_text(json.dumps(label_studio.admin.export(project)))
    words = ["agree", str(path), "--json", "--replicates", "200", "--categories", "accept=no,yes"]
    done = CliRunner().invoke(main, [*words, "--level", "quality=ordinal"])
    assert done.exit_code == 0, done.output
    found = {d["name"]: d for d in json.loads(done.output)["dimensions"]}
    assert set(found) == {"accept", "faults: date", "faults: dose", "quality", "minutes"}
    assert found["accept"]["agreement"][0]["value"] == pytest.approx(
        coefficient([["yes", "yes"], ["no", "no"], ["yes", "no"]], "krippendorff_alpha", "nominal")
    )
    assert found["quality"]["agreement"][0]["value"] == pytest.approx(
        coefficient([[5, 4], [2, 2], [4, 4]], "krippendorff_alpha", "ordinal")
    )
    assert found["minutes"]["level"] == "interval"
    assert {r["rater"] for r in found["accept"]["raters"]} == {
        "ann@raters.example.com",
        "ben@raters.example.com",
    }
    assert found["accept"]["n_items"] == 4
    assert found["faults: date"]["agreement"][0]["value"] == pytest.approx(
        coefficient([["no", "no"], ["no", "yes"], ["yes", "yes"]], "krippendorff_alpha", "nominal")
    )
