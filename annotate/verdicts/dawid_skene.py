"""What is most probably true when every rater errs in a way of their own (Dawid & Skene 1979, Appl Stat 28:20).

For nominal marks, five raters and some hundred items or more; with fewer the majority is nearer to the truth
(docs/decisions/0031). Not taken from a library: the one that is kept up asks for 300 MB beside it.
"""

from collections.abc import Mapping, Sequence

import numpy as np


def posterior(
    marks: Sequence[Mapping[str, str]], categories: Sequence[str], *, most: int = 200, tolerance: float = 1e-8
) -> list[dict[str, float]]:
    """Probability of every category for every item.

    Args:
        marks: for each item, each rater's category.
        categories: all there are.
        most: iterations of EM, which starts from the share of votes.
        tolerance: EM stops when no probability moves by more.

    >>> p = posterior([{"a": "x", "b": "x"}, {"a": "y", "b": "y"}, {"a": "x", "b": "x"}], ["x", "y"])
    >>> [max(q, key=q.get) for q in p]
    ['x', 'y', 'x']
    """
    raters = sorted({r for m in marks for r in m})
    answers = np.zeros((len(marks), len(raters), len(categories)))
    for i, m in enumerate(marks):
        for rater, value in m.items():
            answers[i, raters.index(rater), list(categories).index(value)] = 1
    p = answers.sum(1) / answers.sum((1, 2))[:, None]
    for _ in range(most):
        share = p.mean(0)
        errors = np.einsum("ik,irl->rkl", p, answers) + 1e-2 / len(categories)  # a little is never impossible
        errors /= errors.sum(2, keepdims=True)
        with np.errstate(divide="ignore"):
            log = np.log(share)[None] + np.einsum("irl,rkl->ik", answers, np.log(errors))
        new = np.exp(log - log.max(1, keepdims=True))
        new /= new.sum(1, keepdims=True)
        moved, p = float(np.abs(new - p).max()), new
        if moved < tolerance:
            break
    return [dict(zip(categories, map(float, row), strict=True)) for row in p]
