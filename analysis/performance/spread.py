"""How the risks of a model are spread, and how many people the study has against how many it needs."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..measures.arrays import EDGE
from ..measures.sample_size import development, r2_of_auc, validation
from ..records import RiskSpread, SampleSize
from .evaluate import Evaluation
from .scores import PredictionKey

SURE = 0.02
"""Risks nearer than this to 0 or 1 are sure of themselves."""


def risk_spread(evaluation: Evaluation, keys: Iterable[PredictionKey]) -> Iterator[RiskSpread]:
    """One row a set of predictions, over its risks as they were read."""
    for key in keys:
        risk = evaluation.scores.risk[key][evaluation.present(key)]
        if not len(risk):
            continue
        _, counts = np.unique(risk, return_counts=True)
        yield RiskSpread(
            cell=key.cell,
            readout=key.readout,
            n=len(risk),
            distinct=len(counts),
            largest_tie=int(counts.max()),
            below=float((risk < SURE).mean()),
            above=float((risk > 1 - SURE).mean()),
            n_clipped=int(((risk < EDGE) | (risk > 1 - EDGE)).sum()),
        )


def sample_size(
    evaluation: Evaluation, reference: PredictionKey | None, parameters: int | None, training: Sequence[int]
) -> list[SampleSize]:
    """What developing a regression and validating a model like the reference takes, and what there is.

    Args:
        evaluation: of the held-out people.
        reference: whose ROC-AUC and risks are taken for the validation; None: nothing is calculated.
        parameters: predictor parameters of the regression baseline; None: it has none.
        training: training sizes of the study; the largest counts.
    """
    if reference is None:
        return []
    held, population = evaluation.held, evaluation.held.population
    where = evaluation.present(reference)
    auc = evaluation.value("roc_auc", reference, population, where)
    if auc is None or not 0.5 < auc < 1:
        return []
    prevalence = held.prevalence(population)
    risk, weight = evaluation.scores.on(reference, population)[where], held.weights(population)[where]
    assumed = f"ROC-AUC {auc:.3f} and {100 * prevalence:.1f} % with the outcome, as held out"
    has = int(where.sum())
    rows = [
        SampleSize(purpose="validation", criterion=c, needed=n, has=has, assumed=assumed, source="Riley 2021")
        for c, n in validation(auc, prevalence, risk, weight)
        if n
    ]
    if parameters and training:
        r2 = r2_of_auc(auc, prevalence)
        basis = f"{parameters} predictor parameters, R squared {r2:.3f} from {assumed}"
        rows += [
            SampleSize(
                purpose="development",
                criterion=c,
                needed=n,
                has=max(training),
                assumed=basis,
                source="Riley 2020",
            )
            for c, n in development(parameters, r2, prevalence)
        ]
    return rows
