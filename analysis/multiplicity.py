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


def levels(p: Sequence[float | None], alpha: float = 0.05) -> list[float | None]:
    """The level at which each comparison of a family is judged, so that an interval at it agrees with Holm's p.

    The smallest p is judged at alpha / m, the next at alpha / (m - 1), and so on; one that Holm's rule keeps from
    being significant because of a smaller p is judged at that one's level. The interval at 1 - level leaves zero
    out exactly where the adjusted p is below alpha.

    >>> [round(x, 4) for x in levels([0.01, 0.04, 0.03])]    # 0.05 / 3, then 0.05 / 2; 0.04 waits for 0.03
    [0.0167, 0.0333, 0.025]
    """
    known = sorted((v, i) for i, v in enumerate(p) if v is not None)
    out: list[float | None] = [None] * len(p)
    top = 0.0
    for rank, (value, i) in enumerate(known):
        times = len(known) - rank
        top = max(top, times * value)
        out[i] = alpha / max(times, top / value if value > 0 else times)
    return out


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values of one family by the false discovery rate (Benjamini and Hochberg 1995); None stays None.

    >>> benjamini_hochberg([0.01, 0.04, None, 0.03])    # 3 x 0.01, then min(3/2 x 0.03, 0.04), then 0.04
    [0.03, 0.04, None, 0.04]
    """
    known = sorted(((v, i) for i, v in enumerate(p) if v is not None), reverse=True)
    out: list[float | None] = [None] * len(p)
    least = 1.0
    for above, (value, i) in enumerate(known):
        least = min(least, value * len(known) / (len(known) - above))
        out[i] = least
    return out
