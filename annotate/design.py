"""Who grades what: computed, seeded, saved."""

from collections.abc import Sequence

import numpy as np

from ..study.seeds import derive
from .items import Item
from .records import Task


def tasks(items: Sequence[Item], raters: Sequence[str], seed: int) -> list[Task]:
    """Everybody grades everything, each in an order of their own."""
    out: list[Task] = []
    for rater in raters:
        rng = np.random.default_rng(derive(seed, "annotate", "order", rater, items[0].round if items else ""))
        for order, i in enumerate(rng.permutation(len(items))):
            it = items[int(i)]
            out.append(
                Task(item=it.id, rater=rater, rationale=it.rationale, case=it.case, round=it.round, order=order,
                     control=it.control)
            )  # fmt: skip
    return out
