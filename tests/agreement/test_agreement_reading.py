"""Ratings from files: CSV as people write it, a Label Studio export, a run folder; and what is wrong, by row."""

import json
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.agreement import coefficient
from wherefore.analysis.agreement.reading.files import read
from wherefore.analysis.agreement.summary import Wanted, summarise
from wherefore.annotate.records import Dimension, Rating, Rubric, Task
from wherefore.study.errors import DataError, StudyError
from wherefore.study.records import write_jsonl


def written(tmp_path: Path, text: str, name: str = "ratings.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_with_usual_names_a_byte_order_mark_and_empty_cells(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "\ufeffItem,Rater,Value,Patient,Time\na,x,yes,p1,2026-01-01T10:00:00\na,y,,p1,\nb,x,nan,p2,7\n",
    )
    found = read(path)
    assert found.cluster_name == "patient"
    assert [(a.item, a.rater, a.value, a.cluster) for a in found.answers] == [
        ("a", "x", "yes", "p1"), ("a", "y", None, "p1"), ("b", "x", "nan", "p2"),
    ]  # fmt: skip
    assert found.answers[2].order == 7.0
    assert found.answers[1].where == "ratings.csv:3"


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "case_id,who,score\n1,a,3\n1,b,4.0\n")
    found = read(path, {"item": "case_id", "rater": "who"})
    assert [a.value for a in found.answers] == [3, 4]


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ("thing,rater,value\n", {}, "no column for item among thing, rater, value"),
        ("item,rater,value\na,b,1\n", {"item": "itme"}, "no column 'itme' for item; did you mean 'item'"),
        ("item,rater,value\na,b,1\n", {"raters": "rater"}, "'raters' is no role; did you mean 'rater'"),
        ("item,rater,value\na,,1\n", {}, "ratings.csv:2: no rater"),
        ("item,rater,value\na,b\n", {}, "ratings.csv:2: not as many cells as the header"),
        ("item,rater,value\na,b,1,2\n", {}, "ratings.csv:2: not as many cells as the header"),
        (
            "item,rater,value,time\na,b,1,noon\n",
            {},
            "ratings.csv:2: order: 'noon' is neither a number nor a time",
        ),
        ("", {}, "no column for item among none"),
    ],
)
def test_a_wrong_csv_is_refused_by_row(tmp_path: Path, text: str, columns: dict[str, str], says: str) -> None:
    with pytest.raises(DataError) as e:
        read(written(tmp_path, text), columns)
    assert says in str(e.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"ends in '\.xlsx'"):
        read(written(tmp_path, "", "ratings.xlsx"))
    with pytest.raises(DataError, match="not JSON"):
        read(written(tmp_path, "{", "export.json"))
    with pytest.raises(DataError, match="Export as JSON"):
        read(written(tmp_path, '[{"id": 1, "choice": "a"}]', "export.json"))


def control(name: str, to: str, type: str, **value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": to, "type": type, "value": value}


@pytest.mark.parametrize("word", ["NA", "nan", "inf", "-Inf", "N/A"])
def test_a_word_for_nothing_among_numbers_is_asked_about(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, f"item,rater,value\na,x,1\na,y,{word}\nb,x,2\nb,y,2\n")
    with pytest.raises(DataError, match=f"ratings.csv:3: value: '{word}' among numbers, 1 such in 'value'"):
        read(path)
    assert [a.value for a in read(path, missing=[word]).answers] == [1, None, 2, 2]
    words = written(tmp_path, f"item,rater,value\na,x,yes\na,y,{word}\n")
    assert [a.value for a in read(words).answers] == ["yes", word]


def annotation(id: int, by: Any, *result: dict[str, Any], cancelled: bool = False) -> dict[str, Any]:
    return {
        "id": id, "completed_by": by, "was_cancelled": cancelled, "ground_truth": False, "lead_time": 31.2,
        "created_at": f"2026-03-01T09:{id:02d}:00.000000Z", "result": list(result),
    }  # fmt: skip


def form(accuracy: str, support: list[str], stars: int, tags: list[str]) -> list[dict[str, Any]]:
    return [
        control("accuracy", "timeline", "choices", choices=[accuracy]),
        *(control(f"support_{i}", f"claim_{i}", "choices", choices=[s]) for i, s in enumerate(support)),
        control("stars", "timeline", "rating", rating=stars),
        control("tags", "timeline", "choices", choices=tags),
        control("note", "timeline", "textarea", text=["fine"]),
    ]


def export() -> list[dict[str, Any]]:
    return [
        {"id": 7, "data": {}, "annotations": [
            annotation(1, 3, *form("4", ["yes", "no"], 5, ["dose", "date"])),
            annotation(2, {"id": 4, "email": "eva@example.com"}, *form("5", ["yes", "yes"], 4, ["dose"])),
            annotation(3, 5, *form("1", ["no", "no"], 1, ["date"]), cancelled=True),
        ]},
        {"id": 8, "data": {}, "annotations": [annotation(4, 3, *form("2", ["no"], 2, ["date"]))]},
    ]  # fmt: skip


def test_a_label_studio_export(tmp_path: Path) -> None:
    found = read(written(tmp_path, json.dumps(export()), "export.json"))
    by: dict[str, list[Any]] = {}
    for a in found.answers:
        by.setdefault(a.dimension, []).append((a.item, a.rater, a.value))
    assert by["accuracy"] == [("task 7", "3", 4), ("task 7", "eva@example.com", 5), ("task 8", "3", 2)]
    assert by["support"] == [
        ("task 7 claim 0", "3", "yes"), ("task 7 claim 1", "3", "no"), ("task 7 claim 0", "eva@example.com", "yes"),
        ("task 7 claim 1", "eva@example.com", "yes"), ("task 8 claim 0", "3", "no"),
    ]  # fmt: skip
    assert by["stars"] == [("task 7", "3", 5), ("task 7", "eva@example.com", 4), ("task 8", "3", 2)]
    assert by["tags: date"] == [
        ("task 7", "3", "yes"),
        ("task 7", "eva@example.com", "no"),
        ("task 8", "3", "yes"),
    ]
    assert "note" not in by
    assert {a.cluster for a in found.answers} == {"task 7", "task 8"}
    assert found.answers[0].order < found.answers[-1].order  # type: ignore[operator]


def test_a_list_of_boxes_left_empty_is_no_for_each(tmp_path: Path) -> None:
    tasks = export()
    result = tasks[1]["annotations"][0]["result"]
    tasks[1]["annotations"][0]["result"] = [c for c in result if c["from_name"] != "tags"]
    found = read(written(tmp_path, json.dumps(tasks), "export.json"))
    tags = {(a.dimension, a.item, a.rater): a.value for a in found.answers if a.dimension.startswith("tags")}
    assert tags["tags: date", "task 8", "3"] == tags["tags: dose", "task 8", "3"] == "no"
    assert found.note == "Lists of boxes left empty (1) count as no for each box."
    result.clear()  # submitted without any answer: nothing is said about it
    tasks[1]["annotations"][0]["result"] = []
    assert "task 8" not in {a.item for a in read(written(tmp_path, json.dumps(tasks), "export.json")).answers}


def test_the_export_of_an_export_with_two_annotations_of_one_rater_is_refused(tmp_path: Path) -> None:
    twice = export()
    twice[1]["annotations"].append(annotation(9, 3, *form("1", ["yes"], 1, ["date"])))
    source = read(written(tmp_path, json.dumps(twice), "export.json"))
    with pytest.raises(DataError, match=r"item 'task 8', rater '3'.*annotation 4 and task 8, annotation 9"):
        summarise("export.json", source, Wanted(replicates=200))


def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    grades = {"ann": "3344555", "ben": "3445545", "eva": "2344555"}
    ratings, tasks = [], []
    for rater, given in grades.items():
        for i, v in enumerate(given):
            tasks.append(Task(item=f"i{i}", rater=rater, rationale=f"r{i}", case=f"c{i // 2}", order=i,
                              control="wrong_value" if i == 6 else None))  # fmt: skip
            ratings.append(Rating(item=f"i{i}", rationale=f"r{i}", case=f"c{i // 2}", rater=rater,
                                  dimension="accuracy", value=v))  # fmt: skip
    ratings.append(ratings[0].model_copy(update={"rater": "boss", "round": "adjudication"}))
    ratings.append(ratings[0].model_copy(update={"rater": "simulated_1", "simulated": True}))
    write_jsonl(folder / "annotate" / "ratings.jsonl", ratings)
    write_jsonl(folder / "annotate" / "tasks.jsonl", tasks)
    rubric = Rubric(
        name="r",
        dimensions=(
            Dimension(name="accuracy", question="?", level="ordinal", categories=("1", "2", "3", "4", "5")),
        ),
    )
    (folder / "annotate" / "rubric.json").write_text(rubric.model_dump_json())
    return folder


def test_a_run_folder_gives_its_independent_grades_only(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    source = read(folder)
    assert source == read(folder / "annotate" / "ratings.jsonl")
    assert {a.rater for a in source.answers} == {"ann", "ben", "eva"}
    assert {a.item for a in source.answers} == {f"i{i}" for i in range(6)}
    assert source.cluster_name == "patient"
    assert "1 ratings of simulated raters" in source.note
    assert "4 ratings are of planted controls or of other rounds" in source.note
    d = summarise("demo", source, Wanted(replicates=200)).dimensions[0]
    assert (d.level, d.declared, d.assumed, d.independent, d.unit) == ("ordinal", True, False, 3, "patient")
    assert [a.statistic for a in d.agreement][:2] == ["krippendorff_alpha", "gwet_ac"]


def rows(n: int = 60) -> str:
    lines = ["item,rater,value,dimension,arm"]
    for i in range(n):
        for arm in ("free", "steps"):
            for g in range(3):
                lines.append(f"{i},r{g},{1 + (i + (g == 2 and i % 3 == 0)) % 5},accuracy,{arm}")
                lines.append(f"{i},r{g},{'yes' if (i + g) % 4 else 'no'},accept,{arm}")
    return "\n".join(lines)


def test_groups_of_raters_are_compared_on_the_items_that_both_saw(tmp_path: Path) -> None:
    lines = ["item,rater,value,group"]
    given: dict[str, list[list[int]]] = {"senior": [], "trainee": []}
    for i in range(40):
        pairs = {"senior": [i % 4, i % 4 if i % 8 else 1], "trainee": [i % 4, (i + i % 2) % 4]}
        for group, values in pairs.items():
            given[group].append(values)
            lines += [f"{i},{group}{g},{v},{group}" for g, v in enumerate(values)]
    wanted = Wanted(replicates=300, compare=("groups",), levels={"": "ordinal"})
    s = summarise("x", read(written(tmp_path, "\n".join(lines))), wanted)
    alpha = {g: coefficient(v, "krippendorff_alpha", "ordinal") for g, v in given.items()}
    all_four = coefficient(
        [a + b for a, b in zip(*given.values(), strict=True)], "krippendorff_alpha", "ordinal"
    )
    assert s.dimensions[0].n_items == 40
    assert s.dimensions[0].agreement[0].value == pytest.approx(all_four)
    assert all(r.effect is not None for r in s.dimensions[0].raters)
    (difference,) = s.differences
    assert (difference.value_a, difference.value_b) == pytest.approx((alpha["senior"], alpha["trainee"]))
    assert (difference.n, difference.n_both) == (40, 40)
    assert "groups of raters who saw the same items" in s.note
    apart = [f"{line.rpartition(',')[2]} {line}" for line in lines[1:]]  # each group has items of its own
    s = summarise("x", read(written(tmp_path, "\n".join([lines[0], *apart]))), wanted)
    assert (s.note, s.dimensions[0].n_items) == ("", 80)


def test_an_item_rated_in_two_arms_is_a_cluster_and_pairs_them(tmp_path: Path) -> None:
    s = summarise(
        "x", read(written(tmp_path, rows())), Wanted(replicates=300, compare=("groups",), margin=0.1)
    )
    d = s.dimensions[0]
    assert (d.n_items, d.independent) == (120, 60)
    assert [(x.dimension, x.a, x.b, x.n_both) for x in s.differences] == [
        ("accuracy", "free", "steps", 60), ("accept", "free", "steps", 60),
    ]  # fmt: skip
    assert all(x.difference == pytest.approx(0) for x in s.differences)


def test_a_dimension_that_nobody_shares_is_named_and_the_others_measured(tmp_path: Path) -> None:
    text = rows() + "\n1,r0,3,lonely,free\n2,r1,3,lonely,free"
    s = summarise("x", read(written(tmp_path, text)), Wanted(replicates=300))
    assert [d.name for d in s.dimensions] == ["accuracy", "accept"]
    assert "none of 2 units was rated by two of the 2 raters" in s.skipped["lonely"]
    assert "lonely altogether" in s.methods


def test_levels_and_categories_by_dimension(tmp_path: Path) -> None:
    source = read(written(tmp_path, rows()))
    guessed = summarise("x", source, Wanted(replicates=300))
    assert [(d.level, d.assumed, d.declared) for d in guessed.dimensions] == [
        ("ordinal", True, False), ("nominal", True, False),
    ]  # fmt: skip
    assert "gwet_ac" not in {a.statistic for d in guessed.dimensions for a in d.agreement}
    said = Wanted(
        replicates=300, levels={"accuracy": "interval"}, categories={"": ("no", "yes"), "accuracy": tuple("12345")},
        statistics=("icc_a1",),
    )  # fmt: skip
    with pytest.raises(DataError, match="icc_a1 is of numbers; the scale is nominal"):
        summarise("x", source, said)  # an ICC of yes and no
    with pytest.raises(StudyError, match="'acuracy' is not a dimension; did you mean 'accuracy'"):
        summarise("x", source, Wanted(levels={"acuracy": "ordinal"}))
    with pytest.raises(DataError, match=r"5 at unit '4 \(free\)'.*outside the scale"):
        summarise("x", source, Wanted(categories={"accuracy": tuple("1234")}))


def test_the_methods_paragraph_says_what_was_done(tmp_path: Path) -> None:
    wanted = Wanted(
        replicates=300, categories={"accuracy": tuple("12345"), "accept": ("no", "yes")}, judge="r0"
    )
    s = summarise("x", read(written(tmp_path, rows())), wanted)
    for part in (
        "accuracy (ordinal, 5 declared categories: 240 ratings of 120 items by 2 raters",
        "0 of them the only one of their item, 0 asked for and not given)",
        "[State how items and raters were chosen",
        "Krippendorff's alpha (Krippendorff 2011)",
        "Gwet's AC (Gwet 2008, 2014) with quadratic weights",
        "95% percentile bootstrap expanded for few units (Hesterberg 2015), 300 replicates, seed 0, by item ",
        "(n = 60), raters fixed",
        "were adjusted after Holm",
        "Krippendorff 2011) in the ordinal metric",
        "for accuracy, AC2: 95% jackknife of log(1 - value)",
        "r0's ratings are in no coefficient above",
        "these raters only",
    ):
        assert part in s.methods, part
