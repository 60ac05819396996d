"""What is to be graded and by whom, put together from the run folder. The same inputs give the same plan."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..cohort.records import Case, Evidence
from ..study import layout
from ..study.config import Study
from ..study.errors import DataError, StudyError
from ..study.files import rows
from ..study.records import from_frame, read_jsonl, read_table, write_jsonl, write_text
from ..synth.records import Grounding, Rationale
from . import rubric
from .design import controls, deal, items
from .design.items import Item
from .records import Rubric, Task
from .settings import Settings

Done = frozenset[tuple[str, str, str]]
"""(round, rater, item) that are graded."""


@dataclass(frozen=True)
class Plan:
    """Everything that grading needs, whoever grades."""

    study: str
    seed: int
    settings: Settings
    rubric: Rubric
    items: Mapping[str, Item]
    tasks: Sequence[Task]
    cases: Mapping[str, Case]
    kinds: Mapping[str, Mapping[str, str]]
    """Kind of each evidence id, by case."""
    faulty: Mapping[str, frozenset[int]]
    """Claims of each item that grounding or a planted control knows to be wrong."""
    texts: Mapping[str, str]
    """Each rationale as it would be taught."""

    def of_round(self, name: str) -> list[Task]:
        """Tasks of one round, by rater and order."""
        return sorted((t for t in self.tasks if t.round == name), key=lambda t: (t.rater, t.order))

    def to_judge(self) -> list[tuple[str, str]]:
        """(rationale, case) that get a verdict: those of the main round, planted controls left out."""
        main = [i for i in self.items.values() if i.round == "main" and i.control is None]
        return [(i.rationale, i.case) for i in main]


def prepare(study: Study, s: Settings, home: Path, done: Done = frozenset()) -> Plan:
    """The plan; what an earlier call dealt out is kept where it is finished.

    Raises:
        StudyError: more is asked for than there are rationales.
        DataError: the earlier stages have not been run.
    """
    rationales, cases, kinds, bad = _read(home)
    n = 0 if s.raters == "none" else s.items
    order = items.sample(rationales, cases, s.splits, n + s.rounds.calibration if n else 0, study.seed)
    main, first = order[:n], order[n:]
    if n and len(first) < s.rounds.calibration:
        raise StudyError(
            f"annotate.rounds.calibration: {s.rounds.calibration}, but {len(order)} rationales of "
            f"{', '.join(s.splits)} leave {len(first)} beside {len(main)} items. Ask for fewer of either."
        )
    shown = [items.make(study.seed, r, cases[r.case], "main", r.claims) for r in main]
    early = [items.make(study.seed, r, cases[r.case], "calibration", r.claims) for r in first]
    faulty = {i.id: bad.get(i.rationale, frozenset()) for i in shown + early}
    planted = _controls(main, cases, s, study.seed, faulty)
    old = _dealt(home / "annotate")
    tasks = deal.deal(early, s.names, s.design.model_copy(update={"kind": "complete"}), study.seed, old, done)
    tasks += deal.deal(shown, s.names, s.design, study.seed, old, done, for_all=planted)
    tasks += [
        t.model_copy(update={"round": "assisted"}) for t in deal.everything(shown, s.assisted, study.seed)
    ]
    tasks += [t for t in old if t.round == "adjudication"]
    return Plan(
        study=study.name,
        seed=study.seed,
        settings=s,
        rubric=rubric.load(study, s.rubric),
        items={i.id: i for i in [*early, *shown, *planted]},
        tasks=tasks,
        cases=cases,
        kinds=kinds,
        faulty=faulty,
        texts={r.id: r.text for r in rationales},
    )


def save(plan: Plan, folder: Path) -> None:
    """Write what was dealt out; `prepare` starts from it the next time."""
    write_text(folder / layout.RUBRIC.name, plan.rubric.model_dump_json(indent=1))
    write_jsonl(folder / layout.ITEMS.name, plan.items.values())
    write_jsonl(folder / layout.TASKS.name, plan.tasks)


def adjudicate(plan: Plan, undecided: Iterable[str]) -> Plan:
    """The plan with a task for the adjudicator for every rationale in `undecided`."""
    who = plan.settings.rounds.adjudicator
    open_ = set(undecided)
    old = [t for t in plan.tasks if t.round == "adjudication"]
    chosen = [
        i for i in plan.items.values()
        if i.round == "main" and i.control is None and i.rationale in open_ - {t.rationale for t in old}
    ]  # fmt: skip
    new = [
        Task(
            item=i.id, rater=who, rationale=i.rationale, case=i.case, round="adjudication", order=len(old) + k
        )
        for k, i in enumerate(chosen)
    ]
    return replace(plan, tasks=[*plan.tasks, *new])


def _dealt(folder: Path) -> list[Task]:
    path = folder / layout.TASKS.name
    return rows(path, Task)


def _read(home: Path) -> tuple[list[Rationale], dict[str, Case], dict[str, dict[str, str]], controls.Faulty]:
    for path in (layout.RATIONALES.at(home), layout.GROUNDINGS.at(home)):
        if not path.exists():
            raise DataError(f"{path}: not there. Run `wherefore synth` first.")
    rationales = list(read_jsonl(layout.RATIONALES.at(home), Rationale))
    bad = {
        g.rationale: frozenset(c.claim for c in g.checks if c.verdict == "fault")
        for g in read_jsonl(layout.GROUNDINGS.at(home), Grounding)
    }
    frame = read_table(layout.CASES.at(home), Case)
    needed = {r.case for r in rationales}
    cases = {c.id: c for c in from_frame(frame[frame["id"].isin(needed)], Case)}
    evidence = read_table(layout.EVIDENCE.at(home), Evidence)
    kinds: dict[str, dict[str, str]] = {c: {} for c in needed}
    held = evidence[evidence["case"].isin(needed) & evidence["shown"]]
    for case, id, kind in zip(held["case"], held["id"], held["kind"], strict=True):
        kinds[case][id] = kind
    return rationales, cases, kinds, bad


def _controls(
    main: Sequence[Rationale], cases: Mapping[str, Case], s: Settings, seed: int, faulty: controls.Faulty
) -> list[Item]:
    """Planted items, made of rationales that are graded as they are too; their faults go into `faulty`."""
    out: list[Item] = []
    makers: list[tuple[Callable[..., tuple[list[Item], controls.Faulty]], int]] = [
        (controls.other_patient, s.controls.other_patient),
        (controls.wrong_value, s.controls.wrong_value),
    ]
    used = 0
    for make, n in makers:
        made, wrong = make(main[used:], cases, n, seed)
        if len(made) < n:
            raise StudyError(
                f"annotate.controls.{make.__name__}: {n}, but only {len(made)} can be made of the items left."
            )
        used += n
        out += made
        faulty.update(wrong)
    return out
