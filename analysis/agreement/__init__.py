"""Agreement between raters: coefficients, intervals, comparison, diagnostics, planning."""

from .coefficients import COEFFICIENTS
from .estimate import coefficient, estimate
from .rubric import agreements
from .table import Table, table
from .weights import WEIGHTS

__all__ = ["COEFFICIENTS", "WEIGHTS", "Table", "agreements", "coefficient", "estimate", "table"]
