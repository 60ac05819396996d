"""Whose file, whose project: grades stay with the rater and the run that they belong to."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate.label_studio import ledger

GOOD, BAD = {"sound": "yes", "harm": "none"}, {"sound": "no", "harm": "minor"}
ANN, BEN = "ann@raters.example.com", "ben@raters.example.com"


def brought(run: Any, path: Path, rater: str, *more: str, code: int = 0) -> str:
    said = run.call("import", str(path), "--rater", rater, *more, code=code)
    assert code == 0 or said.count("\n") == 1
    return str(said)


def test_the_same_file_for_two_raters_is_refused(by_files: Any) -> None:
    """Also where each rater has a server of their own, on which the accounts have the same number."""
    ann = by_files.exported("ann", values=GOOD)
    brought(by_files, ann, "ann")
    said = brought(by_files, ann, "ben", code=1)
    assert "8 of 8 forms are here as ann's" in said
    assert by_files.values("ben", "sound") == {}
    brought(by_files, by_files.exported("ben", values=GOOD), "ben")
    assert by_files.state.due is None


@pytest.mark.parametrize("renumbered", [False, True])
def test_a_copy_under_new_numbers_is_still_a_copy(by_files: Any, renumbered: bool) -> None:
    """Loaded into another server and exported from there: new numbers, new account, the same seconds."""
    brought(by_files, by_files.exported("ann", values=GOOD), "ann")

    def copied(n: int, task: dict[str, Any]) -> None:
        a = task["annotations"][0]
        if renumbered:
            a |= {
                "id": 900 + n,
                "unique_id": f"other {n}",
                "completed_by": 7,
                "created_at": "2026-11-28T10:00:00Z",
            }
        else:
            del a["unique_id"]

    copy = by_files.exported("ann", copied, values=GOOD)
    assert "forms are here as ann's" in brought(by_files, copy, "ben", code=1)


def test_one_file_imported_twice_and_a_later_one(by_files: Any) -> None:
    first = by_files.exported("ann", values=GOOD, first=5)
    assert "main ann: 5 forms here (5 new, 0 changed)" in brought(by_files, first, "ann")
    assert "main ann: 5 forms here (0 new, 0 changed)" in brought(by_files, first, "ann")

    def later(n: int, task: dict[str, Any]) -> None:
        task["annotations"][0]["updated_at"] = "2026-11-21T09:00:00+02:00"

    second = by_files.exported("ann", later, values=BAD, first=3)
    said = brought(by_files, second, "ann")
    assert (
        "main ann: 5 forms here (0 new, 3 changed); 2 of an earlier import are not in this file and are kept"
        in said
    )
    assert sorted(by_files.values("ann", "sound").values()) == ["no"] * 3 + ["yes"] * 2


@pytest.mark.parametrize(
    "account",
    [3, "3", {"id": 3}, {"id": 3, "email": "Ann@Clinic.org"}, "ann@clinic.org", {"email": "ann@clinic.org"}],
)
def test_one_account_in_all_its_spellings(by_files: Any, account: Any) -> None:
    """A number in one half of the file, an object or an address in the other."""
    by_files.study(people=[{"name": "ann", "email": "ann@clinic.org"}, "ben"])
    full = {"id": 3, "email": "ann@clinic.org"}

    def mixed(n: int, task: dict[str, Any]) -> None:
        task["annotations"][0]["completed_by"] = full if n % 2 else account

    brought(by_files, by_files.exported("ann", mixed, values=GOOD), "ann")
    assert len(by_files.values("ann", "sound")) == 8


def test_a_file_by_another_account_is_refused(by_files: Any) -> None:
    by_files.study(people=[{"name": "ann", "email": ANN}, {"name": "ben", "email": BEN}])
    swapped = by_files.exported("ben", account={"id": 2, "email": ANN}, values=GOOD)
    assert f"graded by {ANN}, the account of ann. Is --rater right?" in brought(
        by_files, swapped, "ben", code=1
    )
    typo = by_files.exported("ben", account={"id": 2, "email": "bem@raters.example.com"}, values=GOOD)
    said = brought(by_files, typo, "ben", code=1)
    assert f"graded by bem@raters.example.com, and ben is known as {BEN}" in said
    assert len(by_files.state.got.ratings) == 0
    brought(by_files, typo, "ben", "--new-account")
    assert len(by_files.values("ben", "sound")) == 8
    by_files.study(people=["ann", {"name": "ben", "email": "bem@raters.example.com"}])
    assert len(by_files.values("ben", "sound")) == 8, "and by the corrected address, too"


def test_a_second_account_of_one_rater_needs_a_word(by_files: Any) -> None:
    brought(by_files, by_files.exported("ann", account=3, values=GOOD, first=4), "ann")
    other = by_files.exported("ann", account=9, values=GOOD)
    assert "graded by account 9, and ann is known as" in brought(by_files, other, "ann", code=1)
    brought(by_files, other, "ann", "--new-account")
    assert len(by_files.values("ann", "sound")) == 8


def test_an_account_that_was_deleted_before_the_export(by_files: Any) -> None:
    """What was imported before stays its rater's; a file in which no account is named is taken as a whole."""
    brought(by_files, by_files.exported("ann", values=GOOD), "ann")
    brought(by_files, by_files.exported("ann", account=None, values=BAD), "ann")
    assert set(by_files.values("ann", "sound").values()) == {"no"}
    brought(by_files, by_files.exported("ben", account=None, values=GOOD), "ben")
    assert len(by_files.values("ben", "sound")) == 8


def test_odd_forms_in_a_file_are_listed_and_the_rest_counts(by_files: Any) -> None:
    changes: dict[int, Any] = {
        0: lambda t: t["annotations"][0].update(lead_time="-3"),
        1: lambda t: t["annotations"][0].update(lead_time="two minutes", updated_at="2026-11-20T11:00:00"),
        2: lambda t: t.update(annotations=[4711, *t["annotations"]]),
        3: lambda t: t.update(data=None),
        4: lambda t: t["annotations"][0].update(result=None),
        5: lambda t: t.update(annotations=None),
        6: lambda t: t["annotations"][0].update(updated_at="yesterday", lead_time="00:01:30"),
        7: lambda t: t["annotations"][0].update(
            created_at=1763636400, updated_at=1763636400000, lead_time=True
        ),
    }
    path = by_files.exported("ann", lambda n, task: changes[n](task), values=GOOD)
    path.write_text(json.dumps([None, "a text", *json.loads(path.read_text())]))
    said = brought(by_files, path, "ann")
    items = [
        t["data"]["item"]
        for t in json.loads((by_files.run_folder / "annotate_files" / "main-ann" / "tasks.json").read_text())
    ]
    assert set(by_files.values("ann", "sound")) == {items[n] for n in (0, 1, 2, 6, 7)}
    seconds = {r.item: r.seconds for r in by_files.state.got.ratings}
    assert [seconds[items[n]] for n in (0, 1, 2, 6, 7)] == [None, None, 35.0, 90.0, None]
    for line in (
        "entry 0 is null, not a task",
        "entry 1 is a text, not a task",
        "lead_time '-3' is negative",
        "lead_time 'two minutes' is not a number of seconds",
        "annotation 4711 is a number without its answers",
        "data is null",
        "missing (does not count): ann",
        "updated_at 'yesterday' is not a time",
        "lead_time True is not a number of seconds",
    ):
        assert line in said, line
    assert "ann 5/8" in by_files.call("run", code=3)
    by_files.call("status")


def test_times_are_compared_as_times(by_files: Any) -> None:
    """The later of two forms counts, whatever the clocks write: 09:30 in Berlin is before 09:00 in UTC."""
    early, late = "2026-11-20T09:30:00+01:00", "2026-11-20T09:00:00Z"

    def twice(n: int, task: dict[str, Any]) -> None:
        (a,) = task["annotations"]
        item = task["data"]["item"]
        other = {**a, "id": 50 + n, "unique_id": f"second {n}", "result": by_files.form(item, BAD)}
        for form, at in ((a, late), (other, early)):
            form["created_at"] = form["updated_at"] = at if n % 2 else at.removesuffix("Z")
        task["annotations"] = [a, other]

    said = brought(by_files, by_files.exported("ann", twice, values=GOOD), "ann")
    assert set(by_files.values("ann", "sound").values()) == {"yes"}
    assert said.count("duplicate_annotation (does not count)") == 8


def test_the_file_of_another_study_or_round(by_files: Any) -> None:
    path = by_files.exported("ann", lambda n, t: t["data"].update(item=f"item-{n:012d}"), values=GOOD)
    assert "item-000000000000 is not a task of ann in round 'main', and 8 of 8 forms" in brought(
        by_files, path, "ann", code=1
    )
    assert "zoe has no task in round 'main'" in brought(by_files, path, "zoe", code=1)


@pytest.mark.service
def test_another_run_folder_of_the_same_name_does_not_take_a_project_over(
    on_server: Any, tmp_path: Path
) -> None:
    on_server.call("push")
    on_server.grade_all("ann", GOOD, only=2)
    first = {p.project for p in ledger.read(on_server.folder).places}
    other = tmp_path / "elsewhere" / "runs"
    for stage in ("cohort", "synth"):
        shutil.copytree(on_server.run_folder / stage, other / on_server.run_folder.name / stage)
    said = on_server.call("push", "--runs", str(other))
    assert said.count("6 added") == 2
    second = {p.project for p in ledger.read(other / on_server.run_folder.name / "annotate").places}
    assert not first & second
    on_server.call("pull", "--runs", str(other))
    assert len(on_server.values("ann", "sound")) == 0
    on_server.call("pull")
    assert len(on_server.values("ann", "sound")) == 2
    assert on_server.call("push").count("0 added, 6 up to date") == 2


@pytest.mark.service
def test_more_items_after_calibration_keep_the_graded_calibration(on_server: Any) -> None:
    on_server.study(items=4, rounds={"calibration": 3, "gate": "sound", "gate_alpha": -1.0})
    on_server.call("push")
    for rater in ("ann", "ben"):
        for n, item in enumerate(on_server.order(rater, "calibration")):
            on_server.grade(rater, item, BAD if n else GOOD, round="calibration")
    on_server.call("pull")
    before = on_server.values("ann", "sound", "calibration")
    on_server.study(items=10)
    assert on_server.values("ann", "sound", "calibration") == before
    assert on_server.call("push").count("10 added") == 2
    on_server.study(items=12)
    assert on_server.call("push").count("2 added, 10 up to date") == 2
    assert on_server.values("ann", "sound", "calibration") == before
