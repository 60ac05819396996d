"""Division that knows when its denominator is nothing but rounding."""

import numpy as np

from .table import Floats


def divide(a: Floats, b: Floats, least: Floats | float = 1e-12) -> Floats:
    """a / b, NaN where b is not above `least` in size.

    What counts as nothing depends on the size of what was subtracted to get b: 1e-12 of that for shares, which are
    below 1, and 1e-12 of the sum of squares for variances of numbers of any size.
    """
    out = np.full(len(a), np.nan)
    np.divide(a, b, out=out, where=np.abs(b) > least)
    return out


def corrected(observed: Floats, chance: Floats) -> Floats:
    """Agreement beyond chance, of what is possible beyond chance."""
    return divide(observed - chance, 1 - chance)
