"""A hierarchical logistic model of yes-no ratings: items in clusters, raters with levels of their own; by gpboost."""

import contextlib
import io

import numpy as np

from ....study.errors import DataError, MissingPartError
from ..coefficients.table import Floats, Ints, RatingTable
from ..records import HierarchicalModel, RaterLevel

LOGISTIC = np.pi**2 / 3
"""Variance of the logistic distribution: the error on the latent scale."""

NODES = 61
"""Of the Gauss-Hermite rule by which the model's agreement is worked out."""


def hierarchical(ratings: RatingTable) -> HierarchicalModel:
    """Fit logit P(yes) = rater + item + cluster, the latter two normal, by Laplace's approximation.

    Says how far agreement comes from the items, how much of that from their clusters, and who says yes more often;
    and what kappa two raters of this model would have. With two or three yes-no ratings an item the item variance
    comes out too low (Laplace), and so does the kappa.

    Args:
        ratings: the table; two categories, of which the second (`yes`, the higher) is modelled.
    Raises:
        DataError: other than two categories.
        MissingPartError: gpboost is not installed.
    """
    if len(ratings.scale.categories) != 2:
        raise DataError(
            f"hierarchical model: it needs two categories; the scale has {len(ratings.scale.categories)}."
        )
    u, g = np.nonzero(ratings.codes >= 0)
    y = ratings.codes[u, g].astype(float)
    if len(np.unique(y)) < 2:
        raise DataError("hierarchical model: every rating is the same.")
    raters = np.unique(g)
    x = (g[:, None] == raters).astype(float)
    x[:, 0] = 1.0  # the first rater is the intercept, the others differ from it
    clusters = _clusters(ratings, u)
    groups = u[:, None] if clusters is None else np.column_stack([u, clusters])
    variances, coefficients, errors = _fit(y, x, groups)
    level = coefficients + np.where(np.arange(len(raters)) > 0, coefficients[0], 0.0)
    between = float(variances.sum())
    return HierarchicalModel(
        category=ratings.scale.labels[1],
        item_sd=float(variances[0] ** 0.5),
        cluster_sd=float(variances[1] ** 0.5) if clusters is not None else None,
        latent_icc=between / (between + LOGISTIC),
        cluster_icc=float(variances[1]) / (between + LOGISTIC) if clusters is not None else None,
        median_odds_ratio=float(np.exp(0.6745 * (2 * between) ** 0.5)),
        kappa=_kappa(level, between),
        raters=tuple(
            RaterLevel(
                rater=str(ratings.raters[r]),
                log_odds=float(level[i]),
                difference=float(coefficients[i]) if i else 0.0,
                standard_error=float(errors[i]) if i and np.isfinite(errors[i]) else None,
            )
            for i, r in enumerate(raters)
        ),
        n_ratings=len(y),
    )


def _clusters(ratings: RatingTable, u: Ints) -> Ints | None:
    if not ratings.clusters:
        return None
    number = {c: i for i, c in enumerate(dict.fromkeys(ratings.clusters))}
    return np.array([number[ratings.clusters[i]] for i in u], dtype=np.int64)


def _fit(y: Floats, x: Floats, groups: Ints) -> tuple[Floats, Floats, Floats]:
    """Variances of the grouped effects, coefficients, and the standard errors of these."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            import gpboost
    except ImportError as e:
        raise MissingPartError("gpboost: not installed. pip install 'wherefore-lab[glmm]'.") from e
    with contextlib.redirect_stdout(io.StringIO()):
        model = gpboost.GPModel(
            group_data=groups,
            likelihood="bernoulli_logit",
            matrix_inversion_method="cholesky",  # the iterative default leaves standard errors out
            num_parallel_threads=1,
        )
        model.fit(y=y, X=x)
        coefficients = np.asarray(model.get_coef(std_err=True), dtype=float)
        variances = np.asarray(model.get_cov_pars(), dtype=float).ravel()
    return variances[: groups.shape[1]], coefficients[0], coefficients[1]


def _kappa(level: Floats, between: float) -> float | None:
    """Mean over pairs of raters of the kappa that the model gives them, items drawn anew."""
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    p = 1 / (1 + np.exp(-(level[:, None] + between**0.5 * node)))
    share = p @ weight
    agree = (p * weight) @ p.T + ((1 - p) * weight) @ (1 - p).T
    chance = np.outer(share, share) + np.outer(1 - share, 1 - share)
    g, h = np.triu_indices(len(level), 1)
    kappas = (agree - chance)[g, h] / (1 - chance)[g, h]
    return float(kappas.mean()) if len(kappas) else None
