"""Texts that only repeat themselves, as small language models write them."""

from collections.abc import Sequence

_PERIOD, _TIMES, _LOOP = 40, 4, 24
"""A loop: the same at most so many tokens, so many times in a row, so many tokens long together."""


def loops(ids: Sequence[int]) -> bool:
    """Whether the end of a text only repeats itself.

    >>> loops([1, 2, 3] * 8), loops(list(range(24)))
    (True, False)
    """
    for period in range(1, _PERIOD + 1):
        length = max(_LOOP, _TIMES * period)
        if len(ids) >= length and ids[-1] == ids[-1 - period]:
            tail = ids[-length:]
            if all(a == b for a, b in zip(tail, tail[period:], strict=False)):
                return True
    return False
