"""Ratings from files: CSV as people write it, a Label Studio export, a run folder; and what is wrong, by row."""

import json
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.agreement import coefficient
from wherefore.analysis.agreement.reading.files import read
from wherefore.analysis.agreement.reading.source import RatingReadSettings, RatingSource
from wherefore.analysis.agreement.records import Summary
from wherefore.analysis.agreement.settings import AgreementSettings
from wherefore.analysis.agreement.summary import summarise
from wherefore.annotate.records import Dimension, Rating, Rubric, Task
from wherefore.study.errors import DataError, StudyError, WhereforeError
from wherefore.study.records import write_jsonl


def written(tmp_path: Path, text: str, name: str = "ratings.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(source: RatingSource, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of the ratings, row by row."""
    return list(source.ratings[list(names)].itertuples(index=False, name=None))


def asking(**columns: str) -> RatingReadSettings:
    return RatingReadSettings(columns={role: (name,) for role, name in columns.items()})


def test_a_csv_with_usual_names_a_byte_order_mark_and_empty_cells(tmp_path: Path) -> None:
    day = "2026-01-01"
    text = f"\ufeffItem,Rater,Value,Patient,Time\na,x,yes,p1,{day}T10:00:00\na,y,,p1,\nb,x,no,p2,{day}T10:00:07\n"
    source = read(written(tmp_path, text))
    assert source.cluster_name == "patient"
    assert rows_of(source, "item", "rater", "value", "cluster") == [
        ("a", "x", "yes", "p1"),
        ("a", "y", None, "p1"),
        ("b", "x", "no", "p2"),
    ]
    assert source.ratings["order"][2] - source.ratings["order"][0] == 7
    assert source.ratings["where"][1] == 3
    assert source.reading.columns == {
        "item": "Item",
        "rater": "Rater",
        "rating": "Value",
        "cluster": "Patient",
        "order": "Time",
    }


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "case_id,who,score\n1,a,3\n1,b,4.0\n")
    assert rows_of(read(path, asking(item="case_id", rater="who")), "value") == [(3,), (4,)]


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ("thing,rater,value\n1,a,1\n", {}, "no column for item among 'thing', 'rater', 'value'"),
        ("item,rater,value\na,b,1\n", {"item": "itme"}, "no column 'itme' for item; did you mean 'item'"),
        ("item,rater,value\na,b,1\n", {"raters": "rater"}, "'raters' is not a role; did you mean 'rater'"),
        ("item,rater,value\na,,1\n", {}, "ratings.csv:2: no rater"),
        ("item,rater,value\na,b\n", {}, "ratings.csv:2: not as many cells as the header"),
        ("item,rater,value\na,b,1,2\n", {}, "ratings.csv:2: 4 cells where the header has 3"),
        ('item,rater,value\na,b,"1\n', {}, "ratings.csv:2: unexpected end of data"),
        ("", {}, "the file is empty"),
        ("item,rater,value\n", {}, "a header and no rows"),
    ],
)
def test_a_wrong_csv_is_refused_by_row(tmp_path: Path, text: str, columns: dict[str, str], says: str) -> None:
    with pytest.raises(WhereforeError) as e:
        read(written(tmp_path, text), asking(**columns))
    assert says in str(e.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not found"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"\.xls files are not read; save it as \.xlsx"):
        read(written(tmp_path, "", "ratings.XLS"))
    with pytest.raises(DataError, match=r"ends in '\.rtf'. Allowed, in any case: \.csv"):
        read(written(tmp_path, "", "ratings.rtf"))
    with pytest.raises(DataError, match=r"export\.json:1: not JSON"):
        read(written(tmp_path, "{", "export.json"))
    with pytest.raises(DataError, match="not a workbook"):
        read(written(tmp_path, "item", "ratings.xlsx"))


def control(name: str, to: str, type: str, **value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": to, "type": type, "value": value}


@pytest.mark.parametrize(
    "word", ["NA", "nan", "inf", "-Inf", "N/A", "n.a.", "#N/A", "-", "None", "keine Angabe"]
)
@pytest.mark.parametrize("values", [("1", "2"), ("yes", "no")])
def test_a_word_for_nothing_is_asked_about_among_numbers_and_among_words(
    tmp_path: Path, word: str, values: tuple[str, str]
) -> None:
    a, b = values
    path = written(tmp_path, f"item,rater,value\na,x,{a}\na,y,{word}\nb,x,{b}\nb,y,{b}\n")
    with pytest.raises(DataError) as e:
        read(path)
    assert f"ratings.csv:3 ({word!r}): value: is {word!r} a rating that was not given?" in str(e.value)
    assert "--missing" in str(e.value)
    given = [v for (v,) in rows_of(read(path, RatingReadSettings(missing=(word.lower(),))), "value")]
    assert list(map(str, given)) == [a, "None", b, b]
    declared = RatingReadSettings(categories={"": (a, b, word)})
    assert [str(v) for (v,) in rows_of(read(path, declared), "value")] == [a, word, b, b]


def annotation(id: int, by: Any, *result: dict[str, Any], cancelled: bool = False) -> dict[str, Any]:
    return {
        "id": id,
        "completed_by": by,
        "was_cancelled": cancelled,
        "ground_truth": False,
        "lead_time": 31.2,
        "created_at": f"2026-03-01T09:{id:02d}:00.000000Z",
        "result": list(result),
    }


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
        {
            "id": 7,
            "data": {},
            "annotations": [
                annotation(1, 3, *form("4", ["yes", "no"], 5, ["dose", "date"])),
                annotation(2, {"id": 4, "email": "eva@example.com"}, *form("5", ["yes", "yes"], 4, ["dose"])),
                annotation(3, 5, *form("1", ["no", "no"], 1, ["date"]), cancelled=True),
            ],
        },
        {"id": 8, "data": {}, "annotations": [annotation(4, 3, *form("2", ["no"], 2, ["date"]))]},
    ]


def by_dimension(source: RatingSource) -> dict[str, list[tuple[str, str, Any]]]:
    out: dict[str, list[tuple[str, str, Any]]] = {}
    for dimension, *rest in rows_of(source, "dimension", "item", "rater", "value"):
        out.setdefault(dimension, []).append(tuple(rest))  # type: ignore[arg-type]
    return out


def test_a_label_studio_export(tmp_path: Path) -> None:
    source = read(written(tmp_path, json.dumps(export()), "export.json"))
    by = by_dimension(source)
    assert by["accuracy"] == [("task 7", "3", 4), ("task 7", "eva@example.com", 5), ("task 8", "3", 2)]
    assert by["support"] == [
        ("task 7 claim 0", "3", "yes"),
        ("task 7 claim 1", "3", "no"),
        ("task 7 claim 0", "eva@example.com", "yes"),
        ("task 7 claim 1", "eva@example.com", "yes"),
        ("task 8 claim 0", "3", "no"),
    ]
    assert by["stars"] == [("task 7", "3", 5), ("task 7", "eva@example.com", 4), ("task 8", "3", 2)]
    assert by["tags"][0] == ("task 7", "3", frozenset(("date", "dose")))
    assert by["tags: date"] == [
        ("task 7", "3", "yes"),
        ("task 7", "eva@example.com", "no"),
        ("task 8", "3", "yes"),
    ]
    assert "note" not in by
    assert source.reading.unused == {"note": "free text"}
    assert "left out: 1 skipped forms" in source.reading.notes
    assert set(source.ratings["cluster"]) == {"task 7", "task 8"}
    order = source.ratings["order"]
    assert order.iloc[0] < order.iloc[-1]


def test_a_list_of_boxes_left_empty_is_no_for_each(tmp_path: Path) -> None:
    tasks = export()
    result = tasks[1]["annotations"][0]["result"]
    tasks[1]["annotations"][0]["result"] = [c for c in result if c["from_name"] != "tags"]
    source = read(written(tmp_path, json.dumps(tasks), "export.json"))
    by = by_dimension(source)
    assert ("task 8", "3", "no") in by["tags: date"]
    assert ("task 8", "3", "no") in by["tags: dose"]
    assert "lists of boxes left empty (1) count as none ticked: no for each box" in source.reading.notes
    tasks[1]["annotations"][0]["result"] = []  # submitted without any answer: nothing is said about it
    source = read(written(tmp_path, json.dumps(tasks), "export.json"))
    assert "task 8" not in set(source.ratings["item"])
    assert "left out: 1 forms submitted without any answer" in source.reading.notes


def test_two_annotations_of_one_task_by_one_rater_are_refused_unless_they_say_the_same(
    tmp_path: Path,
) -> None:
    twice = export()
    twice[1]["annotations"].append(annotation(9, 3, *form("1", ["yes"], 1, ["date"])))
    source = read(written(tmp_path, json.dumps(twice), "export.json"))
    with pytest.raises(DataError, match=r"item 'task 8', rater '3'.*annotation 4 and task 8, annotation 9"):
        summarise(source, AgreementSettings(replicates=200))
    twice[1]["annotations"][-1] = annotation(9, 3, *form("2", ["no"], 2, ["date"]))
    source = read(written(tmp_path, json.dumps(twice), "export.json"))
    assert "1 forms repeat an earlier one of the same rater and count once" in source.reading.notes


def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    grades = {"ann": "3344555", "ben": "3445545", "eva": "2344555"}
    ratings, tasks = [], []
    for rater, given in grades.items():
        for i, v in enumerate(given):
            tasks.append(
                Task(
                    item=f"i{i}",
                    rater=rater,
                    rationale=f"r{i}",
                    case=f"c{i // 2}",
                    order=i,
                    control="wrong_value" if i == 6 else None,
                )
            )
            ratings.append(
                Rating(
                    item=f"i{i}",
                    rationale=f"r{i}",
                    case=f"c{i // 2}",
                    rater=rater,
                    dimension="accuracy",
                    value=v,
                )
            )
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
    assert source.ratings.equals(read(folder / "annotate" / "ratings.jsonl").ratings)
    assert set(source.ratings["rater"]) == {"ann", "ben", "eva"}
    assert set(source.ratings["item"]) == {f"i{i}" for i in range(6)}
    assert source.cluster_name == "patient"
    notes = " ".join(source.reading.notes)
    assert "1 ratings of simulated raters" in notes
    assert "4 ratings of planted controls or of other rounds" in notes
    d = summarise(source, AgreementSettings(replicates=200)).dimensions[0]
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


def measured(
    tmp_path: Path, text: str, reading: RatingReadSettings | None = None, **settings: Any
) -> Summary:
    return summarise(read(written(tmp_path, text), reading), AgreementSettings(replicates=300, **settings))


def test_groups_of_raters_are_compared_on_the_items_that_both_saw(tmp_path: Path) -> None:
    lines = ["item,rater,value,group"]
    given: dict[str, list[list[int]]] = {"senior": [], "trainee": []}
    for i in range(40):
        pairs = {"senior": [i % 4, i % 4 if i % 8 else 1], "trainee": [i % 4, (i + i % 2) % 4]}
        for group, values in pairs.items():
            given[group].append(values)
            lines += [f"{i},{group}{g},{v},{group}" for g, v in enumerate(values)]
    ordinal = RatingReadSettings(levels={"": "ordinal"})
    s = measured(tmp_path, "\n".join(lines), ordinal, compare=("groups",))
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
    assert any("groups of raters of the same items" in n for n in s.reading.notes)
    apart = [f"{line.rpartition(',')[2]} {line}" for line in lines[1:]]  # each group has items of its own
    s = measured(tmp_path, "\n".join([lines[0], *apart]), ordinal, compare=("groups",))
    assert s.dimensions[0].n_items == 80
    assert not any("groups of raters" in n for n in s.reading.notes)


def test_a_group_of_one_rater_makes_no_items_of_its_own(tmp_path: Path) -> None:
    lines = ["item,rater,value,group"]
    for i in range(12):
        for rater, group, value in (
            ("Ann", "nurse", i % 4),
            ("Bob", "doctor", i % 4),
            ("Cy", "doctor", (i + 1) % 4),
        ):
            lines.append(f"{i},{rater},{value},{group}")
    s = measured(tmp_path, "\n".join(lines))
    assert s.dimensions[0].n_items == 12
    by_arm = measured(tmp_path, "\n".join([lines[0].replace("group", "arm"), *lines[1:]]))
    assert by_arm.dimensions[0].n_items == 24  # arms are what was rated, whoever rated it


def test_an_item_rated_in_two_arms_is_a_cluster_and_pairs_them(tmp_path: Path) -> None:
    s = measured(tmp_path, rows(), compare=("groups",), margin=0.1)
    d = s.dimensions[0]
    assert (d.n_items, d.independent) == (120, 60)
    assert [(x.dimension, x.a, x.b, x.n_both) for x in s.differences] == [
        ("accuracy", "free", "steps", 60),
        ("accept", "free", "steps", 60),
    ]
    assert all(x.difference == pytest.approx(0) for x in s.differences)


def test_a_dimension_that_nobody_shares_is_named_and_the_others_measured(tmp_path: Path) -> None:
    text = rows() + "\n1,r0,3,lonely,free\n2,r1,3,lonely,free"
    s = measured(tmp_path, text)
    assert [d.name for d in s.dimensions] == ["accuracy", "accept"]
    assert "none of 2 units was rated by two of the 2 raters" in s.skipped["lonely"]
    assert "lonely altogether" in s.methods


def test_levels_and_categories_by_dimension(tmp_path: Path) -> None:
    guessed = measured(tmp_path, rows())
    assert [(d.level, d.assumed, d.declared) for d in guessed.dimensions] == [
        ("ordinal", True, False),
        ("nominal", True, False),
    ]
    assert "gwet_ac" not in {a.statistic for d in guessed.dimensions for a in d.agreement}
    said = RatingReadSettings(
        levels={"accuracy": "interval"}, categories={"": ("no", "yes"), "accuracy": tuple("12345")}
    )
    both = measured(tmp_path, rows(), said, statistics=("icc_a1",))  # an ICC of yes and no is none
    accuracy, accept = (next(a for a in d.agreement if a.statistic == "icc_a1") for d in both.dimensions)
    assert accuracy.value is not None
    assert "icc_a1 is of numbers; the scale is nominal" in str(accept.why_missing)
    with pytest.raises(DataError, match="icc_a1 is of numbers; the scale is nominal"):
        measured(tmp_path, rows(), RatingReadSettings(levels={"": "nominal"}), statistics=("icc_a1",))
    with pytest.raises(StudyError, match="'acuracy' is not a dimension; did you mean 'accuracy'"):
        measured(tmp_path, rows(), RatingReadSettings(levels={"acuracy": "ordinal"}))
    with pytest.raises(DataError, match=r"ratings.csv:42 \('5'\).*outside the scale. Allowed: 1, 2, 3, 4"):
        measured(tmp_path, rows(), RatingReadSettings(categories={"accuracy": tuple("1234")}))


def test_the_methods_paragraph_says_what_was_done(tmp_path: Path) -> None:
    reading = RatingReadSettings(categories={"accuracy": tuple("12345"), "accept": ("no", "yes")})
    s = measured(tmp_path, rows(), reading, judge="r0")
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


def test_columns_of_raters_and_readings_are_asked_about_and_named(tmp_path: Path) -> None:
    rows = "\n".join(f"i{i},{i % 3},{i % 3},{(i + 1) % 3},{i % 2}" for i in range(9))
    path = written(tmp_path, f"item,reader1_1,reader1_2,reader2_1,reader2_2\n{rows}\n")
    with pytest.raises(
        DataError, match=r"--names '\{rater\}_\{replicate\}' or --names '\{rater\}_\{dimension\}'"
    ):
        read(path)
    source = read(path, RatingReadSettings(names="{rater}_{replicate}"))
    assert set(source.ratings["replicate"]) == {"1", "2"}
    d = summarise(source, AgreementSettings(replicates=200)).dimensions[0]
    assert [(r.rater, r.n) for r in d.repeats] == [("reader1", 9), ("reader2", 9)]
    assert d.repeats[0].agreement[0].value == 1.0


def test_records_under_a_key_of_their_own(tmp_path: Path) -> None:
    records = [{"item": f"i{i}", "annotator": g, "label": i % 3} for i in range(6) for g in "xy"]
    source = read(written(tmp_path, json.dumps({"annotations": records}), "ratings.json"))
    assert (len(source.ratings), set(source.ratings["rater"])) == (12, {"x", "y"})


def test_one_rater_alone_is_told_how_to_compare_readings(tmp_path: Path) -> None:
    rows = "\n".join(f"s{i},{k},Kim,{i % 3}" for i in range(6) for k in (1, 2))
    source = read(written(tmp_path, f"subject,session,examiner,value\n{rows}\n"))
    with pytest.raises(DataError, match="--column rater=session"):
        summarise(source, AgreementSettings(replicates=200))
