"""What `wherefore check` refuses of a grid before anything is made or paid for."""

from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import StudyError
from wherefore.study.grid import Grid
from wherefore.train.checks import refuse
from wherefore.train.run import resolve
from wherefore.train.targets import TARGETS


def study(synth: dict[str, Any] | None = None, train: dict[str, Any] | None = None, **grid: Any) -> Study:
    whole = {"target": ("label_only",), "n": (8,), **grid}
    product = 1
    for axis, values in whole.items():
        product *= len(values) if axis != "decoding" else 1
    cells = Grid.model_validate({"expect": product, **whole})
    sections = {"cohort": {"source": {"name": "simulated"}}, "synth": synth or {}, "train": train or {}}
    return Study(name="s", grid=cells, **sections)


@pytest.mark.parametrize("target", [name for name, t in TARGETS.items() if t.style is not None])
def test_a_target_whose_style_is_not_made_is_refused(target: str) -> None:
    other = next(s for s in ("free", "stepwise") if s != TARGETS[target].style)
    with pytest.raises(
        StudyError, match=rf"grid.target: {target!r} .* Add {TARGETS[target].style!r} to synth"
    ):
        resolve(study({"styles": [other]}, target=(target,)))
    weight = (5.0,) if TARGETS[target].loss == "label_weighted" else (None,)
    resolve(study({"styles": [TARGETS[target].style]}, target=(target,), weight=weight))


def test_a_corpus_that_is_not_made_is_refused() -> None:
    with pytest.raises(StudyError, match=r"grid\.corpus: 'shuffled' is not a corpus"):
        resolve(study(target=("free_rationale",), corpus=("shuffled",)))
    resolve(study({"controls": ["shuffled"]}, target=("free_rationale",), corpus=("teacher", "shuffled")))


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"target": ("align",), "loss": ("group_mean",)}, "grid.loss: the target 'align' has its own loss"),
        ({"target": ("label_weighted",)}, "grid.weight: the loss 'label_weighted' needs one"),
        ({"target": ("free_rationale",), "weight": (0.5,)}, "grid.weight: the loss 'token_mean' takes none"),
        ({"target": ("align",), "weight": (2.0,)}, "grid.weight: 2 is not a share"),
        (
            {"loss": ("group_mean",), "weight": (0.5,)},
            "grid.weight: the loss of the target 'label_only' has one",
        ),
        ({"projected": (True,)}, "grid.projected: the loss of the target 'label_only' has one part"),
        ({"target": ("sft_key",), "dropped": (0.5,)}, "grid.dropped: 'sft_key' leaves out no rationales"),
        ({"target": ("untrained",), "seed": (0, 1)}, "grid.target: 'untrained' is not trained"),
        (
            {"target": ("internalise",), "train": {"epochs": 1}},
            "train.epochs: the target 'internalise' changes",
        ),
        (
            {"target": ("sft_key",), "train": {"early_stopping": 1}},
            "train.early_stopping: the target 'sft_key'",
        ),
    ],
)
def test_an_axis_that_a_target_ignores_is_refused(grid: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as e:
        resolve(study(**grid))
    assert str(e.value).startswith(message)


def test_what_a_target_takes_is_let_through() -> None:
    resolve(study(target=("align", "free_rationale"), projected=(False, True)))
    resolve(study(target=("align",), weight=(0.3, 0.7)))
    resolve(study(target=("rationale_dropout",), dropped=(0.3, None)))
    resolve(study(target=("rationale_dropout",), dropped=(0.3,), train={"epochs": 1}))
    resolve(study(target=("auxiliary",), loss=("group_mean",), weight=(0.8,)))


@pytest.mark.parametrize("name", ["paper", "paper-small"])
def test_the_papers_504_configurations_are_counted(name: str) -> None:
    from pathlib import Path

    from wherefore.study.config import load
    from wherefore.train.reading.readouts import expanded
    from wherefore.train.settings import settings_of

    paper = load(Path(__file__).parents[2] / "examples" / f"{name}.toml")
    assert paper.grid is not None
    settings, cells = settings_of(paper), paper.grid.cells()
    refuse(paper, cells, settings)
    read = [
        (c.id, n) for c in cells for n in expanded(settings.readouts, TARGETS[c.target], paper.grid.decoding)
    ]
    assert (len(cells), len(read), len(set(read))) == (72, 504, 504)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"train": {"readouts": ["own_rationale"]}}, "train.readouts: none of own_rationale fits"),
        ({"train": {"readouts": ["sampled"]}}, "train.readouts: 'sampled' is not a read-out"),
        ({"decoding": ("warm",)}, "grid.decoding: 'warm' is not a decoding"),
    ],
)
def test_a_read_out_that_reads_nothing_is_refused(grid: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as e:
        resolve(study(**grid))
    assert str(e.value).startswith(message)


def test_a_reference_that_is_not_read_so_is_refused() -> None:
    """Every comparison would be missing."""
    from wherefore.analysis.run import resolve as analysed

    train = {"readouts": ["native"], "decodings": {"warm": {"temperature": 0.7}}}
    asked = study(train=train, target=("label_only", "free_rationale"), decoding=("warm",))
    with pytest.raises(
        StudyError, match=r"analysis\.reference_readout: 'label_only' is not read by 'direct'"
    ):
        analysed(asked)
    analysed(asked.model_copy(update={"analysis": {"reference_readout": "direct@warm"}}))
    analysed(study(target=("label_only", "free_rationale")))
