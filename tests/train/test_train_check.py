"""What `wherefore check` refuses of a grid before anything is made or paid for."""

from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import StudyError
from wherefore.study.grid import Grid
from wherefore.train.run import resolve
from wherefore.train.targets import TARGETS


def study(synth: dict[str, Any] | None = None, **grid: Any) -> Study:
    whole = {"target": ("label_only",), "n": (8,), **grid}
    product = 1
    for values in whole.values():
        product *= len(values)
    cells = Grid.model_validate({"expect": product, **whole})
    return Study(name="s", cohort={"source": {"name": "simulated"}}, synth=synth or {}, grid=cells)


@pytest.mark.parametrize("target", [name for name, t in TARGETS.items() if t.style is not None])
def test_a_target_whose_style_is_not_made_is_refused(target: str) -> None:
    other = next(s for s in ("free", "stepwise") if s != TARGETS[target].style)
    with pytest.raises(
        StudyError, match=rf"grid.target: {target!r} .* Add {TARGETS[target].style!r} to synth"
    ):
        resolve(study({"styles": [other]}, target=(target,)))
    resolve(study({"styles": [TARGETS[target].style]}, target=(target,)))


def test_a_corpus_that_is_not_made_is_refused() -> None:
    with pytest.raises(StudyError, match=r"grid\.corpus: 'shuffled' is not a corpus"):
        resolve(study(target=("free_rationale",), corpus=("shuffled",)))
    resolve(study({"controls": ["shuffled"]}, target=("free_rationale",), corpus=("teacher", "shuffled")))
