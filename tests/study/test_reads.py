"""What is read is compared with its manifest and recorded."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from wherefore.study import reads
from wherefore.study.errors import DataError, StaleError
from wherefore.study.files import rows, text
from wherefore.study.records import Record, read_record, write_jsonl, write_text
from wherefore.study.runs import manifest, run_once


class Number(Record):
    value: int


def stage(run_folder: Path, value: int = 1) -> Path:
    """A finished stage with two files."""

    def work(folder: Path) -> None:
        write_jsonl(folder / "numbers.jsonl", [Number(value=value)])
        write_text(folder / "deep" / "one.json", Number(value=value).model_dump_json())

    run_once(run_folder / "first", {"value": value}, [], work)
    return run_folder / "first"


def page(run_folder: Path) -> bool:
    """A second stage that reads what it finds of the first, and a file that need not be there."""

    def work(folder: Path) -> None:
        numbers = rows(run_folder / "first" / "numbers.jsonl", Number)
        extra = text(run_folder / "extra.txt") or "none"
        write_text(folder / "page.txt", f"{[n.value for n in numbers]} {extra}")

    return run_once(run_folder / "second", {}, None, work, set_aside=True)


def test_an_edited_output_is_refused_and_one_that_no_manifest_names_is_not(tmp_path: Path) -> None:
    folder = stage(tmp_path)
    assert rows(folder / "numbers.jsonl", Number) == [Number(value=1)]
    (folder / "numbers.jsonl").write_text('{"value": 2}\n')
    with pytest.raises(DataError, match=r"numbers\.jsonl: changed after its stage had finished"):
        rows(folder / "numbers.jsonl", Number)
    (folder / "deep" / "one.json").write_text('{"value": 2}')
    with pytest.raises(DataError, match=r"one\.json: changed after its stage had finished"):
        read_record(folder / "deep" / "one.json", Number)
    (folder / "note.txt").write_text("a note of mine")
    assert text(folder / "note.txt") == "a note of mine"


def test_a_file_gone_from_a_finished_folder_is_refused_and_a_folder_gone_whole_is_not_there(
    tmp_path: Path,
) -> None:
    folder = stage(tmp_path)
    assert page(tmp_path)
    (folder / "numbers.jsonl").unlink()
    with pytest.raises(DataError, match=r"numbers\.jsonl: gone after its stage had finished"):
        rows(folder / "numbers.jsonl", Number)
    with pytest.raises(DataError, match="gone after its stage had finished"):
        page(tmp_path)
    assert (tmp_path / "second" / "page.txt").read_text() == "[1] none"
    shutil.rmtree(folder)
    assert rows(folder / "numbers.jsonl", Number) == []


def test_a_page_that_was_edited_or_lost_is_made_again_beside_the_old_one(tmp_path: Path) -> None:
    stage(tmp_path)
    assert page(tmp_path)
    assert not page(tmp_path)
    for n in range(2):
        (tmp_path / "second" / "page.txt").write_text("a better number")
        assert page(tmp_path)
        assert (tmp_path / "second" / "page.txt").read_text() == "[1] none"
        old = sorted(p.name for p in tmp_path.glob("second-*"))
        assert len(old) == n + 1
        assert (tmp_path / old[-1] / "page.txt").read_text() == "a better number"
    (tmp_path / "second" / "page.txt").unlink()
    assert page(tmp_path)


def test_an_edited_input_stops_whoever_was_made_from_it(tmp_path: Path) -> None:
    folder = stage(tmp_path)
    assert page(tmp_path)
    (folder / "numbers.jsonl").write_text('{"value": 2}\n')
    with pytest.raises(DataError, match="changed after its stage had finished"):
        page(tmp_path)
    with pytest.raises(DataError, match="changed after its stage had finished"):
        run_once(tmp_path / "third", {}, [folder / "numbers.jsonl"], lambda _: None)


def test_whatever_was_read_or_looked_for_makes_a_page_stale(tmp_path: Path) -> None:
    stage(tmp_path)
    assert page(tmp_path)
    assert not page(tmp_path)
    made = manifest(tmp_path / "second")
    assert made is not None
    assert made.inputs["extra.txt"] == reads.ABSENT
    assert set(made.inputs) == {"extra.txt", "first/numbers.jsonl"}
    (tmp_path / "extra.txt").write_text("now there")
    assert page(tmp_path)
    assert "now there" in (tmp_path / "second" / "page.txt").read_text()
    (tmp_path / "extra.txt").unlink()
    assert page(tmp_path)
    assert "none" in (tmp_path / "second" / "page.txt").read_text()


def test_a_stage_made_again_is_no_edit(tmp_path: Path) -> None:
    folder = stage(tmp_path)
    assert page(tmp_path)
    folder.rename(tmp_path / "aside")
    stage(tmp_path, value=2)
    assert page(tmp_path)
    assert (tmp_path / "second" / "page.txt").read_text() == "[2] none"


def test_files_outside_the_run_folder_are_named_without_the_machine(tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "risks.txt"
    outside.parent.mkdir()
    outside.write_text("0.1")
    run = tmp_path / "runs" / "study"

    def made() -> bool:
        return run_once(run / "page", {}, None, lambda _: text(outside) and None, set_aside=True)

    assert made()
    assert not made()
    record = manifest(run / "page")
    assert record is not None
    assert list(record.inputs) == ["../../elsewhere/risks.txt"]
    outside.write_text("0.2")
    assert made()


def test_other_settings_are_still_stale(tmp_path: Path) -> None:
    stage(tmp_path)
    with pytest.raises(StaleError, match="settings: value 1 -> 2"):
        stage(tmp_path, value=2)


def test_nothing_is_recorded_outside_a_recording(tmp_path: Path) -> None:
    stage(tmp_path)
    with reads.recording() as seen:
        rows(tmp_path / "first" / "numbers.jsonl", Number)
    rows(tmp_path / "first" / "other.jsonl", Number)
    assert [p.name for p in seen] == ["numbers.jsonl"]
    known: Any = reads.sha256(tmp_path / "first" / "numbers.jsonl")
    assert list(seen.values()) == [known]
