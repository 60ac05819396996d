"""What is to be graded and by whom, put together from the run folder. The same inputs give the same plan."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from ..cohort.records import Case, Evidence
from ..study import layout
from ..study.config import Study
from ..study.errors import DataError
from ..study.files import rows
from ..study.records import digest, from_frame, read_jsonl, read_table, write_jsonl, write_text
from ..synth.records import Claim, Grounding, Rationale
from . import rubric
from .design import choose, deal, items
from .design.items import Item
from .records import Rubric, Task
from .settings import Settings

Done = frozenset[tuple[str, str, str]]
"""(round, rater, item) that are graded."""


@dataclass(frozen=True)
class GradingPlan:
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
    left_out: Mapping[str, Sequence[Claim]] = field(default_factory=dict)
    """Sentences of a rationale that raters do not see, where there are some."""
    version: str = ""
    """Hash of the rubric and of what else the page asks or tells; every form carries it."""
    sentences: int = 0
    """Of the longest rationale that may ever be shown."""

    def of_round(self, name: str) -> list[Task]:
        """Tasks of one round, by rater and order."""
        return sorted((t for t in self.tasks if t.round == name), key=lambda t: (t.rater, t.order))

    def to_judge(self) -> list[tuple[str, str]]:
        """(rationale, case) that get a verdict: those of the main round, planted controls left out."""
        main = [i for i in self.items.values() if i.round == "main" and i.control is None]
        return [(i.rationale, i.case) for i in main]

    def lines(self, item: Item) -> Collection[str]:
        """Ids of the evidence that stands beside an item."""
        return self.kinds.get(item.case, {}).keys()


def version(study: Study, s: Settings) -> str:
    """Hash of the rubric and of what else the page asks or tells."""
    return digest([rubric.load(study, s.rubric).model_dump(mode="json"), s.question, s.show_label])


def prepare(study: Study, s: Settings, run_folder: Path, graded: Collection[str] = ()) -> GradingPlan:
    """What is to be graded; `dealt` then says by whom.

    Items of an earlier call are kept while their rationale and their timeline are what they were.

    Args:
        study: whose seed and name it is.
        s: the section.
        run_folder: `runs/<study>`.
        graded: ids of items that somebody has graded.

    Raises:
        StudyError: more is asked for than there are rationales.
        DataError: the earlier stages have not been run.
    """
    rationales, cases, kinds, groundings = _read(run_folder)
    old = rows(layout.ITEMS.at(run_folder), Item)
    chooser = choose.Chooser(rationales, cases, groundings, s, study.seed)
    chosen = chooser.items(old, graded)
    return GradingPlan(
        study=study.name,
        seed=study.seed,
        settings=s,
        rubric=rubric.load(study, s.rubric),
        items={i.id: i for i in chosen.items},
        tasks=(),
        cases=cases,
        kinds=kinds,
        faulty=chosen.faulty,
        texts={r.id: r.text for r in rationales},
        left_out={r.id: c for r in rationales if (c := chooser.left_out(r))},
        version=version(study, s),
        sentences=max((len(r.claims) for r in rationales), default=0),
    )


def dealt(plan: GradingPlan, old: Sequence[Task], done: Done = frozenset()) -> GradingPlan:
    """The plan with the tasks of every round; what is finished of an earlier deal stays with its rater.

    Args:
        plan: without tasks.
        old: tasks of an earlier call.
        done: what is graded.
    """
    s, seed = plan.settings, plan.seed
    everybody = s.design.model_copy(update={"kind": "complete"})
    early, shown, planted = (
        [i for i in plan.items.values() if i.round == round and (i.control is not None) == control]
        for round, control in (("calibration", False), ("main", False), ("main", True))
    )
    apart = deal.Apart({i.id: items.people_in(i, plan.cases) for i in plan.items.values()}, seed)
    tasks = deal.deal("calibration", early, s.names, everybody, apart, old, done)
    tasks += deal.deal("main", shown, s.names, s.design, apart, old, done, for_all=planted)
    if s.assisted or any(round == "assisted" for round, _, _ in done):
        tasks += deal.deal("assisted", shown, s.assisted, everybody, apart, old, done)
    tasks += _adjudication(plan, old, done)
    return replace(plan, tasks=tasks)


def _adjudication(plan: GradingPlan, old: Iterable[Task], done: Done) -> list[Task]:
    """What was given to an adjudicator: finished work stays, the rest goes to whoever adjudicates now."""
    who, out = plan.settings.rounds.adjudicator, []
    for t in old:
        if t.round != "adjudication" or t.item not in plan.items:
            continue
        if (t.round, t.rater, t.item) in done:
            out.append(t)
        elif who:
            out.append(t.model_copy(update={"rater": who}))
    return out


def save(plan: GradingPlan, folder: Path) -> None:
    """Write what was dealt out; the next call starts from it."""
    write_text(folder / layout.RUBRIC.name, plan.rubric.model_dump_json(indent=1))
    write_jsonl(folder / layout.ITEMS.name, plan.items.values())
    write_jsonl(folder / layout.TASKS.name, plan.tasks)


def adjudicate(plan: GradingPlan, undecided: Iterable[str]) -> GradingPlan:
    """The plan with a task for the adjudicator for every rationale in `undecided`."""
    who = plan.settings.rounds.adjudicator
    old = [t for t in plan.tasks if t.round == "adjudication"]
    open_ = set(undecided) - {t.rationale for t in old}
    chosen = [
        i for i in plan.items.values() if i.round == "main" and i.control is None and i.rationale in open_
    ]
    new = [
        Task(item=i.id, rater=who, rationale=i.rationale, case=i.case, round="adjudication", order=n)
        for n, i in enumerate(chosen, len(old))
    ]
    return replace(plan, tasks=[*plan.tasks, *new])


class _Read(NamedTuple):
    """What the earlier stages wrote."""

    rationales: list[Rationale]
    cases: dict[str, Case]
    kinds: dict[str, dict[str, str]]
    groundings: dict[str, Grounding]


def _read(run_folder: Path) -> _Read:
    for path in (layout.RATIONALES.at(run_folder), layout.GROUNDINGS.at(run_folder)):
        if not path.exists():
            raise DataError(f"{path}: not found. Run `wherefore synth` first.")
    rationales = list(read_jsonl(layout.RATIONALES.at(run_folder), Rationale))
    groundings = {g.rationale: g for g in read_jsonl(layout.GROUNDINGS.at(run_folder), Grounding)}
    frame = read_table(layout.CASES.at(run_folder), Case)
    needed = {r.case for r in rationales}
    cases = {c.id: c for c in from_frame(frame[frame["id"].isin(needed)], Case)}
    evidence = read_table(layout.EVIDENCE.at(run_folder), Evidence)
    kinds: dict[str, dict[str, str]] = {c: {} for c in needed}
    held = evidence[evidence["case"].isin(needed) & evidence["shown"]]
    for case, id, kind in zip(held["case"], held["id"], held["kind"], strict=True):
        kinds[case][id] = kind
    return _Read(rationales, cases, kinds, groundings)
