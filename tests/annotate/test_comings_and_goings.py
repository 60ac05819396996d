"""Raters leave, join late, return and change their minds, by files; two names for one account are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

GOOD, BAD = {"sound": "yes", "harm": "none"}, {"sound": "no", "harm": "none"}


def brought(run: Any, rater: str, values: dict[str, str], account: int, first: int | None = None) -> str:
    """Import what a rater's own server exported."""
    path = run.exported(rater, account=account, values=values, first=first)
    return str(run.call("import", str(path), "--rater", rater))


def done(run: Any) -> dict[str, tuple[int, int]]:
    return dict(run.state.counts("main"))


def test_one_leaves_one_joins_late_and_the_first_comes_back(by_files: Any) -> None:
    brought(by_files, "ann", GOOD, 1)
    brought(by_files, "ben", BAD, 2, first=3)
    by_files.study(people=["ann", "carla"])
    assert done(by_files) == {"ann": (8, 8), "ben": (3, 3), "carla": (0, 8)}, "whoever left owes nothing"
    by_files.call("export")
    brought(by_files, "carla", GOOD, 3)
    assert by_files.state.due is None
    assert sorted(v.n_raters for v in by_files.state.verdicts()) == [2] * 5 + [3] * 3
    assert {v.state for v in by_files.state.verdicts()} == {"accepted"}
    by_files.study(people=["ann", "ben", "carla"])
    assert done(by_files)["ben"] == (3, 8), "a rater who returns finds what they sent"
    by_files.call("export")
    brought(by_files, "ben", BAD, 2)
    assert {v.n_raters for v in by_files.state.verdicts()} == {3}
    assert by_files.faults() == {}


def test_a_changed_grade_counts_when_it_is_newer_and_an_old_export_changes_nothing(by_files: Any) -> None:
    brought(by_files, "ann", GOOD, 1)
    brought(by_files, "ben", GOOD, 2)
    early = by_files.exported("ann", account=1, values=GOOD)
    early = early.rename(early.with_name("early.json"))
    item = by_files.order("ann")[0]

    def mind_changed(n: int, task: dict[str, Any]) -> None:
        a = task["annotations"][0]
        if task["data"]["item"] == item:
            a["result"] = by_files.form(item, BAD)
            a["updated_at"] = "2026-11-21T09:00:00Z"

    path = by_files.exported("ann", mind_changed, account=1, values=GOOD)
    assert "(0 new, 1 changed)" in by_files.call("import", str(path), "--rater", "ann")
    assert by_files.values("ann", "sound")[item] == "no"
    assert "1 are older in this file" in by_files.call("import", str(early), "--rater", "ann")
    assert by_files.values("ann", "sound")[item] == "no", "an export from before the change is older"


def test_half_an_export_is_refused_and_writes_nothing(by_files: Any) -> None:
    path = by_files.exported("ann", account=1, values=GOOD)
    text = Path(path).read_text()
    Path(path).write_text(text[: len(text) // 2])
    assert "not JSON" in by_files.call("import", str(path), "--rater", "ann", code=1)
    assert not list((by_files.folder / "pulled").glob("*")) if (by_files.folder / "pulled").exists() else True


def test_an_export_that_was_edited_by_hand_is_checked_like_any_other(by_files: Any) -> None:
    def edited(n: int, task: dict[str, Any]) -> None:
        a = task["annotations"][0]
        if n == 0:
            a["result"][0]["value"]["choices"] = ["excellent"]
        if n == 1:
            a["result"] = a["result"][:1]
        if n == 2:
            task["annotations"].append({**json.loads(json.dumps(a)), "id": 900, "unique_id": "copied"})
        if n == 3:
            task["data"]["item"] = "item-000000000000"

    path = by_files.exported("ann", edited, account=1, values=GOOD)
    said = by_files.call("import", str(path), "--rater", "ann")
    for fault in ("unknown_value", "missing", "duplicate_annotation", "not_assigned"):
        assert f"{fault} (does not count): ann" in said, fault
    assert len(by_files.values("ann", "sound")) == 5


@pytest.mark.parametrize("email", ["ann@clinic.org", "Ann@Clinic.org"])
def test_two_names_for_one_account_are_refused(by_files: Any, email: str) -> None:
    by_files.study(people=[{"name": "ann", "email": "ann@clinic.org"}, {"name": "ben", "email": email}])
    assert "two raters have the account" in by_files.call("status", code=1)
