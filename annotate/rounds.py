"""Calibration, main round, adjudication: which comes next, and what the stage makes of the grades so far."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..study.config import Study
from . import simulated
from .answers import Accepted, Answer, accept
from .label_studio.pull import FOLDER, collect, read
from .plan import Plan, adjudicate, prepare
from .records import Note, Rating, Verdict
from .settings import Settings, Simulated
from .verdicts import edits, rules

ROUNDS = ("calibration", "main", "assisted", "adjudication")


@dataclass(frozen=True)
class State:
    """The plan, and the grades that are in."""

    plan: Plan
    got: Accepted

    def counts(self, round: str) -> dict[str, tuple[int, int]]:
        """For every rater of a round: items done, and all."""
        out: dict[str, tuple[int, int]] = {}
        for t in self.plan.of_round(round):
            done, total = out.get(t.rater, (0, 0))
            out[t.rater] = (done + ((t.round, t.rater, t.item) in self.got.done), total + 1)
        return out

    def complete(self, round: str) -> bool:
        """Every task of the round is graded or skipped; true where the round has none."""
        return all(done == total for done, total in self.counts(round).values())

    @property
    def due(self) -> str | None:
        """The round to be graded now; None when everything is."""
        if not self.complete("calibration"):
            return "calibration"
        if not self.complete("main"):
            return "main"
        if not self.complete("assisted"):
            return "assisted"
        if self.to_adjudicate() or not self.complete("adjudication"):
            return "adjudication"
        return None

    def ratings(self, *, controls: bool = False) -> list[Rating]:
        """Without planted controls, or of these alone."""
        planted = {i.id for i in self.plan.items.values() if i.control}
        return [r for r in self.got.ratings if (r.item in planted) == controls]

    def notes(self) -> list[Note]:
        """What raters wrote about items that are no planted controls."""
        planted = {i.id for i in self.plan.items.values() if i.control}
        return [n for n in self.got.notes if n.item not in planted]

    def verdicts(self) -> list[Verdict]:
        """One for each rationale of the main round."""
        p = self.plan
        found = rules.verdicts(self.ratings(), p.to_judge(), p.rubric, p.settings.verdict, self.notes())
        claims = {i.rationale: i.claims for i in p.items.values() if i.round == "main" and not i.control}
        return [edits.read(v, claims[v.rationale], set(p.kinds.get(v.case, ()))) for v in found]

    def to_adjudicate(self) -> list[str]:
        """Rationales that need the adjudicator and have no task of theirs yet."""
        if not self.plan.settings.rounds.adjudicator:
            return []
        asked = {t.rationale for t in self.plan.of_round("adjudication")}
        return [
            v.rationale
            for v in self.verdicts()
            if v.state == "needs_adjudication" and v.rationale not in asked
        ]

    def with_adjudication(self) -> "State":
        """The same with a task for everything that is undecided."""
        return State(adjudicate(self.plan, self.to_adjudicate()), self.got)

    def earlier(self) -> dict[str, list[str]]:
        """For every item, one line for what each rater said, without names and in no telling order."""
        by: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for r in self.ratings():
            if r.round == "main":
                at = "" if r.claim is None else f" {r.claim + 1}"
                by[r.item][r.rater].append(f"{r.dimension}{at}: {r.value.replace('_', ' ')}")
        for n in self.notes():
            if n.round == "main":
                at = "" if n.claim is None else f" {n.claim + 1}"
                by[n.item][n.rater].append(f"{n.kind}{at}: {n.text}")
        out = {}
        for item, raters in by.items():
            lines = sorted("; ".join(answers) for answers in raters.values())
            out[item] = [f"Rater {chr(65 + n)}: {line}" for n, line in enumerate(lines)]
        return out


def people(study: Study, s: Settings, home: Path) -> State:
    """The state of a study that people grade: what was pulled or imported so far."""
    folder = home / "annotate"
    finished = frozenset(
        (round, rater, sent.item)
        for path in sorted((folder / FOLDER).glob("*.jsonl"))
        for round, _, rater in [path.stem.partition("-")]
        for sent in read(path)
    )
    plan = prepare(study, s, home, finished)
    return State(plan, collect(plan, folder))


def programs(study: Study, s: Settings, home: Path) -> State:
    """The state of a study that simulated raters have graded, all rounds."""
    state = State(prepare(study, s, home), Accepted())
    answers: list[Answer] = []
    for round in ROUNDS:
        if round == "adjudication":
            state = state.with_adjudication()
        answers += simulate(state.plan, round, s.simulated)
        p = state.plan
        state = State(p, accept(answers, p.tasks, p.items, p.rubric))
    return state


def simulate(plan: Plan, round: str, raters: Iterable[Simulated]) -> list[Answer]:
    """What simulated raters answer in one round."""
    tasks = plan.of_round(round)
    return [
        a
        for r in raters
        for a in simulated.answers(
            r, tasks, plan.items, plan.faulty, plan.rubric, plan.settings.spread, plan.seed
        )
    ]
