"""Where the uncertainty of a number comes from: persons, drawn as wholes, and within outcome classes where the
study did.

A set of predictions has a deviation vector for each metric. Inner products of such vectors are covariances over
samples of persons, so the variance of any sum or difference of numbers about the same people is the squared length
of the sum or difference of their vectors. Metrics with an influence function give the vector in closed form (for
ROC-AUC that is DeLong's variance); for the others it comes from bootstrap replicates, drawn by the same design.
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Labels, Mask, Places


@dataclass(frozen=True)
class SamplingDesign:
    """Who was drawn, and how."""

    person: Places
    """(n,) number of the person of each case, 0 to m - 1."""
    group: Labels
    """(m,) 1 for a person with a case that has the outcome, else 0."""
    stratified: bool
    """People with and without the outcome were drawn apart: their numbers are fixed by the design."""

    @classmethod
    def of(cls, person: Places, y: Labels, stratified: bool) -> "SamplingDesign":
        """The design of a sample of cases."""
        group = np.zeros(int(person.max()) + 1, np.int64)
        np.maximum.at(group, person, y)
        return cls(person, group, stratified)

    def deviations(self, influence: Floats, where: Mask) -> Floats:
        """(m,) a vector whose squared length is the variance of a metric with this influence (n,).

        Deviations from the mean of the own class, times the root of k / (k - 1) for its k persons. Where the sample
        was not stratified the mean itself is added again, for what the sizes of the classes contribute.
        """
        total = np.bincount(self.person, np.where(where, influence, 0.0), len(self.group))
        here = np.bincount(self.person, where, len(self.group)) > 0
        out = np.zeros(len(total))
        for g in (0, 1):
            members = here & (self.group == g)
            k = int(members.sum())
            if k > 1:
                mean = float(total[members].mean())
                out[members] = (total[members] - mean) * np.sqrt(k / (k - 1)) + mean * (not self.stratified)
        return out


def degrees(deviations: Floats) -> float:
    """How many independent persons carry a variance: degrees of freedom of an estimate by a sum of squares.

    Satterthwaite's, with the variance of the squares taken from the data: about k for k normal deviations, fewer
    where a few large ones make up the sum, never more than there are.

    >>> degrees(np.array([1.0, -1.0, 1.0, -1.0])), degrees(np.array([9.0] + [0.1] * 99)) < 2.1
    (4.0, True)
    """
    each = deviations * deviations
    squares, n = float(each.sum()), np.count_nonzero(deviations)
    if squares == 0:
        return 0.0
    spread = float(each @ each) - squares**2 / n
    return float(2 * squares**2 / max(spread, 2 * squares**2 / n))
