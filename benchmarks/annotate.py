"""Push and pull of 5,000 tasks and 15,000 grades against the server's own calls that move the same.

    python benchmarks/annotate.py                  about ten minutes; starts a Label Studio of its own
    python benchmarks/annotate.py --tasks 200      whether it runs; the goals are meant for 5,000

Peers, on the same warm server, in turn with ours, three times, medians: `POST /api/projects/{id}/import` with all
tasks in one body, and `GET /api/projects/{id}/export`. The grades lie twice on the server: all tasks with three
grades each in one project, and as this program lays them out, one project a rater.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson

from wherefore.annotate import rubric, simulated
from wherefore.annotate.answers import accept
from wherefore.annotate.collect import collect
from wherefore.annotate.design.items import Item
from wherefore.annotate.label_studio import forms, ledger, page, push, server
from wherefore.annotate.label_studio.client import OVERLAP, Project, Server
from wherefore.annotate.label_studio.exported import forms_of
from wherefore.annotate.label_studio.pull import pull
from wherefore.annotate.plan import GradingPlan, dealt, version
from wherefore.annotate.settings import Settings, SimulatedRater
from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.records import digest, write_jsonl
from wherefore.synth.records import Claim

PEOPLE = ("ann", "ben", "carla")
SENTENCES = 7
LINES = 25
JSON = {"Content-Type": "application/json"}


class Row(NamedTuple):
    """One figure."""

    name: str
    ours: float
    """Seconds."""
    peer: float
    """Seconds, of the peer or of a limit."""
    goal: float
    """The greatest ratio allowed."""

    @property
    def ok(self) -> bool:
        """Whether the goal is met."""
        return self.ours / self.peer <= self.goal

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "short"
        ratio = self.ours / self.peer
        return f"{self.name:<72}{self.ours:>8.2f}{self.peer:>8.2f}{ratio:>7.2f}{self.goal:>6.2f}  {verdict}"


def plan(n_tasks: int) -> GradingPlan:
    """Rationales of seven sentences, two a case, beside 25 lines of history; three raters each."""
    study = Study(name="bench", cohort={})
    settings = Settings.model_validate({"raters": "label_studio", "people": PEOPLE, "items": n_tasks})
    items = [item(n) for n in range(n_tasks)]
    cases = {i.case: case(i.case) for i in items}
    evidence = {f"E{i:03d}": "diagnosis" for i in range(1, LINES + 1)}
    undealt = GradingPlan(
        study=study.name,
        seed=1,
        settings=settings,
        rubric=rubric.load(study, settings.rubric),
        items={i.id: i for i in items},
        tasks=(),
        cases=cases,
        kinds=dict.fromkeys(cases, evidence),
        faulty={},
        texts={i.rationale: i.text for i in items},
        version=version(study, settings),
        sentences=SENTENCES,
    )
    return dealt(undealt, ())


def case(id: str) -> Case:
    """A case with 25 lines of history."""
    lines = "\n".join(
        f"[E{i:03d}] age {50 + i}.0 ({30 - i}.0 y before): Type 2 diabetes mellitus"
        for i in range(1, LINES + 1)
    )
    return Case(
        id=id,
        subject=f"person {id}",
        split="train",
        age=80,
        sex="female",
        day=29000,
        label=1,
        outcome="onset",
        followup_years=5,
        weight=1,
        timeline=f"Case {id}.\n{lines}",
        n_shown=LINES,
        n_total=LINES,
    )


def item(n: int) -> Item:
    """A rationale of seven sentences, each of which cites a line."""
    claims = tuple(
        Claim(
            text=f"Sentence {k} of rationale {n} says that diabetes since age {50 + k} adds vascular risk.",
            cites=(f"E{k + 1:03d}",),
        )
        for k in range(SENTENCES)
    )
    return Item(
        id=f"item-{n}", rationale=f"r{n}", case=f"c{n // 2}", round="main", claims=claims, stratum="x"
    )


def in_turn(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of each, measured one after the other."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for into, work in zip(seconds, (ours, peer), strict=True):
            start = time.perf_counter()
            work()
            into.append(time.perf_counter() - start)
    return median(seconds[0]), median(seconds[1])


class Bench:
    """A running server with an account a rater, and the grades that are to lie on it."""

    def __init__(self, folder: Path, own: server.OwnServer, n_tasks: int, rounds: int) -> None:
        self.folder, self.n, self.rounds = folder, n_tasks, rounds
        self.plan = plan(n_tasks)
        for person in self.plan.settings.people:
            server.account(folder / "label_studio", own, person.account)
        self.ls = Server(own.url, own.token)
        self.config = push.config(self.plan)
        self.of_one = [t for t in self.plan.of_round("main") if t.rater == PEOPLE[0]]
        self.tasks = [
            push.task_data(self.plan, t, push.BLIND, f"{place} of {n_tasks}")
            for place, t in enumerate(self.of_one, start=1)
        ]
        numbers = {email: id for id, email in self.ls.accounts().items()}
        self.grades = {p.name: self._grades(p.name, numbers[p.account]) for p in self.plan.settings.people}

    def _grades(self, rater: str, account: int) -> dict[str, dict[str, Any]]:
        """A rater's finished forms by item, as the server imports them."""
        program = SimulatedRater(name="simulated_x").model_copy(update={"name": rater})
        p = self.plan
        given = simulated.answers(program, p.of_round("main"), p.items, p.faulty, p.rubric, 0.0, p.seed)
        return {
            a.item: {
                "completed_by": account,
                "result": forms.write(a),
                "ground_truth": False,
                "lead_time": a.seconds,
            }
            for a in given
        }

    def rows(self) -> Iterator[Row]:
        """One figure after the other, as each is measured."""
        yield self.pushes()
        yield self.one_project()
        yield from self.a_project_each()

    def load(self, title: str, description: str, raters: Sequence[str]) -> Project:
        """A project with all tasks and these raters' grades."""
        project = self.ls.create(title, description, self.config, "")
        for start in range(0, self.n, push.BATCH):
            part = [
                {**t, "annotations": [self.grades[r][t["data"]["item"]] for r in raters]}
                for t in self.tasks[start : start + push.BATCH]
            ]
            self.post(project.id, orjson.dumps(part))
        return project

    def post(self, project: int, body: bytes) -> None:
        self.ls.call("POST", f"/api/projects/{project}/import", content=body, headers=JSON)

    def raw_export(self, *projects: int) -> None:
        for project in projects:
            self.ls.call("GET", f"/api/projects/{project}/export?exportType=JSON")

    def pushes(self) -> Row:
        """All tasks of one rater, and all of them in one raw call."""
        whole, pushes = orjson.dumps(self.tasks), iter(range(self.rounds))
        one_rater = replace(self.plan, tasks=self.of_one)

        def ours() -> None:
            page._timeline.cache_clear()  # every push of a study starts without
            (pushed,) = push.push(one_rater, self.ls, self.folder / f"push{next(pushes)}", "main")
            assert (pushed.created, pushed.added) == (True, self.n), pushed

        def peer() -> None:
            self.post(self.ls.create("raw import", "", self.config, "").id, whole)

        name = f"push of {self.n:,} tasks, against one raw import call"
        return Row(name, *in_turn(ours, peer, self.rounds), 2.0)

    def one_project(self) -> Row:
        """Three grades a task in one project: read, made forms, written; against the export call alone."""
        project, emails = self.load("one project", "", PEOPLE), self.ls.accounts()

        def ours() -> None:
            read = [f for t in self.ls.graded(project.id) for f in forms_of(t, project.origin, emails)]
            assert len(read) == 3 * self.n, f"{len(read)} of {3 * self.n} forms were read"
            write_jsonl(self.folder / "one.jsonl", read)

        name = f"full read of {self.n:,} x 3 grades in one project, against one raw export"
        return Row(name, *in_turn(ours, lambda: self.raw_export(project.id), self.rounds), 1.3)

    def a_project_each(self) -> Iterator[Row]:
        """The same grades as this program lays them out: a full pull, and pulls with no change."""
        folder = self.folder / "pull"
        pushed = ledger.read(folder).model_copy(update={"url": self.ls.url})
        for rater in PEOPLE:
            mark = push.mark(pushed.run, self.plan, "main", rater)
            project = self.load(push.title(self.plan, "main", rater), mark, [rater])
            place = ledger.RaterProject(
                round="main",
                rater=rater,
                version=self.plan.version,
                project=project.id,
                origin=project.origin,
                config=digest(self.config),
                sentences=self.plan.sentences,
                tasks=self.n,
            )
            pushed = pushed.with_place(place)
        ledger.save(folder, pushed)
        projects = [place.project for place in pushed.places]
        full = in_turn(
            lambda: pull(self.plan, self.ls, folder, full=True),
            lambda: self.raw_export(*projects),
            self.rounds,
        )
        name = f"full pull of 3 projects x {self.n:,} grades, against three raw exports"
        yield Row(name, *full, 1.3)
        self._all_count(folder)
        time.sleep(OVERLAP + 1)  # two pulls overlap by so many seconds
        pull(self.plan, self.ls, folder)

        def again() -> None:
            changed = [p.changed for p in pull(self.plan, self.ls, folder)]
            assert changed == [0, 0, 0], f"tasks read though nothing changed: {changed}"

        none, _ = in_turn(again, lambda: None, 5)
        self._all_count(folder)
        yield Row("pull with no change, against a limit of 1 s", none, 1.0, 1.0)

    def _all_count(self, folder: Path) -> None:
        """Stop where a grade did not come through as one that counts."""
        p = self.plan
        sent = collect(folder, p.settings.people, p.version)
        counted = len(accept(sent.forms, p.tasks, p.items, p.rubric, p.lines).done)
        assert counted == 3 * self.n, f"{counted} of {3 * self.n} grades count; {sent.faults[:1]}"


def main() -> int:
    """Print a row a figure; 1 where one falls short."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=5000, help="rationales, three grades each")
    parser.add_argument("--rounds", type=int, default=3, help="times that ours and the peer take turns")
    options = parser.parse_args()
    if options.tasks < 1 or options.rounds < 1:
        parser.error("--tasks and --rounds: at least 1")
    rows = []
    with (
        tempfile.TemporaryDirectory() as tmp,
        server.serving(Path(tmp) / "label_studio", server.free_port()) as own,
    ):
        bench = Bench(Path(tmp), own, options.tasks, options.rounds)
        heading = f"seconds, medians of {options.rounds}"
        print(f"{heading:<72}{'ours':>8}{'peer':>8}{'ratio':>7}{'goal':>6}", flush=True)
        for row in bench.rows():
            print(row, flush=True)
            rows.append(row)
        bench.ls.close()
    _, shared, apart, _ = rows
    print(
        f"one raw export of all grades in one project, against our pull of three: {shared.peer / apart.ours:.2f}"
    )
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(not all(row.ok for row in rows))


if __name__ == "__main__":
    sys.exit(main())
