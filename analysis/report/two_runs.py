"""One page about two run folders."""

import json
from pathlib import Path
from typing import Any

from ...study.provenance import release
from ...study.records import write_text
from ..performance.formats import YARDSTICKS, label
from ..records import Comparison
from ..tables import Tables
from ..two_runs import TwoRuns
from ..words import number, span, words
from .answer import verdict
from .material import ReportNumbers
from .page import body, environment
from .rows import archive
from .sections.comparison import of_family


def write(runs: TwoRuns, path: Path) -> None:
    """Write the page."""
    write_text(path, render(runs))


def render(runs: TwoRuns) -> str:
    """The page as HTML."""
    m = ReportNumbers(
        settings=runs.a.settings, tables=Tables(comparisons=runs.comparisons, evaluation=runs.a.evaluation)
    )
    env = environment(m.rows)
    metric = runs.compared[0]
    context = {
        "runs": runs,
        "a": runs.a.name,
        "b": runs.b.name,
        "settings": [(name, _value(x), _value(y)) for name, x, y in runs.settings],
        "versions": [(name, _value(x), _value(y)) for name, x, y in runs.versions],
        "families": [of_family(runs.comparisons, "runs", name) for name in runs.compared],
        "population": m.people,
    }
    parts = {"settings": "What differs", "differences": "The difference", "alone": "Not paired"}
    shown = {
        "settings": True,
        "differences": bool(runs.comparisons),
        "alone": bool(runs.alone),
    }
    return env.get_template("two_runs.html.j2").render(
        m=m,
        **context,
        headline=headline(runs, metric),
        release=release(),
        archive=archive(m.rows, m.figures, {}),
        sections=[
            (name, title, body(env, m, f"two_runs_{name}.html.j2", context), False)
            for name, title in parts.items()
            if shown[name]
        ],
    )


def headline(runs: TwoRuns, metric: str) -> str:
    """What was found, in a sentence that follows the adjusted intervals."""
    a, b = runs.a.name, runs.b.name
    if not runs.people.same:
        return f"{a} and {b} judge other people, so no difference between them is shown."
    found = [c for c in runs.comparisons if c.metric == metric and c.difference is not None]
    if not found:
        return f"{a} and {b} judge the same people, and have no fit in common."
    clear = [c for c in found if verdict(c) != "unclear"]
    if not clear:
        many = f"{len(found)} comparisons" if len(found) > 1 else "one comparison"
        return f"{a} and {b}: no difference in ranking was established in {many} on the same people."
    return f"{a} against {b}, on the same people: " + "; ".join(_said(c) for c in clear) + "."


def _said(c: Comparison) -> str:
    how = "" if c.a_readout in YARDSTICKS else f"read {label(c.a_readout)} "
    gap = f"{number(c.difference)} ({span(c.low_adjusted, c.high_adjusted)})"
    return f"{words(c.a)} {how}is {verdict(c)}, {gap}"


def _value(value: Any) -> str:
    """A setting as it reads in a table; what is not there is at its default."""
    return "not set" if value is None else value if isinstance(value, str) else json.dumps(value)
