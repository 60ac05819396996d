"""The grid: every combination of the axes is one cell, named by the settings that differ from their defaults."""

from functools import lru_cache
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from .errors import StudyError
from .records import Record, digest, first_fault

Count = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Loss = Literal["token_mean", "group_mean", "label_weighted", "brier", "log_score"]


class Cell(Record):
    """One fine-tuning run. Its id is the hash of what differs from the defaults below.

    A new axis is a new field with a default here, and every id that exists stays as it is.
    """

    base: str
    """A name in `[bases]`: the model that is fine-tuned."""
    target: str
    """What the model is taught to write: a name in `train/targets.py`."""
    n: Count
    """Training cases; nested: the first `n` of one seeded order, the same for every target."""
    learning_rate: Rate
    seed: Seed
    """Of the order of batches and of the adapter's initial weights."""
    loss: Loss = "token_mean"
    """One mean over all counted tokens; the mean of each group's own mean; a token mean in which the label counts
    several times; or a proper score of the label's probability (Brier, logarithmic) beside the others' mean."""
    corpus: str = "teacher"
    """Which rationales are taught: the teacher's, or a control made from them (shuffled, swapped, ...)."""
    weight: Rate | None = None
    """Of the label in the loss: its share for `group_mean`, `brier` and `log_score`, how often each of its tokens
    counts for `label_weighted`."""
    dropped: Share | None = None
    """Share of the rationales that `rationale_dropout` leaves out; None: none in the first epoch, all in the last."""
    projected: bool = False
    """The rationale's gradient loses what works against the label's (PCGrad, Yu et al. 2020, arXiv 2001.06782)."""

    @property
    def id(self) -> str:
        """Twelve hex digits, stable under new axes and their order."""
        return _id(self)


@lru_cache(maxsize=65536)
def _id(cell: Cell) -> str:
    """Worked out once for each cell: the analysis asks for it thousands of times."""
    return digest(cell.model_dump(exclude_defaults=True))


class Grid(Record):
    """The axes. Each is a list; every combination is a `Cell`."""

    expect: int = Field(gt=0)
    """How many cells the author of the study expects; a changed axis is noticed."""
    base: tuple[str, ...] = ("tiny",)
    """Names in `[bases]`: the models that are fine-tuned."""
    target: tuple[str, ...] = Field(min_length=1)
    n: tuple[Count, ...] = Field(min_length=1)
    learning_rate: tuple[Rate, ...] = (1e-3,)
    """The highest rate of the schedule."""
    seed: tuple[Seed, ...] = (0,)
    """Of batch order and initial adapter weights; a verdict on a recipe needs at least three."""
    loss: tuple[Loss, ...] = ("token_mean",)
    """How the loss groups are weighted."""
    corpus: tuple[str, ...] = ("teacher",)
    """Which rationales are taught: the teacher's, or a control of `[synth] controls`."""
    weight: tuple[Rate | None, ...] = (None,)
    """Of the label in the loss: a share for `group_mean`, `brier`, `log_score`; a multiple for `label_weighted`."""
    dropped: tuple[Share | None, ...] = (None,)
    """Shares of the rationales that `rationale_dropout` leaves out; absent: a curriculum from none to all."""
    projected: tuple[bool, ...] = (False,)
    """Whether the rationale's gradient is kept from working against the label's."""
    decoding: tuple[str, ...] = ()
    """Names in `[train.decodings]`: how the fits write when risk is read after what they wrote. No fits of their own:
    every read-out that writes, and `native`, is made under each."""
    also: tuple[dict[str, Any], ...] = ()
    """Cells beside the product: the fields that differ from the first cell of the product; every combination where
    some are lists, the first field written changing most slowly."""

    def cells(self) -> list[Cell]:
        """All cells, in the order of the axes as written, then `also`.

        Raises:
            StudyError: the count is not `expect`, or two cells are the same.
        """
        axes = [name for name in Cell.model_fields if name in type(self).model_fields]
        cells = [
            Cell(**dict(zip(axes, values, strict=True)))
            for values in product(*(getattr(self, a) for a in axes))
        ]
        beside = [_beside(cells[0], number, extra) for number, extra in enumerate(self.also)]
        cells += [cell for part in beside for cell in part]
        ids = [c.id for c in cells]
        if len(set(ids)) != len(ids):
            twice = next(c for c in cells if ids.count(c.id) > 1)
            raise StudyError(f"grid: duplicate cell: {twice.model_dump(exclude_defaults=True)}. Remove one.")
        if len(cells) != self.expect:
            sizes = " x ".join(f"{len(getattr(self, a))} {a}" for a in axes) + (
                f" + {sum(map(len, beside))} also" if self.also else ""
            )
            raise StudyError(
                f"grid.expect: found {self.expect}, but the axes give {len(cells)} cells ({sizes})."
            )
        return cells


def _beside(first: Cell, number: int, extra: dict[str, Any]) -> list[Cell]:
    """The cells of one entry of `also`."""
    values = [value if isinstance(value, list | tuple) else [value] for value in extra.values()]
    try:
        return [
            Cell.model_validate({**first.model_dump(), **dict(zip(extra, each, strict=True))})
            for each in product(*values)
        ]
    except ValidationError as e:
        raise StudyError(f"grid.also.{number}.{first_fault(e, Cell)}") from e
