"""Push and pull of 5,000 tasks and 15,000 grades against one raw call that moves the same bytes.

    python benchmarks/annotate.py          some minutes; starts a Label Studio

The peer is the same server's own call in the same run: `POST /api/projects/{id}/import` with all tasks in one body,
and `GET /api/projects/{id}/export` for each of the three raters' projects.
"""

import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from wherefore.annotate import page, push, rubric, server, simulated
from wherefore.annotate.design import everything
from wherefore.annotate.items import Item
from wherefore.annotate.label_studio import Server
from wherefore.annotate.plan import Plan
from wherefore.annotate.pull import collect, pull
from wherefore.annotate.settings import Settings, Simulated
from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.records import digest
from wherefore.synth.records import Claim

N = 5000
PEOPLE = ("ann", "ben", "carla")


def plan() -> Plan:
    """5,000 rationales of seven sentences, two a case, beside 25 lines of history; three raters each."""
    lines = "\n".join(
        f"[E{i:03d}] age {50 + i}.0 ({30 - i}.0 y before): Type 2 diabetes mellitus" for i in range(1, 26)
    )
    cases = {
        f"c{n}": Case(
            id=f"c{n}", subject=f"p{n}", split="train", age=80, sex="female", day=29000, label=1, outcome="onset",
            followup_years=5, weight=1, timeline=f"Person {n}.\n{lines}", n_shown=25, n_total=25,
        )
        for n in range(N // 2)
    }  # fmt: skip
    items = {}
    for n in range(N):
        claims = tuple(
            Claim(text=f"Sentence {k} of rationale {n} says that diabetes since age {50 + k} adds vascular risk.",
                  cites=(f"E{k + 1:03d}",)) for k in range(7)
        )  # fmt: skip
        items[f"item-{n}"] = Item(
            id=f"item-{n}", rationale=f"r{n}", case=f"c{n // 2}", round="main", claims=claims, stratum="x"
        )
    return Plan(
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


def timed(work: Callable[[], object]) -> float:
    """Seconds on the wall."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def graded(
    ls: Server, state: server.State, folder: Path, p: Plan, rater: str, tasks: list[dict[str, object]]
) -> None:
    """Put a rater's project with finished grades on the server, as if she had worked there."""
    mine = p.of_round("main")
    mine = [t for t in mine if t.rater == rater]
    rows = simulated.answers(
        Simulated(name="simulated_x").model_copy(update={"name": rater}), mine, p.items, {}, p.rubric, 0.0, 1
    )
    forms = {a.item: (page.form(a, 7), a.seconds) for a in rows}
    account = next(i for i, e in ls.accounts().items() if e == f"{rater}@raters.example.com")
    xml = push.config(p, mine)
    made = ls.create(push.title(p, "main", rater), push.mark(p, "main", rater), xml, "")
    body = [
        {**t, "annotations": [{"completed_by": account, "result": forms[t["data"]["item"]][0], "ground_truth": False,  # type: ignore[index]
                               "lead_time": forms[t["data"]["item"]][1]}]}  # type: ignore[index]
        for t in tasks
    ]  # fmt: skip
    for start in range(0, N, 1000):
        ls.call("POST", f"/api/projects/{made.id}/import", content=orjson.dumps(body[start : start + 1000]),
                headers={"Content-Type": "application/json"})  # fmt: skip
    led = push.ledger(folder).model_copy(update={"url": ls.url})
    push.save(
        folder, led.with_place(push.Place(round="main", rater=rater, project=made.id, config=digest(xml)))
    )


def main() -> int:
    """Print a row a figure; 1 where one falls short."""
    rows: list[tuple[str, float, float, float]] = []
    p = plan()
    with tempfile.TemporaryDirectory() as tmp, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        with server.serving(Path(tmp) / "label_studio", port) as state:
            for rater in PEOPLE:
                server.account(Path(tmp) / "label_studio", state, f"{rater}@raters.example.com")
            ls = Server(state.url, state.token)
            one = Plan(**{**p.__dict__, "study": "push", "tasks": [t for t in p.tasks if t.rater == "ann"]})
            bodies = [push.task_data(one, t, push.BLIND) for t in one.of_round("main")]
            raw = ls.create("raw import", "", push.config(one, one.of_round("main")), "")
            whole = orjson.dumps(bodies)
            peer = timed(lambda: ls.call("POST", f"/api/projects/{raw.id}/import", content=whole,
                                         headers={"Content-Type": "application/json"}))  # fmt: skip
            ours = timed(lambda: push.push(one, ls, Path(tmp) / "push", "main"))
            again = timed(lambda: push.push(one, ls, Path(tmp) / "push", "main"))
            rows.append(("push of 5,000 tasks, s, against one raw import call", ours, peer, 2.0))
            folder = Path(tmp) / "pull"
            for rater in PEOPLE:
                graded(ls, state, folder, p, rater, bodies)
            ids = [place.project for place in push.ledger(folder).places]
            peer = timed(lambda: [ls.call("GET", f"/api/projects/{i}/export?exportType=JSON") for i in ids])
            ours = timed(lambda: pull(p, ls, folder))
            rows.append(("full pull of 3 x 5,000 grades, s, against raw exports", ours, peer, 1.3))
            time.sleep(6)
            pull(p, ls, folder)
            ours = timed(lambda: pull(p, ls, folder))
            rows.append(("pull with no change, s, limit 1 s", ours, 1.0, 1.0))
            found = len(collect(p, folder).done)
            assert found == 3 * N, f"{found} of {3 * N} grades came through"
            ls.close()
    print(f"a second push of the same: {again:.2f} s")
    print(f"{'figure':<56}{'ours':>8}{'peer':>8}{'ratio':>7}{'goal':>6}")
    short = False
    for name, ours, peer, goal in rows:
        ok = ours / peer <= goal
        short |= not ok
        print(f"{name:<56}{ours:>8.2f}{peer:>8.2f}{ours / peer:>7.2f}{goal:>6.2f}  {'ok' if ok else 'short'}")
    return int(short)


if __name__ == "__main__":
    sys.exit(main())
