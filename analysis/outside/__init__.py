"""Predictions that were made elsewhere: from a file or from arrays to every number of the report that needs no text.

>>> from wherefore.analysis.outside import evaluate
>>> tables = evaluate([0, 1, 0, 1, 1, 0], {"mine": [0.1, 0.8, 0.3, 0.6, 0.2, 0.4]})
>>> [round(m.value, 3) for m in tables.metrics if m.metric == "roc_auc"]    # 7 of 9 pairs in order
[0.778]
"""

from .arrays import evaluate

__all__ = ["evaluate"]
