"""Which rationales are shown in which round, which are planted, and what of each is shown.

Work that was handed out stays: items of an earlier call keep their round, and more of them are added behind.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...cohort.records import Case
from ...study.errors import StudyError
from ...synth.records import Claim, Grounding, Rationale
from ..settings import Settings
from . import controls
from .controls import Faulty
from .items import Item, make, sample, stratum


@dataclass(frozen=True)
class Chosen:
    """The items of a study."""

    items: list[Item]
    faulty: Faulty
    """Which sentences of each are known to be wrong."""


@dataclass(frozen=True)
class Chooser:
    """What can be shown, and how much of it is asked for."""

    rationales: Sequence[Rationale]
    cases: Mapping[str, Case]
    groundings: Mapping[str, Grounding]
    settings: Settings
    seed: int

    def items(self, old: Collection[Item] = (), graded: Collection[str] = ()) -> Chosen:
        """The items of all rounds; none where nobody grades.

        Args:
            old: of an earlier call.
            graded: ids of items that somebody has graded; these stay even where fewer are asked for now.
        Raises:
            StudyError: more is asked for than there are rationales.
        """
        s = self.settings
        if s.raters == "none":
            return Chosen([], {})
        order = sample(self.rationales, self.cases, s.splits, len(self.rationales), self.seed)
        kept = self._kept(old)
        early = self._first(
            "calibration", s.rounds.calibration, order, kept, graded, used=_ids(kept, "main", "planted")
        )
        if len(early) < s.rounds.calibration:
            raise self._too_few("rounds.calibration", s.rounds.calibration, len(early))
        planted = self._planted(order, kept["planted"], used={r.id for r in early} | _ids(kept, "main"))
        used = {r.id for r in early} | {i.rationale for i in planted.items}
        main = self._first("main", s.items, order, kept, graded, used)
        shown = [
            self._make(r, round) for round, some in (("calibration", early), ("main", main)) for r in some
        ]
        faulty = {i.id: self._faulty(i) for i in shown}
        return Chosen([*shown, *planted.items], faulty | planted.faulty)

    @cached_property
    def _by_id(self) -> dict[str, Rationale]:
        return {r.id: r for r in self.rationales}

    def _kept(self, old: Iterable[Item]) -> dict[str, list[Item]]:
        """Items of an earlier call that would be made the same again, by round; planted ones apart."""
        out: dict[str, list[Item]] = {"calibration": [], "main": [], "planted": []}
        for item in old:
            r = self._by_id.get(item.rationale)
            if r is None or r.case not in self.cases:
                continue
            if item.control is not None:
                if controls.still_holds(item, self._shown(r), self.cases, self.seed, r):
                    out["planted"].append(item)
            elif item.round in out and self._make(r, item.round).id == item.id:
                out[item.round].append(item)
        return out

    def _first(
        self,
        round: str,
        n: int,
        order: Sequence[Rationale],
        kept: Mapping[str, Sequence[Item]],
        graded: Collection[str],
        used: Collection[str],
    ) -> list[Rationale]:
        """`n` rationales of a round: those that are graded, those that were handed out, then the next ones."""
        before = sorted(kept[round], key=lambda i: i.id not in graded)
        work = sum(i.id in graded for i in before)
        first = [self._by_id[i.rationale] for i in before[: max(n, work)]]
        taken = {r.id for r in first} | set(used)
        return first + [r for r in order if r.id not in taken][: max(n - len(first), 0)]

    def _planted(self, order: Sequence[Rationale], kept: Sequence[Item], used: Collection[str]) -> Chosen:
        """Planted items, of rationales that nobody is shown as they are: those of an earlier call, then new ones."""
        spare = self._unseen([r for r in order if r.id not in used])
        out: list[Item] = []
        faulty: Faulty = {}
        for name, make_some, n in controls.kinds(self.settings.controls):
            before = [i for i in kept if i.control == name and i.rationale not in used][:n]
            taken = {i.rationale for i in [*kept, *out]}
            some = [r for r in spare if r.id not in taken]
            planted = make_some(some, self.cases, n - len(before), self.seed, self._shown)
            if len(before) + len(planted.items) < n:
                raise self._too_few(f"controls.{name}", n, len(before) + len(planted.items))
            out += [*before, *planted.items]
            faulty |= planted.faulty | {i.id: controls.wrong_in(i, self._text_of(i)) for i in before}
        return Chosen(out, faulty)

    def _text_of(self, item: Item) -> Sequence[Claim]:
        """The sentences of an item's rationale, as raters would see them unplanted."""
        return self._shown(self._by_id[item.rationale])

    def _unseen(self, spare: Sequence[Rationale]) -> list[Rationale]:
        """Spare rationales: evenly over the strata from the end of the sample, which the main round reaches last.

        Those whose patient the main round will show come last.
        """
        met = {self.cases[r.case].subject for r in spare[: self.settings.items]}
        place: dict[str, int] = {}
        seen: Counter[str] = Counter()
        for r in reversed(spare):
            name = stratum(r, self.cases[r.case])
            place[r.id] = seen[name]
            seen[name] += 1
        return sorted(spare, key=lambda r: (self.cases[r.case].subject in met, place[r.id], r.id))

    def _too_few(self, key: str, wanted: int, available: int) -> StudyError:
        splits = ", ".join(self.settings.splits)
        return StudyError(
            f"annotate.{key}: {wanted}, but the rationales of {splits} allow only {available} besides the other "
            "items asked for. Ask for fewer of either, or name more splits."
        )

    def _make(self, r: Rationale, round: str) -> Item:
        return make(self.seed, r, self.cases[r.case], round, self._shown(r))

    def _shown(self, r: Rationale) -> Sequence[Claim]:
        """The sentences that raters see: without judgements and no more than so many, where the study says so."""
        view, checks = self.settings.shown, self.groundings.get(r.id)
        judgements = {c.claim for c in checks.checks if c.kind == "judgement"} if checks else set()
        keep = [n for n in range(len(r.claims)) if view.judgement or n not in judgements]
        return [r.claims[n] for n in (keep or range(len(r.claims)))[: view.sentences]]

    def left_out(self, r: Rationale) -> tuple[Claim, ...]:
        """The sentences that raters do not see; a correction leaves them as they are."""
        shown = set(self._shown(r))
        return tuple(c for c in r.claims if c not in shown)

    def _faulty(self, item: Item) -> frozenset[int]:
        """Sentences as shown that the grounding check found wrong."""
        checks = self.groundings.get(item.rationale)
        r = self._by_id[item.rationale]
        bad = {r.claims[c.claim] for c in checks.checks if c.verdict == "fault"} if checks else set()
        return frozenset(n for n, claim in enumerate(item.claims) if claim in bad)


def _ids(kept: Mapping[str, Sequence[Item]], *rounds: str) -> set[str]:
    return {i.rationale for round in rounds for i in kept[round]}
