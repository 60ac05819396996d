"""Agreement between raters: coefficients, intervals, comparison, diagnostics, planning."""

from .coefficients import COEFFICIENTS
from .compare import Side, compare, judge
from .estimate import coefficient, estimate, estimates
from .items import category_rows, item_rows
from .latent import dawid_skene
from .legacy import kalpha_interval
from .planning import from_assumptions, from_pilot
from .raters import pair_rows, rater_rows, without_each_rater
from .rubric import agreements
from .standard_errors import standard_error
from .table import Table, table
from .weights import WEIGHTS

__all__ = [
    "COEFFICIENTS",
    "WEIGHTS",
    "Side",
    "Table",
    "agreements",
    "category_rows",
    "coefficient",
    "compare",
    "dawid_skene",
    "estimate",
    "estimates",
    "from_assumptions",
    "from_pilot",
    "item_rows",
    "judge",
    "kalpha_interval",
    "pair_rows",
    "rater_rows",
    "standard_error",
    "table",
    "without_each_rater",
]
