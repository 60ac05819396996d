"""The grid as a page that a browser renews by itself: `train/grid.html`, written while cells are worked on."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..study import layout
from ..study.config import Study
from ..study.grid import Cell
from ..study.records import write_text
from ..synth.spent import spent
from .settings import Settings
from .standing import Stand, Standing, in_words

EVERY = 5
"""Seconds between two writings."""
ACROSS = ("n", "learning_rate", "seed")
"""Axes that make columns; all others make rows."""
SYMBOLS = {"n": "n", "learning_rate": "learning rate", "seed": "seed"}


@contextmanager
def page_kept(study: Study, home: Path, cells: Sequence[Cell], settings: Settings) -> Iterator[None]:
    """Rewrite the page of the whole grid every few seconds while something works inside, and once more at its end."""
    standing = Standing(home, cells, settings.at_once)
    over = threading.Event()

    def keep() -> None:
        while not over.is_set():
            write(study, standing.look())
            over.wait(EVERY)

    writer = threading.Thread(target=keep, daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
        write(study, standing.look())


def write(study: Study, standing: Standing) -> Path:
    """Write the page as the grid stands; return its path."""
    path = layout.GRID.at(standing.home)
    write_text(path, html(study, standing, time.time()), shared=True)
    return path


def html(study: Study, standing: Standing, now: float) -> str:
    """The page: counts, time left, money, and a square a fit.

    Args:
        study: whose grid it is.
        standing: its cells.
        now: seconds of the epoch.
    """
    env = Environment(
        loader=PackageLoader("wherefore.templates", "grid"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    counts, left = standing.counts, standing.left
    columns = list(dict.fromkeys(tuple(getattr(c, a) for a in ACROSS) for c in standing.cells))
    return env.get_template("page.html.j2").render(
        title=study.title or study.name,
        home=standing.home,
        now=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)),
        stamp=int(now),
        every=EVERY,
        over=not counts["running"] and not counts["missing"],
        counts=counts,
        total=max(1, len(standing.cells)),
        left="not known yet" if left is None else in_words(left) if left else "none",
        spent=in_words(standing.spent or 0.0),
        money=spent(study, standing.home).get("cost"),
        heads=_heads(columns),
        rows=_rows(standing.stands, columns),
        failures=[_square(s) for s in standing.stands if s.state == "failed"],
    )


def _heads(columns: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """A heading line for each axis in which the columns differ: its values, each over the columns that it covers."""
    out = []
    for depth, axis in enumerate(ACROSS):
        if len({c[depth] for c in columns}) < 2:
            continue
        runs = [(key[-1], len(list(of))) for key, of in groupby(columns, key=lambda c: c[: depth + 1])]
        out.append({"name": SYMBOLS[axis], "cells": [(f"{value:g}", span) for value, span in runs]})
    return out


def _rows(stands: Sequence[Stand], columns: Sequence[tuple[Any, ...]]) -> list[tuple[str, list[Any]]]:
    """What is taught, and its squares; None where the grid has no such cell."""
    squares: dict[str, dict[tuple[Any, ...], Any]] = {}
    for s in stands:
        at = tuple(getattr(s.cell, a) for a in ACROSS)
        squares.setdefault(_label(s.cell, stands), {})[at] = _square(s)
    return [(label, [of.get(c) for c in columns]) for label, of in squares.items()]


def _label(cell: Cell, stands: Sequence[Stand]) -> str:
    """A row in words: the target, and every other setting in which the rows differ."""
    words = [cell.target]
    for axis in Cell.model_fields:
        value = getattr(cell, axis)
        several = any(getattr(s.cell, axis) != value for s in stands)
        if axis in ("target", *ACROSS) or not several or value in (None, False):
            continue
        words.append(
            axis if value is True else f"{axis} {value:g}" if isinstance(value, float) else str(value)
        )
    return ", ".join(words)


def _square(stand: Stand) -> dict[str, Any]:
    mark = {"failed": "failed", "missing": ""}.get(stand.state)
    text = in_words(stand.seconds or 0.0) + (" …" if stand.state == "running" else "")
    return {
        "id": stand.cell.id,
        "state": stand.state,
        "text": text if mark is None else mark,
        "why": stand.why,
        "name": f"{stand.cell.target}, n {stand.cell.n}, {stand.cell.id}",
    }
