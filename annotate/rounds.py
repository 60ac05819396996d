"""Calibration, main round, adjudication: which comes next, and what the stage makes of the grades so far."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..study import layout
from ..study.config import Study
from ..study.files import rows
from . import simulated
from .answers import accept
from .collect import Collected, collect
from .graded import Accepted, GradedForm
from .plan import Done, GradingPlan, adjudicate, dealt, prepare, version
from .records import Note, Rating, Task, Verdict
from .settings import Settings, SimulatedRater
from .verdicts import edits, rules
from .verdicts.disagreement import Disagreement, disagreement

ROUNDS = ("calibration", "main", "assisted", "adjudication")


@dataclass(frozen=True)
class GradingState:
    """The plan, and the grades that are in."""

    plan: GradingPlan
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
        """What raters wrote about items that are not planted controls."""
        planted = {i.id for i in self.plan.items.values() if i.control}
        return [n for n in self.got.notes if n.item not in planted]

    def verdicts(self) -> list[Verdict]:
        """One for each rationale of the main round."""
        p = self.plan
        verdicts = rules.verdicts(self.ratings(), p.to_judge(), p.rubric, p.settings.verdict, self.notes())
        claims = {i.rationale: i.claims for i in p.items.values() if i.round == "main" and not i.control}
        return [
            edits.read(v, claims[v.rationale], set(p.kinds.get(v.case, ())), p.left_out.get(v.rationale, ()))
            for v in verdicts
        ]

    def to_adjudicate(self) -> list[str]:
        """Rationales that need the adjudicator and have no task of theirs yet."""
        if not self.plan.settings.rounds.adjudicator:
            return []
        assigned = {t.rationale for t in self.plan.of_round("adjudication")}
        return [
            v.rationale
            for v in self.verdicts()
            if v.state == "needs_adjudication" and v.rationale not in assigned
        ]

    def with_adjudication(self) -> "GradingState":
        """The same with a task for everything that is undecided."""
        return GradingState(adjudicate(self.plan, self.to_adjudicate()), self.got)

    def disagreements(self) -> dict[str, Disagreement]:
        """What the adjudicator sees of every item: why it is open, and what raters said, without names."""
        ratings: dict[str, list[Rating]] = defaultdict(list)
        for r in self.ratings():
            if r.round == "main":
                ratings[r.item].append(r)
        notes = [n for n in self.notes() if n.round == "main"]
        why = {v.rationale: v.why for v in self.verdicts()}
        out = {}
        for t in self.plan.of_round("adjudication"):
            about = [n for n in notes if n.item == t.item]
            text = self.plan.items[t.item].text
            out[t.item] = disagreement(why[t.rationale], ratings[t.item], about, self.plan.rubric, text)
        return out


def people(study: Study, s: Settings, run_folder: Path) -> GradingState:
    """The state of a study that people grade: what was pulled or imported so far."""
    folder = run_folder / "annotate"
    sent = collect(folder, s.people, version(study, s))
    plan = prepare(study, s, run_folder, {f.item for f in sent.forms})
    old = rows(folder / layout.TASKS.name, Task)
    return _state(dealt(plan, old, _done(plan, sent, old)), sent)


def _done(plan: GradingPlan, sent: Collected, old: Iterable[Task]) -> Done:
    """What is graded, whoever it was dealt to: a rater who left or was dealt other work since has done it."""
    tasks = {(t.round, t.rater, t.item): t for t in old}
    for f in sent.forms:
        item = plan.items.get(f.item)
        in_round = item is not None and (
            f.round == item.round or (f.round, item.round) == ("assisted", "main")
        )
        if item is not None and in_round:
            tasks[f.round, f.rater, f.item] = Task(
                item=item.id, rater=f.rater, rationale=item.rationale, case=item.case, round=f.round, order=0
            )
    return accept(sent.forms, tasks.values(), plan.items, plan.rubric, plan.lines).done


def _state(plan: GradingPlan, sent: Collected) -> GradingState:
    got = accept(sent.forms, plan.tasks, plan.items, plan.rubric, plan.lines)
    return GradingState(plan, got.model_copy(update={"faults": (*sent.faults, *got.faults)}))


def programs(study: Study, s: Settings, run_folder: Path) -> GradingState:
    """The state of a study that simulated raters have graded, all rounds."""
    state = GradingState(dealt(prepare(study, s, run_folder), ()), Accepted())
    forms: list[GradedForm] = []
    for round in ROUNDS:
        if round == "adjudication":
            state = state.with_adjudication()
        forms += simulate(state.plan, round, s.simulated)
        p = state.plan
        state = GradingState(p, accept(forms, p.tasks, p.items, p.rubric, p.lines))
    return state


def simulate(plan: GradingPlan, round: str, raters: Iterable[SimulatedRater]) -> list[GradedForm]:
    """What simulated raters answer in one round."""
    tasks = plan.of_round(round)
    return [
        a
        for r in raters
        for a in simulated.answers(
            r, tasks, plan.items, plan.faulty, plan.rubric, plan.settings.spread, plan.seed
        )
    ]
