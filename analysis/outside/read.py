"""Predictions from files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...study.errors import DataError
from ..measures.arrays import Floats
from ..settings import Settings
from .arrays import Predictions
from .facts import CaseFacts
from .risks import Risks, seed_numbers
from .source import Columns, SourceFile, opened


@dataclass(frozen=True)
class PredictionReadSettings:
    """What the user says about the files."""

    columns: Columns = field(default_factory=dict)
    """Role to columns: see `columns.ROLES`."""
    subgroups: Sequence[str] = ()
    """Columns; none: every column with few values."""
    by_outcome: bool | None = None
    """People with and without the outcome were drawn apart; None: where the weights say so."""


class ReadPredictions(NamedTuple):
    """What the files gave, and how they were understood."""

    predictions: Predictions
    notes: tuple[str, ...]


MOST_WEIGHT = 0.2
"""A case with more of the weight than this is spoken of."""


def read(
    files: Sequence[Path],
    cases: Path | None = None,
    settings: PredictionReadSettings | None = None,
    analysis: Settings | None = None,
) -> ReadPredictions:
    """Predictions of one or more models.

    Args:
        files: CSV or Parquet, of one model each, who is then called as its file, or with a column that names the
            model.
        cases: another table with the label of each case; weight, person and subgroups may be there too.
        settings: what the user says about the columns.
        analysis: for its age bands.
    Raises:
        DataError: a file, a column or a cell that cannot be what it is taken for, with its place.
    """
    settings, analysis = settings or PredictionReadSettings(), analysis or Settings()
    sources, other = opened(files, settings.columns, ("risk",) if cases else ("risk", "label"), cases)
    every = [*([other] if other else []), *sources]
    for source in sources:
        _check_persons(source)
    _check_ids(every, len(every) > 1 or any(s.has("model") or s.has("seed") for s in sources))
    facts, risks = CaseFacts(every), Risks()
    for source in sources:
        risks.add(source, facts.label, len(sources) > 1, str(cases) if cases else str(source.path))
    predictions, unused = _lined_up(facts, risks, settings, analysis, files[0])
    return ReadPredictions(predictions, tuple(_notes(every, predictions, unused)))


def _check_ids(sources: Sequence[SourceFile], matched: bool) -> None:
    """Rows of several models or files are matched by their case."""
    unnamed = next((s for s in sources if not (s.has("case") or s.has("person"))), None)
    if matched and unnamed is not None:
        raise DataError(
            f"{unnamed.path}: no column for 'case', so rows of different models or files cannot be matched. "
            "Say which: --column case=NAME."
        )


def _check_persons(source: SourceFile) -> None:
    """Refuse several rows of a person where nothing tells them apart."""
    if source.has("case") or source.has("time") or not source.has("person"):
        return
    rows = zip(source.cells("person"), source.cells("model"), source.cells("seed"), strict=True)
    seen: dict[tuple[str | None, ...], int] = {}
    for i, row in enumerate(rows):
        if (first := seen.setdefault(row, i)) != i:
            raise DataError(
                f"{source.place(i)}: person {row[0]} has another row at {source.place(first)}, and no column says "
                "which case or time each is. Say which: --column case=NAME or --column time=NAME."
            )


def _check_alike(risks: Risks) -> None:
    """Refuse models whose cases meet only when their ids are written alike: `0012` and `12`, `A7` and `a7`."""
    runs = list(risks.rows.items())
    for (a, mine), (b, others) in combinations(runs, 2):
        if mine.keys() & others.keys():
            continue
        alike = {_bare(case): case for case in mine}
        both = next(((alike[_bare(c)], c) for c in others if _bare(c) in alike), None)
        if both is not None:
            raise DataError(
                f"{mine[both[0]].place} and {others[both[1]].place}: case {both[0]!r} of {a[0]} and {both[1]!r} of "
                f"{b[0]} look like one, and these models have no other case in common. Write the ids alike."
            )


def _bare(case: str) -> str:
    """An id without what programs add and drop.

    >>> _bare("0012"), _bare("12.0"), _bare("A7")
    ('12', '12', 'a7')
    """
    return case.casefold().removesuffix(".0").lstrip("0")


def _lined_up(
    facts: CaseFacts, risks: Risks, settings: PredictionReadSettings, analysis: Settings, path: Path
) -> tuple[Predictions, list[str]]:
    cases = facts.labelled()
    if not cases:
        raise DataError(f"{path}: no case has a label.")
    risk: dict[tuple[str, int], Floats] = {}
    missing: dict[tuple[str, int], dict[str, int]] = {}
    for run, seed in seed_numbers(list(risks.rows)).items():
        key = (run[0], seed)
        risk[key], missing[key] = risks.lined_up(run, cases)
    _check_alike(risks)
    groups, unused = facts.groups(cases, settings.subgroups, analysis.age_bands)
    persons = [facts.person.get(c, c) for c in cases]
    predictions = Predictions(
        y=np.array([facts.label[c] for c in cases], dtype=np.int64),
        risk=risk,
        case=cases,
        person=np.unique(persons, return_inverse=True)[1].astype(np.int64),
        weight=facts.weights(cases),
        groups=groups,
        missing=missing,
        censored=len(facts.label) - len(cases),
        by_outcome=settings.by_outcome,
    )
    return predictions, unused


def _notes(sources: Sequence[SourceFile], p: Predictions, unused: Sequence[str]) -> list[str]:
    """How the files were understood."""
    out = []
    for source in sources:
        roles = [*source.roles.column.items(), *(("risk", c) for c in source.roles.risks)]
        columns = [column if column == role else f"{column} as {role}" for role, column in roles]
        out.append(f"{source.path}: {len(source.frame):,} rows; columns read: {', '.join(columns)}")
    people = len(p.y) if p.person is None else len(np.unique(p.person))
    lost = sum(sum(m.values()) for m in p.missing.values())
    statements = {
        f"{p.censored:,} cases without a label are left out": p.censored,
        f"{len(p.y):,} cases of {people:,} people; people are resampled, not cases": people < len(p.y),
        f"subgroups: {', '.join(p.groups)}": p.groups,
        f"columns not used: {', '.join(name or '(no name)' for name in unused)}": unused,
        f"{lost:,} risks are missing, each in no number of its model": lost,
    }
    out += [text for text, holds in statements.items() if holds]
    if p.weight is not None and (share := float(p.weight.max() / p.weight.sum())) > MOST_WEIGHT:
        out.append(f"one case has {100 * share:.3g} % of all weight: look at the weights")
    for a, b in combinations(p.risk, 2):
        if not (np.isfinite(p.risk[a]) & np.isfinite(p.risk[b])).any():
            out.append(f"{a[0]} and {b[0]} predict no case in common: they are not compared")
    for (model, _), row in p.risk.items():
        known = row[np.isfinite(row)]
        if len(known) and np.isin(known, (0.0, 1.0)).all():
            out.append(f"{model}: every risk is 0 or 1; these look like decisions, not risks")
    return list(dict.fromkeys(out))
