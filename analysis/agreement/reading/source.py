"""What a file gave: ratings with their scales, and how it was understood."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

import pandas as pd
from pydantic import Field

from ....study.records import Level, Record
from .shapes.shaped import Shape


class RatingReadSettings(Record):
    """What the user says about a file; whatever is left out is found, or asked about."""

    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Role -> columns: item, rater, value, dimension, cluster, group, order, replicate, reference, count."""
    shape: Shape | None = None
    names: str | None = None
    """How the columns of a wide table are called: `{dimension}_{rater}`."""
    header: bool | None = None
    """Whether the first row names the columns."""
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    """Of a workbook."""
    missing: tuple[str, ...] = ()
    """Cells that stand for a rating that was not given; an empty one does."""
    label_separator: str | None = None
    """Between the labels of a multi-label cell; "" means there are none."""
    levels: dict[str, Level] = Field(default_factory=dict)
    """By dimension; the key "" holds for those not named."""
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """All that raters could give, lowest first, by dimension; "" as above."""


class FileReading(Record):
    """How a file was understood: the beginning of the output."""

    source: str
    format: str
    shape: str
    """In words."""
    columns: dict[str, str]
    """What was taken for what."""
    unused: dict[str, str] = Field(default_factory=dict)
    """Columns, controls and rows that were not used, and why."""
    notes: tuple[str, ...] = ()


class Unsettled(NamedTuple):
    """Ratings as the file has them, before they are values of a scale."""

    name: str
    """Of the file, for messages."""
    format: str
    shape: str
    """In words."""
    ratings: pd.DataFrame
    """See `answers.COLUMNS`; values and orders are text still, or sets of labels."""
    columns: dict[str, str]
    unused: dict[str, str] = {}  # noqa: RUF012 - never changed
    notes: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - never changed
    """What raters were offered, by dimension, where the file itself says so; "" for all."""
    levels: dict[str, Level] = {}  # noqa: RUF012 - never changed
    closed: bool = False
    """Ratings were chosen from a form, so that a word for nothing was offered there."""
    nameless: bool = False
    """Nobody knows which rater gave which rating."""
    reference: pd.DataFrame | None = None
    """Columns item, value, where, and dimension if there are several."""
    cluster_name: str = "cluster"
    group_name: str = "group"
    rank: bool = True
    """Small numbers in `order` are ranks; False: the column's name speaks of time, so they are durations."""


class ScaleFound(NamedTuple):
    """The scale of one dimension."""

    level: Level
    categories: tuple[Hashable, ...] | None
    """In order; None: those that occur."""
    declared: bool
    """The categories are what raters were offered."""
    assumed: bool
    """The level is a guess."""


class RatingSource(NamedTuple):
    """Ratings with their scales."""

    ratings: pd.DataFrame
    """See `answers.COLUMNS`; values are of their scale."""
    scales: dict[str, ScaleFound]
    """By dimension, in the order in which they are shown."""
    reading: FileReading
    cluster_name: str = "cluster"
    group_name: str = "group"
    simulated: bool = False
    nameless: bool = False
    """Nobody knows which rater gave which rating."""
    reference: pd.DataFrame | None = None
    """Columns item, dimension, value: the reference standard."""

    def noted(self, *notes: str) -> "RatingSource":
        """The source with more to say."""
        more = tuple(n for n in notes if n)
        return self._replace(reading=self.reading.model_copy(update={"notes": (*self.reading.notes, *more)}))


Place = Callable[[object], str]
"""What `where` says, for messages: the file, and the row or the task in it."""


def place_in(name: str) -> Place:
    """Places in a file: `ratings.csv:12`; a text that is no row number stands as it is."""

    def place(where: object) -> str:
        text = str(where)
        return f"{name}:{text}" if text[:1].isdigit() else text or name

    return place
