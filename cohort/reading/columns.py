"""Columns of an Arrow table as arrays in which a missing cell is missing, whatever its neighbours hold."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def texts(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Text; None where there is none.

    A dictionary column is decoded by its own indices: `to_numpy` gives its nulls the first word of the dictionary.

    >>> texts(pa.chunked_array([pa.array(["mg", None]).dictionary_encode()])).tolist()
    ['mg', None]
    """
    if pa.types.is_dictionary(column.type):
        array = column.unify_dictionaries().combine_chunks()
        words = np.array([*texts(pa.chunked_array([array.dictionary])), None], dtype=object)
        cells: NDArray[np.object_] = words[array.indices.fill_null(len(words) - 1).to_numpy()]
        return cells
    text = column if _is_text(column.type) else pc.cast(column, pa.string())
    out: NDArray[np.object_] = np.empty(len(text), dtype=object)
    out[:] = text.to_numpy()
    return out


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Floats; NaN where there is none, or where it is no number.

    >>> numbers(pa.chunked_array([pa.array(["5.5", None, "high"])])).tolist()
    [5.5, nan, nan]
    """
    if pa.types.is_dictionary(column.type) or _is_text(column.type):
        return np.asarray(pd.to_numeric(pd.Series(texts(column)), errors="coerce"), dtype=np.float64)
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
