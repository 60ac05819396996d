"""Three raters, 24 items, two rounds through their own accounts; and a push that is killed again and again."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate import rounds, simulated
from wherefore.annotate.answers import accept
from wherefore.annotate.label_studio import forms
from wherefore.annotate.label_studio.ledger import read as ledger
from wherefore.annotate.label_studio.pull import pull
from wherefore.annotate.label_studio.push import push
from wherefore.annotate.run import resolve
from wherefore.annotate.settings import SimulatedRater
from wherefore.study.config import Study

Make = Callable[..., Study]
pytestmark = pytest.mark.service
PEOPLE = ["ann", "ben", "carla"]


def test_two_rounds_come_back_rater_by_rater(label_studio: Any, many: Path, study: Make) -> None:
    s = study(raters="label_studio", items=24, people=PEOPLE, rounds={"calibration": 24})
    folder = many / "annotate"
    posted = []
    for round in ("calibration", "main"):
        state = rounds.people(s, resolve(s), many)
        assert state.due == round
        plan = state.plan
        push(plan, label_studio.admin, folder, round)
        given = [
            a
            for n, name in enumerate(PEOPLE)
            for a in simulated.answers(
                SimulatedRater(name="simulated_x", severity=0.3 * n, skips=0.05).model_copy(
                    update={"name": name}
                ),
                plan.of_round(round),
                plan.items,
                plan.faulty,
                plan.rubric,
                0.6,
                7,
            )
        ]
        posted += [a.model_copy(update={"simulated": False}) for a in given]
        tasks = {
            p.rater: label_studio.admin.held(p.project) for p in ledger(folder).places if p.round == round
        }
        for rater in PEOPLE:
            label_studio.session(rater)

        def submit(a: Any, tasks: Any = tasks, plan: Any = plan) -> int:
            form = [] if a.skipped else forms.write(a)
            more = {"was_cancelled": True} if a.skipped else {}
            return int(label_studio.submit(a.rater, tasks[a.rater][a.item][0].id, form, a.seconds, **more))

        with ThreadPoolExecutor(6) as pool:
            assert len(set(pool.map(submit, given))) == 72
        pull(plan, label_studio.admin, folder)
    state = rounds.people(s, resolve(s), many)
    expected = accept(posted, state.plan.tasks, state.plan.items, state.plan.rubric)
    assert state.due is None
    for rater in PEOPLE:
        mine = sorted(r.model_dump_json() for r in state.got.ratings if r.rater == rater)
        assert mine == sorted(r.model_dump_json() for r in expected.ratings if r.rater == rater)
    assert Counter(f.fault for f in state.got.faults) == Counter(f.fault for f in expected.faults)


CHILD = """
import os, signal, sys
from pathlib import Path

import httpx

from wherefore.annotate import rounds, run
from wherefore.annotate.label_studio import push
from wherefore.annotate.label_studio.client import Server
from wherefore.study.config import Study

push.BATCH = 10
s, home = Study.model_validate_json(sys.argv[1]), Path(sys.argv[2])
server, last, moment = Server(sys.argv[3], sys.argv[4]), int(sys.argv[5]), sys.argv[6]
n, send = 0, httpx.HTTPTransport.handle_request


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def counted(transport, request):
    global n
    n += 1
    if n == last and moment == "before":
        die()
    if n == last and moment == "sent":
        request.extensions["trace"] = lambda event, info: event.endswith("send_request_body.complete") and die()
    answer = send(transport, request)
    if n == last:
        die()
    return answer


httpx.HTTPTransport.handle_request = counted
push.push(rounds.people(s, run.resolve(s), home).plan, server, home / "annotate", "main")
"""


KILLS = ((2, "sent"), (3, "answered"), (4, "sent"), (6, "before"), (11, "sent"), (8, "answered"))
"""At which request of each push, and at which moment of it."""


def test_a_push_killed_at_many_points_ends_with_one_task_an_item(
    label_studio: Any, many: Path, study: Make
) -> None:
    """Killed at a request that is counted, before or after the server has it, and not after so many seconds."""
    s = study(raters="label_studio", items=60, people=PEOPLE)
    args = [s.model_dump_json(), str(many), label_studio.state.url, label_studio.state.token]
    for request, moment in KILLS:
        child = [sys.executable, "-c", CHILD, *args, str(request), moment]
        end = subprocess.run(child, capture_output=True, text=True, timeout=240)
        assert end.returncode == -signal.SIGKILL, end.stderr
    plan = rounds.people(s, resolve(s), many).plan
    done = push(plan, label_studio.admin, many / "annotate", "main")
    assert len(label_studio.admin.projects(f"wherefore run={ledger(many / 'annotate').run} ")) == 3
    for p in done:
        held = label_studio.admin.held(p.project)
        assert sorted(held) == sorted(t.item for t in plan.tasks if t.rater == p.rater)
        assert {len(tasks) for tasks in held.values()} == {1}
    assert all(not place.importing for place in ledger(many / "annotate").places)
