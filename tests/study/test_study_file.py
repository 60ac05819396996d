"""A study file is read whole or refused in one line that says where, what was found and what is allowed."""

from pathlib import Path

import pytest

from wherefore.study.config import Study, load
from wherefore.study.errors import StudyError
from wherefore.study.grid import Grid

GOOD = """
name = "s"
[cohort]
source = { name = "simulated" }
[grid]
expect = 4
target = ["label_only", "free_rationale"]
n = [10, 20]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def test_good_file(tmp_path: Path) -> None:
    study = load(written(tmp_path, GOOD))
    assert study.name == "s"
    assert study.grid is not None
    assert [(c.target, c.n) for c in study.grid.cells()] == [
        ("label_only", 10),
        ("label_only", 20),
        ("free_rationale", 10),
        ("free_rationale", 20),
    ]
    assert study.path("x/y.csv") == tmp_path / "x/y.csv"


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load(path).text == GOOD


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("name =", "nmae ="), ["nmae", "did you mean 'name'?"]),
        (("target =", "tagret ="), ["grid.tagret", "did you mean 'target'?"]),
        (("n = [10, 20]", "n = [10, 0]"), ["grid.n.1", "greater than 0", "found 0"]),
        (('"s"', '"S p"'), ["name", "pattern", '"S p"']),
        (("[cohort]", "[chort]"), ["chort", "did you mean 'cohort'?"]),
        (("expect = 4", "expect = four"), ["not TOML"]),
        (("expect = 4", "seed = [0]"), ["grid.expect", "missing"]),
    ],
)
def test_bad_file_is_one_line(tmp_path: Path, change: tuple[str, str], words: list[str]) -> None:
    with pytest.raises(StudyError) as e:
        load(written(tmp_path, GOOD.replace(*change)))
    message = str(e.value)
    assert "\n" not in message
    for word in [*words, "study.toml"]:
        assert word in message


def test_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_unexpected_number_of_cells_names_the_axes() -> None:
    grid = Grid(expect=9, target=("a", "b"), n=(1,), seed=(0, 1))
    with pytest.raises(
        StudyError, match=r"found 9, but the axes give 4 cells \(1 base x 2 target x 1 n x .* 2 seed"
    ):
        grid.cells()


def test_a_cell_that_stands_twice_is_refused() -> None:
    with pytest.raises(StudyError, match="duplicate cell"):
        Grid(expect=2, target=("a",), n=(1,), also=({"loss": "token_mean"},)).cells()


def test_ids_do_not_move_when_an_axis_gets_a_second_value() -> None:
    """The id hashes what differs from the defaults: these are literal, so that a changed scheme is noticed."""
    small = Grid(expect=1, target=("label_only",), n=(10,))
    large = Grid(expect=4, target=("label_only",), n=(10,), loss=("token_mean", "group_mean"), seed=(0, 1))
    (cell,) = small.cells()
    assert cell.id in {c.id for c in large.cells()}
    assert cell.id == "9d0671e6bee0"


def test_lists_in_also_are_crossed_the_first_field_changing_most_slowly() -> None:
    extra = {"seed": [1, 2], "target": "b", "weight": [0.1, 0.9]}
    cells = Grid(expect=5, target=("a",), n=(1,), also=(extra,)).cells()
    assert [(c.target, c.seed, c.weight) for c in cells] == [
        ("a", 0, None),
        ("b", 1, 0.1),
        ("b", 1, 0.9),
        ("b", 2, 0.1),
        ("b", 2, 0.9),
    ]
    with pytest.raises(StudyError, match=r"1 target x .* \+ 4 also"):
        Grid(expect=2, target=("a",), n=(1,), also=(extra,)).cells()


def test_also_adds_single_cells_and_names_its_faults() -> None:
    grid = Grid(expect=2, target=("a",), n=(1,), also=({"loss": "group_mean"},))
    assert [c.loss for c in grid.cells()] == ["token_mean", "group_mean"]
    with pytest.raises(StudyError, match=r"grid\.also\.0\.los: unknown key; did you mean 'loss'\?"):
        Grid(expect=2, target=("a",), n=(1,), also=({"los": "x"},)).cells()


def test_the_paper_grid_has_72_fits() -> None:
    root = Path(__file__).parents[2]
    study: Study = load(root / "examples" / "paper.toml")
    assert study.grid is not None
    assert len(study.grid.cells()) == 72
    assert len({c.id for c in study.grid.cells()}) == 72


def test_the_demo_has_seeds_for_a_verdict_the_cure_and_both_ends_of_the_dial() -> None:
    study: Study = load(Path(__file__).parents[2] / "examples" / "demo.toml")
    assert study.grid is not None
    seeds: dict[tuple[str, str, str], set[int]] = {}
    for c in study.grid.cells():
        seeds.setdefault((c.target, c.loss, c.corpus), set()).add(c.seed)
    told = study.synth["corpora"]["estimate"]["label"]
    assert (study.synth["label"], told) == ("shown", "probability")
    for arm in (
        ("label_only", "token_mean", "teacher"),
        ("free_rationale", "token_mean", "teacher"),
        ("label_then_rationale", "group_mean", "teacher"),
        ("free_rationale", "group_mean", "teacher"),
        ("free_rationale", "group_mean", "estimate"),
    ):
        assert len(seeds[arm]) >= 3, arm
