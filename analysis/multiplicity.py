"""p-values of a family, adjusted for how many they are."""

from collections.abc import Sequence


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values of one family (Holm 1979); None stays None and does not count.

    >>> holm([0.01, 0.04, None, 0.03])    # 3 x 0.01, then 2 x 0.03, then max(0.06, 0.04)
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((v, i) for i, v in enumerate(p) if v is not None)
    out: list[float | None] = [None] * len(p)
    top = 0.0
    for rank, (value, i) in enumerate(known):
        top = max(top, min(1.0, (len(known) - rank) * value))
        out[i] = top
    return out
