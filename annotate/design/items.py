"""Which rationales are graded, and what a rater sees of each."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from ...cohort.records import Case
from ...study.records import Record, digest
from ...study.seeds import derive
from ...synth.records import Claim, Rationale


class Item(Record):
    """A rationale as it is shown, planted controls included. Everything here but `rationale` is blind."""

    id: str
    """Depends on the content: changed text is another item."""
    rationale: str
    case: str
    """Whose timeline is shown."""
    round: str
    claims: tuple[Claim, ...]
    control: str | None = None
    stratum: str
    """Style, label and split; the design spreads raters over it."""

    @property
    def text(self) -> str:
        """The rationale as the rater sees it, and as the box for corrections holds it at first."""
        return " ".join(claim_text(c) for c in self.claims)


def people_in(item: Item, cases: Mapping[str, Case]) -> str:
    """Whose timeline is shown: items of one person stand apart."""
    return cases[item.case].subject


def claim_text(c: Claim) -> str:
    """A claim with what it cites behind it: `A stroke at 66.4. [E003, E002]`."""
    return c.text + (f" [{', '.join(c.cites)}]" if c.cites else "")


def make(
    seed: int,
    rationale: Rationale,
    case: Case,
    round: str,
    claims: Sequence[Claim],
    control: str | None = None,
) -> Item:
    """One item; its id is a hash that tells a rater nothing."""
    content = [c.model_dump() for c in claims]
    key = digest([derive(seed, "annotate", "item"), rationale.id, case.id, case.timeline, round, content])
    return Item(
        id=f"item-{key}",
        rationale=rationale.id,
        case=case.id,
        round=round,
        claims=tuple(claims),
        control=control,
        stratum=stratum(rationale, case),
    )


def stratum(rationale: Rationale, case: Case) -> str:
    """`free/1/train`: style, label and split; `free/unknown/train` for a censored case."""
    return f"{rationale.style}/{'unknown' if case.label is None else case.label}/{case.split}"


def sample(
    rationales: Iterable[Rationale], cases: Mapping[str, Case], splits: Collection[str], n: int, seed: int
) -> list[Rationale]:
    """`n` rationales of some splits, as evenly over style, label and split as there are; all, where there are fewer.

    A larger `n` keeps those of a smaller one.
    """
    strata: dict[str, list[Rationale]] = defaultdict(list)
    for r in sorted(rationales, key=lambda r: r.id):
        if r.case in cases and cases[r.case].split in splits:
            strata[stratum(r, cases[r.case])].append(r)
    for name, members in strata.items():
        np.random.default_rng(derive(seed, "annotate", "sample", name)).shuffle(members)  # type: ignore[arg-type]
    return round_robin([strata[name] for name in sorted(strata)], n)


def round_robin(groups: Sequence[Sequence[Rationale]], n: int) -> list[Rationale]:
    """One of each group in turn until there are `n` or none is left."""
    longest = max((len(g) for g in groups), default=0)
    return [g[i] for i in range(longest) for g in groups if i < len(g)][:n]
