"""Agreement between raters: coefficients, intervals, comparison, diagnostics, planning."""

from .coefficients.formulas import COEFFICIENTS
from .coefficients.table import RatingTable, table
from .coefficients.weights import WEIGHTS
from .compare import Side, compare, judge
from .instrument import instrument
from .planning import from_assumptions, from_pilot
from .raters.items import category_rows, item_rows
from .raters.latent import dawid_skene
from .raters.limits import limits_rows
from .raters.paired_tests import kendall_w, pair_tests
from .raters.reference import against, attribute_shares
from .raters.rows import pair_rows, rater_rows, without_each_rater
from .rubric import agreements
from .uncertainty.estimate import coefficient, estimate, estimates
from .uncertainty.legacy import kalpha_interval
from .uncertainty.standard_errors import standard_error

__all__ = [
    "COEFFICIENTS",
    "WEIGHTS",
    "RatingTable",
    "Side",
    "against",
    "agreements",
    "attribute_shares",
    "category_rows",
    "coefficient",
    "compare",
    "dawid_skene",
    "estimate",
    "estimates",
    "from_assumptions",
    "from_pilot",
    "instrument",
    "item_rows",
    "judge",
    "kalpha_interval",
    "kendall_w",
    "limits_rows",
    "pair_rows",
    "pair_tests",
    "rater_rows",
    "standard_error",
    "table",
    "without_each_rater",
]
