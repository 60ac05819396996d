"""Tables of a study's own beside those of the project."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import DataError, StaleError, StudyError
from wherefore.synth.grounding import history_of
from wherefore.synth.grounding.checks import HistoryFacts, check
from wherefore.synth.grounding.language.tables import COLUMNS, rows
from wherefore.synth.records import Claim
from wherefore.synth.run import resolve, run

LINES = [
    {"id": "E001", "kind": "condition", "code": "Q99", "system": "OWN", "name": "Foo syndrome", "age": 60.0}
]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_table_has_a_source_and_a_licence_and_whole_rows(name: str) -> None:
    assert list(rows(name))
    text = (
        Path(__import__("wherefore").__file__).parent.joinpath(f"synth/grounding/data/{name}.tsv").read_text()
    )
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("Source:" in line for line in head)
    assert any("Licence:" in line for line in head)


def test_a_word_of_the_studys_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "conditions.tsv").write_text("foo syndrome\tQ99\t\tfoo syndrome; barose*\n")
    history = history_of({"age": 70.0, "sex": "female", "lines": LINES})
    claim = Claim(text="Barosis was found at 60.0.", cites=("E001",))
    assert check(0, claim, HistoryFacts(history)).verdict == "undecided"
    claim = Claim(text="Baroses were found at 60.0.", cites=("E001",))
    assert check(0, claim, HistoryFacts(history, tmp_path)).verdict == "supported"


def test_a_wrong_table_is_one_line(tmp_path: Path, cohort: Callable[..., Path]) -> None:
    def study(**synth: object) -> Study:
        return Study(name="t", cohort={}, synth=synth).model_copy(update={"folder": tmp_path})

    with pytest.raises(StudyError, match=r"synth\.tables: no folder"):
        resolve(study(tables="lacking"))
    own = tmp_path / "own"
    own.mkdir()
    (own / "conditons.tsv").write_text("")
    with pytest.raises(StudyError, match=r"'conditons\.tsv'.*conditions\.tsv"):
        resolve(study(tables="own"))
    (own / "conditons.tsv").rename(own / "conditions.tsv")
    (own / "conditions.tsv").write_text("foo\tQ99\n")
    with pytest.raises(DataError, match=r"conditions\.tsv:1: 2 columns, 4 are needed"):
        resolve(study(tables="own"))


def test_other_tables_are_another_corpus(tmp_path: Path, cohort: Callable[..., Path]) -> None:
    home = cohort(tmp_path / "run", 10)
    own = tmp_path / "own"
    own.mkdir()
    study = Study(name="t", cohort={}, synth={"tables": str(own)})
    run(study, home)
    (own / "numbers.tsv").write_text("12\tdouze\n")
    with pytest.raises(StaleError):
        run(study, home)
