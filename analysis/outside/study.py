"""Outside models in a study: their risks for its held-out people, beside those of its own models."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...study.config import Study
from ...study.errors import DataError
from ...train.records import Baseline
from ..performance.evaluate import Evaluation
from ..performance.formats import OUTSIDE
from ..performance.scores import HeldOut, PredictionKey
from ..settings import Outside
from .facts import CaseFacts
from .risks import Risks, seed_numbers
from .source import SourceFile, opened


def with_outside(study: Study, evaluation: Evaluation) -> tuple[Evaluation, list[Baseline]]:
    """Add the models of `[analysis] outside`.

    Returns:
        The evaluation with their risks in it, and a row a set of predictions: its name there, and its model's.

    Raises:
        DataError: a file that cannot be read, nobody in it who is held out here, a label that differs from the
            study's, or a name that is taken.
    """
    held, settings, scores = evaluation.held, evaluation.settings, evaluation.scores
    rows: list[Baseline] = []
    for entry in settings.outside:
        path = study.path(entry.path)
        named = {role: (column,) for role, column in entry.columns.items()}
        source = _by_case(opened([path], named, ("risk",))[0][0], held)
        _check_labels(source, held)
        risks = Risks()
        risks.add(source, frozenset(held.case), several=False)
        for run, seed in seed_numbers(list(risks.rows)).items():
            model = entry.name or run[0]
            cell = f"{model}, seed {seed}" if run[1] else model
            if any(k.cell == cell for k in scores.risk):
                raise DataError(f'{path}: another model is called {cell!r}. Give this one a name = "...".')
            key = PredictionKey(cell, OUTSIDE)
            risk, missing = risks.lined_up(run, held.case)
            scores = replace(
                scores,
                risk={**scores.risk, key: risk},
                missing={**scores.missing, key: missing},
                on_source=scores.on_source | ({cell} if entry.about == "source" else frozenset()),
            )
            rows.append(Baseline(cell=cell, name=model, n=None))
    return Evaluation(held, scores, settings, evaluation.seed), rows


def _by_case(source: SourceFile, held: HeldOut) -> SourceFile:
    """The file with the study's case ids: its own, or found by person where each has one case.

    Raises:
        DataError: nobody in it is held out here.
    """
    ids = source.case_ids()
    if set(ids) & set(held.case):
        return source
    people = source.cells("person")
    case_of = dict(zip(held.subject, held.case, strict=True))
    if len(case_of) == len(held.case) and set(people) & case_of.keys():
        cases = [case_of.get(p or "", f"not held out: {p}") for p in people]
        column = dict(source.roles.column) | {"case": "wherefore case"}
        return source._replace(
            frame=source.frame.assign(**{"wherefore case": cases}), roles=source.roles._replace(column=column)
        )
    raise DataError(
        f"{source.path}: none of its {len(set(ids)):,} cases is held out in this study. Its ids are like {ids[0]!r}, "
        f'the study\'s like {held.case[0]!r}. Say which column has them: columns = {{ case = "..." }}.'
    )


def _check_labels(source: SourceFile, held: HeldOut) -> None:
    """Refuse a file whose labels are not the study's: it is about other people or another outcome."""
    if not source.has("label"):
        return
    given, known = CaseFacts([source]).label, dict(zip(held.case, held.y.tolist(), strict=True))
    for i, case in enumerate(source.case_ids()):
        if case in known and given[case] not in (None, known[case]):
            raise DataError(
                f"{source.place(i)}: label {given[case]} of case {case}, but {known[case]} in this study."
            )


def lacking(study: Study, outside: Sequence[Outside]) -> list[Path]:
    """The files that are not there yet."""
    return [path for entry in outside if not (path := study.path(entry.path)).is_file()]
