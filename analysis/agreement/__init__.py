"""Agreement between raters: coefficients, intervals, comparison, diagnostics, planning."""

from .coefficients import COEFFICIENTS
from .estimate import coefficient, estimate, estimates
from .rubric import agreements
from .standard_errors import standard_error
from .table import Table, table
from .weights import WEIGHTS

__all__ = [
    "COEFFICIENTS",
    "WEIGHTS",
    "Table",
    "agreements",
    "coefficient",
    "estimate",
    "estimates",
    "standard_error",
    "table",
]
