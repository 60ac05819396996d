"""Push and pull of 5,000 tasks and 15,000 grades against the server's own calls that move the same.

    python benchmarks/annotate.py          six minutes; starts a Label Studio

Peers, on the same warm server, in turn with ours, three times, medians: `POST /api/projects/{id}/import` with all
tasks in one body, and `GET /api/projects/{id}/export`. The grades lie twice on the server: 5,000 tasks with three
grades each in one project, and as this program lays them out, one project a rater.
"""

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from wherefore.annotate import rubric, simulated
from wherefore.annotate.design.deal import everything
from wherefore.annotate.design.items import Item
from wherefore.annotate.label_studio import forms, page, push, server
from wherefore.annotate.label_studio.client import Server
from wherefore.annotate.label_studio.pull import collect, pull, sent_forms
from wherefore.annotate.plan import GradingPlan
from wherefore.annotate.settings import Settings, SimulatedRater
from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.records import digest, write_jsonl
from wherefore.synth.records import Claim

N = 5000
ROUNDS = 3
PEOPLE = ("ann", "ben", "carla")
JSON = {"Content-Type": "application/json"}

Row = tuple[str, float, float, float]
"""What, ours in seconds, the peer or limit in seconds, the greatest ratio allowed."""


def plan() -> GradingPlan:
    """5,000 rationales of seven sentences, two a case, beside 25 lines of history; three raters each."""
    lines = "\n".join(
        f"[E{i:03d}] age {50 + i}.0 ({30 - i}.0 y before): Type 2 diabetes mellitus" for i in range(1, 26)
    )
    cases = {
        f"c{n}": Case(
            id=f"c{n}",
            subject=f"p{n}",
            split="train",
            age=80,
            sex="female",
            day=29000,
            label=1,
            outcome="onset",
            followup_years=5,
            weight=1,
            timeline=f"Person {n}.\n{lines}",
            n_shown=25,
            n_total=25,
        )
        for n in range(N // 2)
    }
    items = {}
    for n in range(N):
        claims = tuple(
            Claim(
                text=f"Sentence {k} of rationale {n} says that diabetes since age {50 + k} adds vascular risk.",
                cites=(f"E{k + 1:03d}",),
            )
            for k in range(7)
        )
        items[f"item-{n}"] = Item(
            id=f"item-{n}", rationale=f"r{n}", case=f"c{n // 2}", round="main", claims=claims, stratum="x"
        )
    return GradingPlan(
        study="bench",
        seed=1,
        settings=Settings.model_validate({"raters": "label_studio", "people": PEOPLE}),
        rubric=rubric.load(Study(name="bench", cohort={}), "clinical"),
        items=items,
        tasks=everything(list(items.values()), PEOPLE, 1),
        cases=cases,
        kinds={},
        faulty={},
        texts={},
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
    """A running server with the grades on it."""

    def __init__(self, folder: Path, state: server.State) -> None:
        self.folder, self.plan = folder, plan()
        for rater in PEOPLE:
            server.account(folder / "label_studio", state, f"{rater}@raters.example.com")
        self.ls = Server(state.url, state.token)
        self.mine = [t for t in self.plan.of_round("main") if t.rater == PEOPLE[0]]
        self.config = push.config(self.plan, self.mine)
        self.tasks = [push.task_data(self.plan, t, push.BLIND) for t in self.mine]
        self.grades = {rater: self._grades(rater) for rater in PEOPLE}

    def _grades(self, rater: str) -> dict[str, dict[str, Any]]:
        """A rater's finished forms by item, as the server imports them."""
        account = next(i for i, e in self.ls.accounts().items() if e == f"{rater}@raters.example.com")
        who = SimulatedRater(name="simulated_x").model_copy(update={"name": rater})
        tasks = [t for t in self.plan.tasks if t.rater == rater]
        given = simulated.answers(who, tasks, self.plan.items, {}, self.plan.rubric, 0.0, 1)
        return {
            a.item: {
                "completed_by": account,
                "result": forms.write(a, 7),
                "ground_truth": False,
                "lead_time": a.seconds,
            }
            for a in given
        }

    def load(self, title: str, mark: str, raters: Sequence[str]) -> int:
        """A project with all tasks and these raters' grades; its number."""
        project = self.ls.create(title, mark, self.config, "").id
        for start in range(0, N, 1000):
            part = [
                {**t, "annotations": [self.grades[r][t["data"]["item"]] for r in raters]}
                for t in self.tasks[start : start + 1000]
            ]
            self.post(project, orjson.dumps(part))
        return project

    def post(self, project: int, body: bytes) -> None:
        self.ls.call("POST", f"/api/projects/{project}/import", content=body, headers=JSON)

    def raw_export(self, *projects: int) -> None:
        for project in projects:
            self.ls.call("GET", f"/api/projects/{project}/export?exportType=JSON")

    def pushes(self, rounds: int) -> Row:
        """5,000 tasks to one rater, and all of them in one raw call."""
        whole, turn = orjson.dumps(self.tasks), iter(range(100))

        def ours() -> None:
            page._timeline.cache_clear()  # every push of a study starts without
            one = GradingPlan(**{**self.plan.__dict__, "study": f"push{next(turn)}", "tasks": self.mine})
            push.push(one, self.ls, self.folder / one.study, "main")

        def peer() -> None:
            self.post(self.ls.create("raw import", "", self.config, "").id, whole)

        return ("push of 5,000 tasks, against one raw import call", *in_turn(ours, peer, rounds), 2.0)

    def one_project(self, rounds: int) -> Row:
        """5,000 tasks with three grades each: read, made forms, written; against the export call alone."""
        project, emails = self.load("one project", "", PEOPLE), self.ls.accounts()

        def ours() -> None:
            read = [s for t in self.ls.graded(project) for s in sent_forms(t, emails)]
            assert len(read) == 3 * N
            write_jsonl(self.folder / "one.jsonl", read)

        name = "full read of 5,000 x 3 grades in one project, against one raw export"
        return (name, *in_turn(ours, lambda: self.raw_export(project), rounds), 1.3)

    def a_project_each(self, rounds: int) -> list[Row]:
        """The same grades as this program lays them out: a full pull, and pulls with no change."""
        folder = self.folder / "pull"
        for rater in PEOPLE:
            title, mark = push.title(self.plan, "main", rater), push.mark(self.plan, "main", rater)
            place = push.RaterProject(
                round="main", rater=rater, project=self.load(title, mark, [rater]), config=digest(self.config)
            )
            push.save(folder, push.ledger(folder).model_copy(update={"url": self.ls.url}).with_place(place))
        projects = [place.project for place in push.ledger(folder).places]
        full = in_turn(
            lambda: pull(self.plan, self.ls, folder, full=True), lambda: self.raw_export(*projects), rounds
        )
        time.sleep(6)  # past the overlap of two pulls
        pull(self.plan, self.ls, folder)
        none, _ = in_turn(lambda: pull(self.plan, self.ls, folder), lambda: None, 5)
        collected = len(collect(self.plan, folder).done)
        assert collected == 3 * N, f"{collected} of {3 * N} grades came through"
        return [
            ("full pull of 3 projects x 5,000 grades, against three raw exports", *full, 1.3),
            ("pull with no change, against a limit of 1 s", none, 1.0, 1.0),
        ]


def main() -> int:
    """Print a row a figure; 1 where one falls short."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as tmp, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        with server.serving(Path(tmp) / "label_studio", port) as state:
            bench = Bench(Path(tmp), state)
            rows = [bench.pushes(rounds), bench.one_project(rounds), *bench.a_project_each(rounds)]
            bench.ls.close()
    print(f"{'seconds, medians of ' + str(rounds):<72}{'ours':>8}{'peer':>8}{'ratio':>7}{'goal':>6}")
    for name, ours, peer, goal in rows:
        verdict = "ok" if ours / peer <= goal else "short"
        print(f"{name:<72}{ours:>8.2f}{peer:>8.2f}{ours / peer:>7.2f}{goal:>6.2f}  {verdict}")
    print(
        f"a project a rater against one raw export of all in one project: {rows[2][1] / rows[1][2]:.2f} (no goal)"
    )
    return int(any(ours / peer > goal for _, ours, peer, goal in rows))


if __name__ == "__main__":
    sys.exit(main())
